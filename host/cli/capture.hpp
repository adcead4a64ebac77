// SPDX-License-Identifier: BSD-2-Clause-Patent
// Captures (pcap), in and out.
#pragma once

#include <sys/time.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/rig.hpp"

namespace espalier::cli {

struct Frame {
  timeval time{};
  std::uint32_t wire_length = 0;  ///< Octets on the wire; `octets` holds fewer if it was cut.
  Octets octets;
};

struct Capture {
  int link_type = 0;  ///< libpcap's DLT_*.
  std::vector<Frame> frames;
};

/// Throws Failure if the file is no capture, is cut off, or has a link type without IP in it.
Capture read_capture(const std::string& path);
/// Throws Failure if the file can't be written: before the work, not after it.
void check_writable(const std::string& path);

/// The whole file; throws Failure unless all of it was taken.
void write_text(const std::string& path, const std::string& text);
/// The same, readable by the owner alone from its first octet on, whatever was there before.
void write_private(const std::string& path, std::string_view text);
void write_capture(const std::string& path, const Capture& capture);

/// Octets before the IP header; empty link headers have 0.  False if the frame carries no IP.
bool find_ip(int link_type, const Octets& frame, std::uint32_t& offset);

/// The frame's link header in front of `packet`, saying IPv4 or IPv6 as the packet needs it.
Octets reframe(int link_type, const Octets& frame, std::uint32_t offset, const Octets& packet);

}  // namespace espalier::cli
