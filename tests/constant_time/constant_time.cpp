// SPDX-License-Identifier: BSD-2-Clause-Patent
// Whether time depends on secrets, by valgrind: keys and tags are marked as undefined memory, and
// memcheck complains about every branch and every address that depends on them.
//
//   records  an SA record of every suite, from secret keys (key schedules, powers of H, midstates)
//   tags     every integrity algorithm and combined mode over a packet, and the tag's comparison
//            (the verdict is public, so is what follows from it: padding, next header)
//   tags_multi_buffer  the same by libipsec-mb, as far as this CPU's instructions are valgrind's
//   too leak_*   functions that leak on purpose: the run must fail
#include <valgrind/memcheck.h>

#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "esp.hpp"
#include "espalier/driver/suite.hpp"
#include "multi_buffer.hpp"
#include "record/record.hpp"

using namespace espalier::driver;

namespace {

using Bytes = std::vector<std::uint8_t>;

void secret(const void* at, std::size_t octets) {
  VALGRIND_MAKE_MEM_UNDEFINED(at, octets);
}
void declassify(const void* at, std::size_t octets) {
  VALGRIND_MAKE_MEM_DEFINED(at, octets);
}

SaParameters make_sa(const Suite& suite, Direction direction) {
  SaParameters sa;
  apply(suite, sa);
  sa.direction = direction;
  sa.spi = 0x1001;
  Bytes cipher(suite.cipher_key_length), integrity(suite.integrity_key_length);
  for (Bytes* key : {&cipher, &integrity})
    for (std::size_t i = 0; i < key->size(); ++i) (*key)[i] = static_cast<std::uint8_t>(i * 41 + 7);
  secret(cipher.data(), cipher.size());
  secret(integrity.data(), integrity.size());
  sa.cipher_key.assign(cipher);
  sa.integrity_key.assign(integrity);
  return sa;
}

int records() {
  int built = 0;
  for (const Suite& suite : all_suites()) {
    for (const Direction direction : {Direction::seal, Direction::open}) {
      const SaParameters sa = make_sa(suite, direction);
      espalier::spec::SaRecord record;
      if (build_record(sa, Generation{1}, record) != Status::ok) return 1;
      wipe_record(record);
      ++built;
    }
  }
  std::printf("%d records\n", built);
  return 0;
}

/// A packet's body sealed; then its tag, secret, once right and once wrong.
bool esp(const Suite& suite, software::MultiBuffer* multi_buffer) {
  constexpr std::uint32_t kBody = 96;
  const std::uint8_t iv[16] = {9};
  const std::size_t head = 8 + suite.iv_length;
  Bytes wire(head + kBody + 64, 0x33), out(kBody);  // in one piece, as crypto.hpp says
  std::memcpy(wire.data() + 8, iv, suite.iv_length);
  std::uint8_t* body = wire.data() + head;
  const auto make = [&](Direction direction) {
    const SaParameters sa = make_sa(suite, direction);
    return software::make_esp(sa, software::SaShape(sa, suite, Generation{1}), multi_buffer);
  };
  const auto seal = make(Direction::seal), open = make(Direction::open);
  if (!seal || !open || !seal->seal({wire.data(), nullptr, 0, body, kBody, 0, iv})) return false;
  declassify(wire.data(), wire.size());  // it goes over the wire
  for (const bool forged : {false, true}) {
    if (forged) body[kBody] ^= 1;
    secret(body + kBody, suite.icv_length);
    bool good = open->open({wire.data(), body, kBody, 0, iv, out.data()});
    declassify(&good, sizeof good);  // the verdict is public
    declassify(wire.data(), wire.size());
    if (good == forged) return false;
  }
  return true;
}

bool ah(const Suite& suite) {
  const Bytes data(150, 0x44);
  const std::uint8_t iv[8] = {5};
  std::uint8_t icv[64];
  const auto mac = software::make_mac(make_sa(suite, Direction::seal));
  const auto checker = software::make_mac(make_sa(suite, Direction::open));
  const software::Octets parts[] = {{data.data(), 100}, {data.data() + 100, 50}};
  if (!mac || !checker || !mac->compute(parts, iv, icv)) return false;
  secret(icv, suite.icv_length);
  bool good = checker->verify(parts, iv, icv);
  declassify(&good, sizeof good);
  if (!good) return false;
  icv[suite.icv_length - 1] ^= 1;
  good = checker->verify(parts, iv, icv);
  declassify(&good, sizeof good);
  return !good;
}

/// By OpenSSL; with `multi_buffer` by libipsec-mb where that can.
int tags(software::MultiBuffer* multi_buffer) {
  int checked = 0;
  for (const Suite& suite : all_suites()) {
    if (suite.protocol == Protocol::ah ? !ah(suite) : !esp(suite, multi_buffer)) {
      std::fprintf(stderr, "%s failed\n", suite_name(suite).c_str());
      return 1;
    }
    ++checked;
  }
  std::printf("%d suites\n", checked);
  return 0;
}

int leak_branch() {
  std::uint8_t key[16] = {1}, other[16] = {1};
  secret(key, sizeof key);
  for (unsigned i = 0; i < sizeof key; ++i)  // the comparison everybody writes first
    if (*const_cast<volatile std::uint8_t*>(&key[i]) != other[i]) return 1;
  return 0;
}

int leak_index() {
  static std::uint8_t table[256] = {7};
  std::uint8_t key[1] = {3};
  secret(key, sizeof key);
  volatile std::uint8_t out = *const_cast<volatile std::uint8_t*>(&table[key[0]]);
  declassify(const_cast<std::uint8_t*>(&out), 1);
  return out == 255;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view part = argc == 2 ? argv[1] : "";
  if (RUNNING_ON_VALGRIND == 0) return std::fprintf(stderr, "run it under valgrind\n"), 2;
  if (part == "records") return records();
  if (part == "tags") return tags(nullptr);
  if (part == "tags_multi_buffer") return tags(software::MultiBuffer::make().get());
  if (part == "leak_branch") return leak_branch();
  if (part == "leak_index") return leak_index();
  return std::fprintf(stderr, "records, tags, tags_multi_buffer, leak_branch or leak_index\n"), 2;
}
