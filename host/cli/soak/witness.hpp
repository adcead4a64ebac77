// SPDX-License-Identifier: BSD-2-Clause-Patent
// Watches what devices are asked to seal: one nonce, one packet.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "espalier/driver/device.hpp"

namespace espalier::cli {

/// Every number and every IV that was given to any device, with what was to be sealed under it.
class NonceLog {
 public:
  /// `iv`: the SA's packets carry one.
  void note(const driver::Job& job, bool iv);
  /// Times a number or an IV came again with other inputs (a re-run has the same).
  std::uint64_t reused() const { return reused_; }

 private:
  void enter(std::uint64_t nonce, std::uint64_t inputs);

  std::unordered_map<std::uint64_t, std::uint64_t> inputs_;  // by a hash of SA and nonce
  std::uint64_t reused_ = 0;
};

/// `inner`, with its jobs noted in `log`.
std::unique_ptr<driver::Device> make_witness(std::unique_ptr<driver::Device> inner,
                                             std::shared_ptr<NonceLog> log);

}  // namespace espalier::cli
