// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sa/iv.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstring>

namespace espalier {

CbcIvGenerator::CbcIvGenerator() : context_(EVP_CIPHER_CTX_new()) {
  static constexpr std::uint8_t kZeroCounter[16] = {};
  std::uint8_t key[kKeyLength];
  ready_ = context_ && RAND_bytes(key, sizeof key) == 1 &&
           EVP_EncryptInit_ex2(context_.get(), EVP_aes_256_ctr(), key, kZeroCounter, nullptr) == 1;
  OPENSSL_cleanse(key, sizeof key);
}

CbcIvGenerator::~CbcIvGenerator() {
  OPENSSL_cleanse(buffer_.data(), buffer_.size());
}

bool CbcIvGenerator::refill() noexcept {
  static constexpr std::uint8_t kZeroCounter[16] = {};
  int length = 0;
  std::memset(buffer_.data(), 0, buffer_.size());
  if (EVP_EncryptUpdate(context_.get(), buffer_.data(), &length, buffer_.data(),
                        static_cast<int>(buffer_.size())) != 1 ||
      EVP_EncryptInit_ex2(context_.get(), nullptr, buffer_.data(), kZeroCounter, nullptr) != 1)
    return false;
  OPENSSL_cleanse(buffer_.data(), kKeyLength);
  used_ = kKeyLength;
  return true;
}

bool CbcIvGenerator::next(std::uint8_t* iv) noexcept {
  if (used_ == kRefill && !refill()) return false;
  std::memcpy(iv, buffer_.data() + used_, kCbcIvLength);
  std::memset(buffer_.data() + used_, 0, kCbcIvLength);
  used_ += kCbcIvLength;
  return true;
}

}  // namespace espalier
