// SPDX-License-Identifier: BSD-2-Clause-Patent
// NIST, RFC and Wycheproof vectors against the primitives the software device and the SA record are
// made of.  What ESP and AH never use (other nonce lengths, tags of 4 octets, AAD that is not 8 or
// 12 octets where the code takes no other) is skipped and counted.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "../support.hpp"
#include "primitives/cbc_mac.hpp"
#include "primitives/evp.hpp"
#include "primitives/hmac.hpp"
#include "software/esp.hpp"
#include "software/gcm_context.hpp"

namespace espalier::driver::test {
namespace {

using Json = nlohmann::json;

Bytes hex(const Json& v, const char* key) {
  return v.contains(key) && v.at(key).is_string() ? from_hex(v.at(key).get<std::string>())
                                                  : Bytes();
}

/// Counts what ran, and what did not, and why.
struct Tally {
  std::string name;
  unsigned ran = 0;
  std::map<std::string, unsigned> skipped;
  ~Tally() {
    std::cout << name << ": " << ran << " ran";
    for (const auto& [why, count] : skipped)
      std::cout << ", " << count << " skipped (" << why << ")";
    std::cout << "\n";
  }
};

/// All vectors of a file, Wycheproof's brought to the names of the others.
std::vector<Json> load(const std::string& name) {
  std::ifstream file("tests/vectors/" + name + ".json");
  EXPECT_TRUE(file) << name;
  const Json all = Json::parse(file);
  if (all.contains("vectors")) return all.at("vectors");
  std::vector<Json> out;
  for (const Json& group : all.at("testGroups"))
    for (Json test : group.at("tests")) {
      test["id"] = "tc" + std::to_string(test.at("tcId").get<int>());
      test["nonce"] = test.value("iv", "");
      test["pt"] = test.value("msg", "");
      test["mac"] = test.value("tag", "");
      test["valid"] = test.at("result") == "valid";
      out.push_back(std::move(test));
    }
  return out;
}

struct Aead {
  Bytes key, nonce, aad, pt, ct, tag;
  bool valid;
  explicit Aead(const Json& v)
      : key(hex(v, "key")),
        nonce(hex(v, "nonce")),
        aad(hex(v, "aad")),
        pt(hex(v, "pt")),
        ct(hex(v, "ct")),
        tag(hex(v, "tag")),
        valid(v.at("valid")) {}
};

/// Through GcmContext, which takes any AAD.
void check_gcm(const Aead& v, const std::string& id) {
  std::array<std::uint8_t, 4> salt;
  std::copy_n(v.nonce.begin(), 4, salt.begin());
  const std::uint8_t* iv = v.nonce.data() + 4;
  const auto tag_length = static_cast<unsigned>(v.tag.size());
  software::GcmContext open(v.key, salt, Direction::open);
  Bytes out(v.ct.size() + 1);
  const bool opened = open.start_open(iv, v.tag.data(), tag_length) &&
                      (v.aad.empty() || open.authenticate(v.aad.data(), v.aad.size())) &&
                      (v.ct.empty() || open.update(out.data(), v.ct.data(), v.ct.size())) &&
                      open.finish_open();
  EXPECT_EQ(opened, v.valid) << id;
  if (!v.valid) return;
  out.resize(v.ct.size());
  EXPECT_EQ(out, v.pt) << id;
  software::GcmContext seal(v.key, salt, Direction::seal);
  Bytes tag(tag_length), sealed(v.pt.size() + 1);
  EXPECT_TRUE(seal.start_seal(iv) &&
              (v.aad.empty() || seal.authenticate(v.aad.data(), v.aad.size())) &&
              (v.pt.empty() || seal.update(sealed.data(), v.pt.data(), v.pt.size())) &&
              seal.finish_seal(tag.data(), tag_length))
      << id;
  sealed.resize(v.pt.size());
  EXPECT_EQ(sealed, v.ct) << id;
  EXPECT_EQ(tag, v.tag) << id;
}

/// Through the ESP transform: AAD is SPI and number, so 8 octets, or 12 with ESN.
void check_esp(const Aead& v, const std::string& id, spec::Cipher cipher, unsigned salt_length) {
  SaParameters sa;
  sa.cipher = cipher;
  sa.cipher_key.assign(v.key);
  std::copy_n(v.nonce.begin(), salt_length, sa.salt.begin());
  sa.icv_length = static_cast<std::uint8_t>(v.tag.size());
  sa.esn = v.aad.size() == 12;
  Suite lengths;
  lengths.icv_length = sa.icv_length;
  const auto make = [&] {
    return software::make_esp(sa, software::SaShape(sa, lengths, Generation{1}), nullptr);
  };
  const std::uint8_t* iv = v.nonce.data() + salt_length;
  Bytes esp(8);
  std::copy_n(v.aad.begin(), 4, esp.begin());
  std::copy_n(v.aad.end() - 4, 4, esp.begin() + 4);
  const std::uint32_t high = sa.esn ? software::load32(v.aad.data() + 4) : 0;

  sa.direction = Direction::open;
  Bytes wire = v.ct, out(v.ct.size());
  wire.insert(wire.end(), v.tag.begin(), v.tag.end());
  software::OpenFrame open{esp.data(), wire.data(), static_cast<std::uint32_t>(v.ct.size()),
                           high,       iv,          out.data()};
  const auto opener = make();
  ASSERT_NE(opener, nullptr) << id;
  EXPECT_EQ(opener->open(open), v.valid) << id;
  if (!v.valid) return;
  EXPECT_EQ(out, v.pt) << id;
  sa.direction = Direction::seal;
  Bytes body = v.pt;
  body.resize(body.size() + v.tag.size());
  software::SealFrame seal{
      esp.data(), nullptr, 0, body.data(), static_cast<std::uint32_t>(v.pt.size()), high, iv};
  const auto sealer = make();
  ASSERT_NE(sealer, nullptr) << id;
  EXPECT_TRUE(sealer->seal(seal)) << id;
  EXPECT_EQ(body, wire) << id;
}

void run_aead(const std::string& file, spec::Cipher cipher, unsigned salt_length,
              std::size_t nonce_length, unsigned at_least) {
  Tally tally{file, 0, {}};
  for (const Json& json : load(file)) {
    const Aead v(json);
    const std::string id = file + " " + json.at("id").get<std::string>();
    const bool gcm = cipher == spec::Cipher::aes_gcm;
    if (v.nonce.size() != nonce_length)
      ++tally.skipped["nonce of another length than ESP's"];
    else if (v.tag.size() != 8 && v.tag.size() != 12 && v.tag.size() != 16)
      ++tally.skipped["tag of no suite"];
    else if (!gcm && v.aad.size() != 8 && v.aad.size() != 12)
      ++tally.skipped["AAD not ESP's"];
    else if (!gcm && v.ct.empty())
      ++tally.skipped["empty body, which ESP's trailer forbids"];
    else {
      gcm ? check_gcm(v, id) : check_esp(v, id, cipher, salt_length);
      ++tally.ran;
    }
  }
  EXPECT_GE(tally.ran, at_least) << file;
}

TEST(PrimitiveVectors, Gcm) {
  run_aead("primitives/nist_gcm", spec::Cipher::aes_gcm, 4, 12, 1000);
  run_aead("wycheproof/aes_gcm_test", spec::Cipher::aes_gcm, 4, 12, 100);
}
TEST(PrimitiveVectors, Ccm) {
  run_aead("primitives/nist_ccm", spec::Cipher::aes_ccm, 3, 11, 0);  // other nonces
  run_aead("wycheproof/aes_ccm_test", spec::Cipher::aes_ccm, 3, 11, 1);
}
TEST(PrimitiveVectors, ChaCha20Poly1305) {
  run_aead("wycheproof/chacha20_poly1305_test", spec::Cipher::chacha20_poly1305, 4, 12, 10);
}

TEST(PrimitiveVectors, Gmac) {
  Tally tally{"wycheproof/aes_gmac_test", 0, {}};
  for (Json v : load("wycheproof/aes_gmac_test")) {
    v["aad"] = v.at("msg");
    v["pt"] = "";
    const Aead aead(v);
    if (aead.nonce.size() != 12) {
      ++tally.skipped["nonce of another length than ESP's"];
      continue;
    }
    check_gcm(aead, v.at("id"));
    ++tally.ran;
  }
  EXPECT_GE(tally.ran, 50u);
}

template <class Sha>
bool hmac_matches(const Bytes& key, const Bytes& message, const Bytes& mac) {
  std::uint8_t out[Sha::kDigest];
  const std::span<const std::uint8_t> part(message);
  Hmac<Sha>(key).mac({&part, 1}, out);
  return std::equal(mac.begin(), mac.end(), out);
}

void run_hmac(const std::string& file, const std::string& fixed_algorithm, unsigned at_least) {
  Tally tally{file, 0, {}};
  for (const Json& v : load(file)) {
    const std::string algorithm = v.value("alg", fixed_algorithm);
    const Bytes key = hex(v, "key"), message = hex(v, "msg"), mac = hex(v, "mac");
    const std::size_t block = algorithm == "hmac-sha1" || algorithm == "hmac-sha256" ? 64 : 128;
    if (algorithm == "hmac-md5") {
      ++tally.skipped["MD5 is refused (RFC 8221)"];
    } else if (key.size() > block) {
      ++tally.skipped["key longer than a block, which no suite's is"];
    } else {
      const bool same = algorithm == "hmac-sha1"     ? hmac_matches<Sha1>(key, message, mac)
                        : algorithm == "hmac-sha256" ? hmac_matches<Sha256>(key, message, mac)
                        : algorithm == "hmac-sha384" ? hmac_matches<Sha384>(key, message, mac)
                                                     : hmac_matches<Sha512>(key, message, mac);
      EXPECT_EQ(same, v.at("valid").get<bool>()) << file << " " << v.at("id");
      ++tally.ran;
    }
  }
  EXPECT_GE(tally.ran, at_least) << file;
}

TEST(PrimitiveVectors, Hmac) {
  run_hmac("primitives/nist_hmac", "", 400);
  run_hmac("primitives/rfc_hmac", "", 15);
  for (const char* sha : {"sha1", "sha256", "sha384", "sha512"})
    run_hmac(std::string("wycheproof/hmac_") + sha + "_test", std::string("hmac-") + sha, 50);
}

/// The ICV is the MAC's first 12 octets.
void run_cmac(const std::string& file, unsigned at_least) {
  Tally tally{file, 0, {}};
  for (const Json& v : load(file)) {
    const Bytes key = hex(v, "key"), message = hex(v, "msg"), mac = hex(v, "mac");
    if (key.size() != kAesBlock) {
      ++tally.skipped["key not of 128 bits, which AES-CMAC-96's is"];
      continue;
    }
    SaParameters sa;
    sa.integrity = spec::Integrity::aes_cmac;
    sa.integrity_key.assign(key);
    sa.icv_length = static_cast<std::uint8_t>(std::min<std::size_t>(mac.size(), kAesBlock));
    const auto made = software::make_mac(sa);
    ASSERT_NE(made, nullptr);
    const software::Octets part(message);
    EXPECT_EQ(made->verify({&part, 1}, nullptr, mac.data()), v.at("valid").get<bool>())
        << file << " " << v.at("id");
    ++tally.ran;
  }
  EXPECT_GE(tally.ran, at_least) << file;
}

TEST(PrimitiveVectors, Cmac) {
  run_cmac("primitives/nist_cmac", 40);
  run_cmac("wycheproof/aes_cmac_test", 40);
}

void run_cipher(const std::string& file, unsigned at_least) {
  Tally tally{file, 0, {}};
  for (const Json& v : load(file)) {
    const Bytes key = hex(v, "key"), iv = hex(v, "iv"), pt = hex(v, "pt"), ct = hex(v, "ct");
    const std::string algorithm = v.at("alg");
    const EvpMode mode = algorithm == "aes-ecb"   ? EvpMode::ecb
                         : algorithm == "aes-cbc" ? EvpMode::cbc
                                                  : EvpMode::ctr;
    const bool encrypt = v.value("direction", "encrypt") == "encrypt";
    const CipherContext context = keyed_context(mode, key, encrypt);
    ASSERT_NE(context, nullptr) << v.at("id");
    if (mode != EvpMode::ecb) {
      ASSERT_EQ(EVP_CipherInit_ex2(context.get(), nullptr, nullptr, iv.data(), -1, nullptr), 1);
    }
    const Bytes& in = encrypt ? pt : ct;
    Bytes out(in.size() + kAesBlock);
    int length = 0;
    ASSERT_EQ(EVP_CipherUpdate(context.get(), out.data(), &length, in.data(),
                               static_cast<int>(in.size())),
              1);
    out.resize(static_cast<std::size_t>(length));
    EXPECT_EQ(out, encrypt ? ct : pt) << v.at("id");
    ++tally.ran;
  }
  EXPECT_GE(tally.ran, at_least) << file;
}

TEST(PrimitiveVectors, Aes) {
  run_cipher("primitives/nist_aes_kat", 2851);
  run_cipher("primitives/rfc3686_aes_ctr", 6);
}

}  // namespace
}  // namespace espalier::driver::test
