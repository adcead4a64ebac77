// SPDX-License-Identifier: BSD-2-Clause-Patent
// What a fuzzer's input decides, taken from its front.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace espalier::fuzz {

/// Octets and numbers from the input; zeros behind its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  bool empty() const { return left_ == 0; }
  std::uint8_t octet() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  std::vector<std::uint8_t> octets(std::size_t n) {
    std::vector<std::uint8_t> out(n);
    std::generate(out.begin(), out.end(), [this] { return octet(); });
    return out;
  }
  /// Small numbers mostly, any now and then.
  std::uint32_t number() {
    const std::uint8_t kind = octet();
    if (kind < 0xf0) return kind;
    std::uint32_t n = 0;
    for (int i = 0; i < 4; ++i) n = n << 8 | octet();
    return n;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

}  // namespace espalier::fuzz
