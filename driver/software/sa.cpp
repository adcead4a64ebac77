// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sa.hpp"

#include "esp.hpp"
#include "multi_buffer.hpp"

namespace espalier::driver::software {

std::unique_ptr<KeyedSa> KeyedSa::make(const SaParameters& sa, Generation generation,
                                       MultiBuffer* multi_buffer) {
  const auto suite = suite_of(sa);
  if (!suite) return nullptr;
  const SaShape shape(sa, *suite, generation);
  if (sa.protocol == Protocol::ah) return make_ah(sa, shape);
  return make_esp(sa, shape, multi_buffer);
}

void KeyedSa::begin(const Job& job, const Scratch& scratch, Work& work) noexcept {
  work.answer = process(job, scratch);
  work.stage = Stage::done;
}

Answer KeyedSa::finish(Work& work) noexcept {
  return work.answer;
}

Answer EspSa::process(const Job& job, const Scratch& scratch) noexcept {
  return process_esp(*this, job, scratch);
}

}  // namespace espalier::driver::software
