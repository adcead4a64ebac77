// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the device tests share: hexadecimal, a printed seed, SAs of any suite with random keys.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/driver/device.hpp"
#include "espalier/driver/suite.hpp"

namespace espalier::driver::test {

using Bytes = std::vector<std::uint8_t>;

/// Submits jobs that stand in a row.
inline std::size_t submit_all(Device& device, QueueId queue, std::span<const Job> jobs) {
  std::vector<const Job*> each;
  for (const Job& job : jobs) each.push_back(&job);
  return device.submit(queue, each);
}

inline Bytes from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  Bytes out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  return out;
}

inline std::string to_hex(std::span<const std::uint8_t> octets) {
  std::string out;
  for (std::uint8_t o : octets) {
    out += "0123456789abcdef"[o >> 4];
    out += "0123456789abcdef"[o & 15];
  }
  return out;
}

/// Seeded by ESPALIER_SEED, 1 without it; a failing test prints the seed that replays it.
class Random {
 public:
  Random()
      : seed_(std::getenv("ESPALIER_SEED") ? std::strtoull(std::getenv("ESPALIER_SEED"), nullptr, 0)
                                           : 1),
        engine_(seed_) {}
  std::string replay() const { return "replay with ESPALIER_SEED=" + std::to_string(seed_); }
  /// 0 to bound - 1.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  Bytes bytes(std::size_t length) {
    Bytes out(length);
    for (auto& octet : out) octet = static_cast<std::uint8_t>(engine_());
    return out;
  }

 private:
  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

inline Suite suite(std::string_view name, Protocol protocol = Protocol::esp) {
  std::string why;
  const auto found = parse_suite(name, protocol, why);
  EXPECT_TRUE(found) << why;
  return found.value_or(Suite{});
}

/// An SA of `suite` with random keys and addresses; set direction and options before `finish`.
inline SaParameters make_sa(const Suite& suite, Random& random, Mode mode = Mode::tunnel,
                            Family outer = Family::ipv4, bool udp = false) {
  SaParameters sa;
  sa.mode = mode;
  sa.outer = outer;
  sa.udp_encapsulation = udp;
  sa.spi = static_cast<std::uint32_t>(256 + random.below(0xfffffe00));
  apply(suite, sa);
  const bool ah_gmac = suite.integrity == spec::Integrity::aes_gmac;
  const Bytes cipher = random.bytes(suite.cipher_key_length + (ah_gmac ? 0u : suite.salt_length));
  const Bytes integrity =
      random.bytes(suite.integrity_key_length + (ah_gmac ? suite.salt_length : 0u));
  EXPECT_EQ(set_keys(suite, cipher, integrity, sa), "");
  Endpoints ends;
  ends.family = outer;
  for (auto* address : {&ends.source, &ends.destination})
    for (auto& octet : *address) octet = static_cast<std::uint8_t>(random.below(256));
  set_header_template(ends, sa);
  EXPECT_EQ(check(sa), "");
  return sa;
}

}  // namespace espalier::driver::test
