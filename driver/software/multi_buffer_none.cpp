// SPDX-License-Identifier: BSD-2-Clause-Patent
// In place of multi_buffer.cpp where libipsec-mb is not there.
#include "multi_buffer.hpp"

namespace espalier::driver::software {

std::unique_ptr<MultiBuffer> MultiBuffer::make(bool) {
  return nullptr;
}
MultiBuffer::~MultiBuffer() = default;
void MultiBuffer::run() noexcept {}

std::unique_ptr<EspSa> make_mb(const SaParameters&, const SaShape&, MultiBuffer&) {
  return nullptr;
}

}  // namespace espalier::driver::software
