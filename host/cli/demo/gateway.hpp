// SPDX-License-Identifier: BSD-2-Clause-Patent
// One end of the demo's tunnels: a context with the four SAs between two networks, both ways.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/convey.hpp"
#include "espalier/context.hpp"

namespace espalier::cli::demo {

inline constexpr unsigned kTunnels = 4;

/// The tunnel a clear packet takes: by family, and by which of its addresses is the lower, so that
/// the two directions of a flow take different ones.
struct Tunnel {
  std::string name;
  SaConfig config;
};

/// The SAs, with keys from `seed`: fit for captures that anyone may read, and for nothing else.
std::array<Tunnel, kTunnels> make_tunnels(const std::string& suite, std::uint64_t seed);

/// Parses a clear packet; empty if it is none.
bool choose_tunnel(std::span<const std::uint8_t> packet, unsigned& tunnel);

class Gateway {
 public:
  /// `device`, and software for what that does not take.
  Gateway(const std::string& device, const std::array<Tunnel, kTunnels>& tunnels);

  /// What a pass over packets gave.
  struct Pass {
    std::vector<Parcel> parcels;  ///< One a packet.
    Tally tally;
    Flow flow;
  };
  using Packets = std::vector<std::span<const std::uint8_t>>;

  /// Seals clear packets.  Those without a tunnel, and empty ones, are not sent.
  Pass seal(const Packets& packets, const std::function<void(std::size_t)>& progress);
  /// Opens sealed packets.  Empty ones are not sent.
  Pass open(const Packets& packets, const std::function<void(std::size_t)>& progress);

  const driver::Device& device() const { return *context_->devices()[0]; }

 private:
  Pass run(Pass pass, const std::function<void(std::size_t)>& progress);

  std::unique_ptr<Context> context_;
  std::array<SaHandle, kTunnels> outbound_{};
};

}  // namespace espalier::cli::demo
