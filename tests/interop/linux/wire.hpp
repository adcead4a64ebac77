// SPDX-License-Identifier: BSD-2-Clause-Patent
// The library at one end of the cable: seals what goes out, opens what comes in.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "cases.hpp"
#include "espalier/context.hpp"
#include "guest.hpp"

namespace espalier::interop {

using Packet = std::vector<std::uint8_t>;

class Wire {
 public:
  /// Both SAs of every case, on `device` with software behind it.
  Wire(Guest& guest, const std::string& device);

  /// The protected packet; fails the run if the library refuses.
  Packet seal(const Case& c, const Packet& clear);
  void send(Family outer, const Packet& packet);
  /// The next packet under the case's SPI, opened; none if the kernel stays silent.
  std::optional<Packet> receive(const Case& c);
  /// Packets by the device that did them.
  const std::map<std::string, unsigned>& by_device() const { return by_device_; }

 private:
  struct Pair {
    SaHandle seal, open;
  };
  Packet run(SaHandle sa, const Packet& in);
  SaHandle sa_of(const Packet& packet);

  Guest& guest_;
  std::unique_ptr<Context> context_;
  std::vector<Pair> sas_;
  std::map<std::string, unsigned> by_device_;
};

}  // namespace espalier::interop
