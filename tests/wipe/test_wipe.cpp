// SPDX-License-Identifier: BSD-2-Clause-Patent
// Keys are gone when their SA is: looks for them in all of this process's memory.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "espalier/context.hpp"
#include "espalier/driver/key_memory.hpp"
#include "espalier/driver/software.hpp"

namespace espalier::test {
namespace {

#ifdef ESPALIER_TEST_KEPT
const driver::KeptMemory kept = driver::keep_openssl_memory();
#endif
using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t kPattern = 16;
constexpr std::uint8_t kMask = 0xa5;

/// Octets that are written down only masked, so that looking for them does not find the list.
class Hidden {
 public:
  explicit Hidden(unsigned seed) {
    std::mt19937 random(seed);
    for (auto& octet : masked_) octet = static_cast<std::uint8_t>(random());
  }
  void reveal(std::uint8_t* out, std::size_t octets) const {
    for (std::size_t i = 0; i < octets; ++i) out[i] = masked_[i] ^ kMask;
  }
  bool at(const std::uint8_t* memory) const {
    for (std::size_t i = 0; i < kPattern; ++i)
      if ((memory[i] ^ kMask) != masked_[i]) return false;
    return true;
  }
  std::uint8_t first() const { return masked_[0] ^ kMask; }

 private:
  std::uint8_t masked_[64];
};

/// How often the first octets of a key stand in writable memory.
std::size_t count(const Hidden& key) {
  static std::vector<std::uint8_t> chunk;
  std::size_t found = 0;
  std::ifstream maps("/proc/self/maps");
  std::FILE* memory = std::fopen("/proc/self/mem", "rb");
  EXPECT_NE(memory, nullptr);
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t first = 0, end = 0;
    char access[5] = "";
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s", &first, &end, access) != 3 ||
        access[1] != 'w' || line.find("[v") != std::string::npos)
      continue;
    chunk.resize(end - first);
    const auto own = reinterpret_cast<std::uint64_t>(chunk.data());
    if (std::fseek(memory, static_cast<long>(first), SEEK_SET) != 0) continue;
    const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), memory);
    for (std::size_t i = 0; i + kPattern <= got; ++i) {
      const auto* hit = static_cast<const std::uint8_t*>(
          std::memchr(&chunk[i], key.first(), got - kPattern + 1 - i));
      if (hit == nullptr) break;
      i = static_cast<std::size_t>(hit - chunk.data());
      const std::uint64_t at = first + i;
      if (key.at(hit) && (at < own || at >= own + chunk.size())) ++found;
    }
    OPENSSL_cleanse(chunk.data(), chunk.size());
  }
  std::fclose(memory);
  return found;
}

struct Keys {
  Hidden cipher{1}, integrity{2};
};

/// Not inlined: what it leaves on the stack lies where later calls write.
[[gnu::noinline]] std::vector<SaHandle> add_all(Context& context, const Keys& keys) {
  std::vector<SaHandle> out;
  for (const driver::Suite& suite : driver::all_suites()) {
    for (const auto direction : {driver::Direction::seal, driver::Direction::open}) {
      SaConfig config;
      driver::apply(suite, config.transform);
      config.transform.direction = direction;
      config.transform.spi = static_cast<std::uint32_t>(0x1000 + out.size());
      std::uint8_t key[64];
      keys.cipher.reveal(key, suite.cipher_key_length);
      config.transform.cipher_key.assign({key, suite.cipher_key_length});
      keys.integrity.reveal(key, suite.integrity_key_length);
      config.transform.integrity_key.assign({key, suite.integrity_key_length});
      OPENSSL_cleanse(key, sizeof key);
      config.ends.source = config.ends.destination = {10, 0, 0, 1};
      auto added = context.add(config);
      EXPECT_TRUE(added) << driver::suite_name(suite);
      out.push_back(added ? *added : SaHandle::none);
    }
  }
  return out;
}

[[gnu::noinline]] void overwrite_stack() {
  volatile std::uint8_t area[64 << 10];
  for (volatile std::uint8_t& octet : area) octet = 0;
}

/// By OpenSSL; by libipsec-mb, with OpenSSL's contexts for single packets beside it.
class Wipe : public ::testing::TestWithParam<bool> {
 protected:
  static std::unique_ptr<Context> open();
};

std::unique_ptr<Context> Wipe::open() {
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(driver::make_software(
      {.multi_buffer = GetParam() && driver::multi_buffer_available(), .few_by_openssl = true}));
  auto made = Context::create({}, std::move(devices));
  EXPECT_TRUE(made);
  return std::move(*made);
}

TEST_P(Wipe, KeysAreGoneAfterRemoval) {
#ifdef ESPALIER_TEST_KEPT
  ASSERT_NE(kept, driver::KeptMemory::too_late);
#endif
  const Keys keys;
  ASSERT_EQ(count(keys.cipher), 0u);
  const auto context = open();
  const auto sas = add_all(*context, keys);
  overwrite_stack();
  EXPECT_GT(count(keys.cipher), sas.size() / 2) << "this search would not find a key";
  EXPECT_GT(count(keys.integrity), 10u);
  for (const SaHandle sa : sas) EXPECT_TRUE(context->remove(sa));
  context->tick(Time{1});
  overwrite_stack();
  EXPECT_EQ(count(keys.cipher), 0u);
  EXPECT_EQ(count(keys.integrity), 0u);
}

TEST_P(Wipe, KeysAreGoneAfterClosing) {
  const Keys keys;
  auto context = open();
  add_all(*context, keys);
  context.reset();
  overwrite_stack();
  EXPECT_EQ(count(keys.cipher), 0u);
  EXPECT_EQ(count(keys.integrity), 0u);
}

TEST_P(Wipe, ARefusedSaLeavesNoKey) {
  const Keys keys;
  const auto context = open();
  [&]() {
    SaConfig config;
    std::string why;
    driver::apply(*driver::parse_suite("aes256gcm16", driver::Protocol::esp, why),
                  config.transform);
    std::uint8_t key[32];
    keys.cipher.reveal(key, sizeof key);
    config.transform.cipher_key.assign(key);
    OPENSSL_cleanse(key, sizeof key);
    config.transform.spi = 7;
    EXPECT_FALSE(context->add(config));
  }();
  overwrite_stack();
  EXPECT_EQ(count(keys.cipher), 0u);
}

INSTANTIATE_TEST_SUITE_P(Ciphers, Wipe, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "multi_buffer" : "openssl"; });

}  // namespace
}  // namespace espalier::test
