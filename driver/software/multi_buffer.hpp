// SPDX-License-Identifier: BSD-2-Clause-Patent
// libipsec-mb as a second source of the same octets.
//
// What one packet's cipher can't keep busy, many packets' can: CBC chains, hashes and CBC-MACs of
// up to 16 packets run side by side in the lanes of one vector.  So these are begun for a whole
// burst (EspCrypto::begin_seal(), begin_open()), worked off at once (run()), and settled one by
// one. AES-GCM and GMAC fill the vectors from one packet and are done at once.
//
// A build without the library, or a CPU without AES instructions, has no MultiBuffer; what it does
// not do is OpenSSL's (make_esp_crypto()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "crypto.hpp"

struct IMB_MGR;
struct IMB_JOB;

namespace espalier::driver::software {

/// One queue's manager.  Threads: the queue's.
class MultiBuffer {
 public:
  /// Null if the build or the CPU does not have it.
  static std::unique_ptr<MultiBuffer> make();
  ~MultiBuffer();
  MultiBuffer(const MultiBuffer&) = delete;
  MultiBuffer& operator=(const MultiBuffer&) = delete;

  IMB_MGR* manager() noexcept { return manager_; }
  /// Library and instruction set in words.
  std::string_view name() const noexcept { return name_; }

  /// A job to fill in and submit(); at most kBurst between two run().
  IMB_JOB* next() noexcept;
  void submit(Deferred& result) noexcept;
  /// Works off all that was submitted.
  void run() noexcept;

 private:
  MultiBuffer(IMB_MGR* manager, std::string_view name) : manager_(manager), name_(name) {}
  static void note(const IMB_JOB* job) noexcept;

  IMB_MGR* manager_;
  std::string_view name_;
};

/// Null if libipsec-mb does not speed this suite up, or memory is short.
std::unique_ptr<EspCrypto> make_mb_crypto(const SaParameters& sa, MultiBuffer& mb);
/// Its parts: AES-GCM and GMAC; all that runs as jobs.
std::unique_ptr<EspCrypto> make_mb_gcm(const SaParameters& sa, MultiBuffer& mb);
std::unique_ptr<EspCrypto> make_mb_jobs(const SaParameters& sa, MultiBuffer& mb);

}  // namespace espalier::driver::software
