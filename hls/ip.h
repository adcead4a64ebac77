// SPDX-License-Identifier: BSD-2-Clause-Patent
// The inner packet's header, IPv4 (RFC 791 3.1) or IPv6 (RFC 8200 3), as far as ESP looks at it: on
// the way in and on the way out alike.
#ifndef ESPALIER_HLS_IP_H
#define ESPALIER_HLS_IP_H

#include "bytes.h"
#include "words.h"

namespace espalier {

// Protocol numbers, as Next Header has them (RFC 4303 2.6).
constexpr int kProtocolIpv4 = 4, kProtocolIpv6 = 41, kProtocolEsp = 50, kProtocolNone = 59;
constexpr int kShortestIp = 20;  ///< Octets of an IPv4 header.

/// What the first six octets of an IP packet say.
struct InnerHeader {
  ap_uint<1> six;            ///< IPv6.
  ap_uint<1> bad;            ///< Neither version, or no room for the header in its own length.
  ap_uint<17> total_length;  ///< Octets, header included.
  ap_uint<2> ecn;            ///< RFC 3168 5.
};

inline InnerHeader inner_header(const ap_uint<48>& octets) {
  const ap_uint<4> version = field<4>(octets, 4), ihl = field<4>(octets, 0);
  const ap_uint<16> total_length = swap_bytes<16>(field<16>(octets, 16));
  const ap_uint<16> payload_length = swap_bytes<16>(field<16>(octets, 32));
  InnerHeader h;
  h.six = version == 6;
  h.bad = !h.six && (version != 4 || ihl < 5 || (total_length >> 2) < ihl);
  h.total_length = h.six ? ap_uint<17>(payload_length + 40) : ap_uint<17>(total_length);
  h.ecn = h.six ? field<2>(octets, 12) : field<2>(octets, 8);
  return h;
}

}  // namespace espalier

#endif
