// SPDX-License-Identifier: BSD-2-Clause-Patent
// A Linux kernel in QEMU at the other end of an Ethernet cable.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier::interop {

using Frame = std::vector<std::uint8_t>;

/// Emulated, not virtualised (no KVM needed); no root, no TAP: each Ethernet frame is one datagram
/// on a Unix socket.
class Guest {
 public:
  /// Boots the guest of `folder` (see make_guest.sh) with `states` for its `ip -batch`; returns
  /// when it says it is ready.  Throws std::runtime_error with what its console said.
  Guest(const std::string& folder, const std::string& states);
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  void send(std::span<const std::uint8_t> frame);
  /// The next frame; none if `patience` passes without one.
  std::optional<Frame> receive(std::chrono::milliseconds patience);
  /// Ends the guest and returns what its console said, the kernel's drop counters last.
  std::string shut_down();

 private:
  void read_console(const std::string& until, std::chrono::seconds patience);

  std::string scratch_;  ///< A folder of our own: sockets, initrd.
  int socket_ = -1;
  int console_ = -1;  ///< Both ways.
  pid_t qemu_ = -1;
  std::string said_;
};

}  // namespace espalier::interop
