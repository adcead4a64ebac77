// SPDX-License-Identifier: BSD-2-Clause-Patent
// An installed SA: its shape, and one keyed crypto object per queue.
#pragma once

#include <memory>
#include <vector>

#include "crypto.hpp"
#include "esp.hpp"
#include "shape.hpp"

namespace espalier::driver::software {

/// A job of a burst between begin() and finish().
struct Work {
  Linear io;      ///< The caller's to set.
  Answer answer;  ///< Of a job that needed no finish().
  bool begun = false;
  EspCrypto* crypto = nullptr;
  SealWork seal;
  OpenWork open;
  Deferred deferred;
};

class InstalledSa {
 public:
  /// Null if OpenSSL refused.  Keys live in the crypto objects, which wipe them.  `multi_buffers`:
  /// by queue; null where there is none.
  static std::unique_ptr<InstalledSa> make(const SaParameters& sa, Generation generation,
                                           std::span<MultiBuffer* const> multi_buffers);

  Generation generation() const noexcept { return generation_; }
  const SaShape& shape() const noexcept { return shape_; }

  /// Does a job's whole work with queue `queue`'s contexts; the queue's thread only.
  Answer process(unsigned queue, const Job& job, const Linear& io, const Scratch& scratch) noexcept;

  /// process() in two steps for crypto that defers, with its burst's work between them.
  void begin(unsigned queue, const Job& job, const Scratch& scratch, Work& work) noexcept;
  /// Only if work.begun.
  Answer finish(Work& work) const noexcept;

 private:
  InstalledSa(const SaParameters& sa, const Suite& suite, Generation generation)
      : generation_(generation), shape_(sa, suite) {}
  bool key(const SaParameters& sa, std::span<MultiBuffer* const> multi_buffers);

  Generation generation_;
  SaShape shape_;
  std::vector<std::unique_ptr<EspCrypto>> esp_;  ///< By queue; empty for AH.
  std::vector<std::unique_ptr<Mac>> ah_;         ///< By queue; empty for ESP.
};

}  // namespace espalier::driver::software
