// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/state_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/command.hpp"

namespace espalier::cli {
namespace {

constexpr unsigned kFingerprintOctets = 16;
constexpr char kHeader[] = "espalier-state 1";

std::string fingerprint(const driver::SaParameters& sa) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
  std::uint8_t digest[EVP_MAX_MD_SIZE];
  static constexpr char kLabel[] = "espalier key fingerprint";
  const auto cipher = sa.cipher_key.view(), integrity = sa.integrity_key.view();
  if (!hash || EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) != 1 ||
      EVP_DigestUpdate(hash.get(), kLabel, sizeof kLabel) != 1 ||
      EVP_DigestUpdate(hash.get(), cipher.data(), cipher.size()) != 1 ||
      EVP_DigestUpdate(hash.get(), sa.salt.data(), sa.salt.size()) != 1 ||
      EVP_DigestUpdate(hash.get(), integrity.data(), integrity.size()) != 1 ||
      EVP_DigestFinal_ex(hash.get(), digest, nullptr) != 1)
    throw Failure("OpenSSL has no SHA-256; check its installation");
  std::string out;
  for (unsigned i = 0; i < kFingerprintOctets; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

/// Makes what was written to the file, or to its directory, outlast a power cut.
void sync(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  const bool done = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  if (!done) throw Failure("can't fsync " + path + "; --state needs a file system that can");
}

}  // namespace

StateFile::StateFile(std::string path) : path_(std::move(path)) {
  std::error_code ignored;
  const auto type = std::filesystem::status(path_, ignored).type();
  if (type != std::filesystem::file_type::not_found && type != std::filesystem::file_type::regular)
    throw Failure(path_ + " is no regular file; give the path of a file for --state");
  const std::string lock = path_ + ".lock";
  lock_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) throw Failure("can't create " + lock + "; check the directory's permissions");
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    close(lock_);
    throw Failure(path_ + " is in use by another espalier; wait for it, or give each its own keys");
  }
  std::ifstream in(path_);
  if (!in) return;
  std::string header, key;
  std::uint64_t last = 0;
  std::getline(in, header);
  while (in >> key >> last) last_[key] = last;
  if (header != kHeader || !in.eof()) {
    close(lock_);
    throw Failure(path_ + " is no state file or is damaged; with new keys, begin a new one");
  }
}

StateFile::~StateFile() {
  close(lock_);
}

void StateFile::reserve(SaConfig& sa, std::uint64_t count) {
  std::uint64_t& last = last_[fingerprint(sa.transform)];
  last = std::max(last, sa.last_number);
  const std::uint64_t end = sa.transform.esn ? kNoLimit : 0xffffffffu;
  if (end - last < count)
    throw Failure(fmt::format("the key of SPI {:#x} has {} numbers left and {} packets wait; rekey",
                              sa.transform.spi, end - last, count));
  sa.last_number = last;
  last += count;
  sa.number_limit = last;
}

void StateFile::commit() {
  const std::string fresh = path_ + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << kHeader << '\n';
    for (const auto& [key, last] : last_) out << key << ' ' << last << '\n';
    out.flush();
    if (!out) throw Failure("can't write " + fresh + "; check the directory's permissions");
  }
  sync(fresh, O_RDONLY);
  std::error_code error;
  std::filesystem::rename(fresh, path_, error);
  if (error) throw Failure("can't replace " + path_ + ": " + error.message());
  const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
  sync(parent.empty() ? "." : parent.string(), O_RDONLY | O_DIRECTORY);
}

}  // namespace espalier::cli
