// SPDX-License-Identifier: BSD-2-Clause-Patent
// An installed SA: its shape, and one keyed crypto object per queue.
#pragma once

#include <memory>
#include <vector>

#include "crypto.hpp"
#include "shape.hpp"

namespace espalier::driver::software {

class InstalledSa {
 public:
  /// Null if OpenSSL refused.  Keys live in the crypto objects, which wipe them.
  static std::unique_ptr<InstalledSa> make(const SaParameters& sa, Generation generation,
                                           unsigned queues);

  Generation generation() const noexcept { return generation_; }
  const SaShape& shape() const noexcept { return shape_; }

  /// Does a job's whole work with queue `queue`'s contexts; the queue's thread only.
  Answer process(unsigned queue, const Job& job, Linear io, const Scratch& scratch) noexcept;

 private:
  InstalledSa(const SaParameters& sa, const Suite& suite, Generation generation)
      : generation_(generation), shape_(sa, suite) {}
  bool key(const SaParameters& sa, unsigned queues);

  Generation generation_;
  SaShape shape_;
  std::vector<std::unique_ptr<EspCrypto>> esp_;  ///< By queue; empty for AH.
  std::vector<std::unique_ptr<Mac>> ah_;         ///< By queue; empty for ESP.
};

}  // namespace espalier::driver::software
