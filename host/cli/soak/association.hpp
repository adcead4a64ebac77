// SPDX-License-Identifier: BSD-2-Clause-Patent
// An SA of the soak, and the peer at its other end: a software device of its own that is driven job
// by job.  What the library seals the peer opens; what the library opens the peer sealed, with
// numbers it keeps itself.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "cli/rig.hpp"
#include "espalier/context.hpp"

namespace espalier::cli {

struct Association {
  bool seals = false;  ///< The library seals, the peer opens; or the other way round.
  SaConfig config;
  driver::Suite suite;
  driver::Slot peer_slot{};
  SaHandle handle = SaHandle::none;
  bool retired = false;
  // Bookkeeping of the checks.
  std::uint64_t submitted = 0, completed = 0;  ///< Jobs; they complete in order.
  std::uint64_t number = 0;                    ///< The last one sealed, by either side.
  struct Sent {
    Octets clear, wire;
  };
  std::deque<Sent> sent;  ///< What can be replayed.

  bool tunnel() const { return config.transform.mode == driver::Mode::tunnel; }
  bool encrypts() const {
    return config.transform.cipher != spec::Cipher::null &&
           config.transform.cipher != spec::Cipher::aes_gmac;
  }
  Family outer() const { return config.transform.outer; }
};

/// A random SA: any suite and mode there is, seven times of ten one that `device` supports.
Association random_association(const driver::Device& device, std::uint32_t spi,
                               std::mt19937_64& random);

/// Threads: one.
class Peer {
 public:
  Peer();
  void add(Association& flow);  ///< Throws Failure.
  void remove(Association& flow);
  /// Seals under the flow's next number.
  Octets seal(Association& flow, const Octets& clear, std::mt19937_64& random);
  /// Opens; empty if it is not what it should be.
  Octets open(const Association& flow, const Octets& wire, std::uint64_t number,
              std::uint32_t header_length);

 private:
  Octets run(driver::Job job, const Association& flow, const Octets& packet);

  std::unique_ptr<driver::Device> device_;
  std::vector<std::uint16_t> free_;
};

}  // namespace espalier::cli
