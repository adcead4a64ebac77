// SPDX-License-Identifier: BSD-2-Clause-Patent
// Drop reasons: every packet that is not delivered is counted under exactly one (D8).
#ifndef ESPALIER_SPEC_DROP_H
#define ESPALIER_SPEC_DROP_H

#include "espalier/spec/status.h"

namespace espalier {
namespace spec {

// D(name, linux, doc): `linux` is the counter of Linux' XfrmStat with the same meaning, "" where
// there is none.
#define ESPALIER_DROP_LIST(D)                                                                      \
  D(none, "", "Not dropped.")                                                                      \
  D(malformed_ip, "XfrmInHdrError", "IP header or extension chain malformed.")                     \
  D(bad_length, "XfrmInHdrError", "ESP or AH length cannot be right.")                             \
  D(no_sa, "XfrmInNoStates", "No SA for this SPI, destination and protocol.")                      \
  D(sa_expired, "XfrmInStateExpired", "The SA's hard lifetime is over, or it is being removed.")   \
  D(spi_mismatch, "XfrmInStateMismatch", "The packet's SPI is not that of its SA.")                \
  D(replayed, "XfrmInStateSeqError", "Sequence number seen before or left of the window.")         \
  D(icv_mismatch, "XfrmInStateProtoError", "Integrity check failed.")                              \
  D(bad_padding, "XfrmInStateProtoError", "Authenticated, but wrongly padded.")                    \
  D(bad_next_header, "XfrmInStateModeError", "Authenticated, but with an unexpected next header.") \
  D(bad_inner, "XfrmInStateModeError", "Authenticated, but the inner packet is malformed.")        \
  D(congested, "", "Outer CE over inner Not-ECT at tunnel egress (RFC 6040 4.2).")                 \
  D(dummy, "", "Authenticated dummy packet, discarded silently.")                                  \
  D(selector_mismatch, "XfrmInStateMismatch", "Inner packet outside the SA's selectors.")          \
  D(fragment, "XfrmInHdrError", "Fragment where a whole packet is required.")                      \
  D(policy_in, "XfrmInTmplMismatch", "Inbound policy demands other protection.")                   \
  D(policy_block_in, "XfrmInPolBlock", "Discarded by inbound policy.")                             \
  D(policy_block_out, "XfrmOutPolBlock", "Discarded by outbound policy.")                          \
  D(no_policy_in, "XfrmInNoPols", "No inbound policy matches.")                                    \
  D(no_policy_out, "XfrmOutPolError", "No outbound policy matches.")                               \
  D(no_sa_out, "XfrmOutNoStates", "Policy demands protection and there is no SA yet.")             \
  D(sa_expired_out, "XfrmOutStateExpired", "The outbound SA's hard lifetime is over.")             \
  D(sequence_overflow, "XfrmOutStateSeqError", "Sequence numbers or IVs are used up.")             \
  D(too_long, "XfrmOutBundleCheckError",                                                           \
    "The result would not fit the IP length or the path MTU.")                                     \
  D(no_room, "XfrmOutError", "The caller's destination is too short.")                             \
  D(bad_argument, "XfrmOutError", "The job itself was malformed.")                                 \
  D(sa_gone, "XfrmInStateInvalid", "The SA was replaced while the job was under way.")             \
  D(reassembly_timeout, "", "Fragments did not all arrive in time.")                               \
  D(reassembly_overlap, "", "Overlapping fragments (RFC 5722).")                                   \
  D(reassembly_limit, "", "Reassembly resources are bounded, and used up.")                        \
  D(nesting, "XfrmInBufferError", "More nested headers than allowed.")                             \
  D(nat_keepalive, "", "NAT keepalive, consumed.")                                                 \
  D(device, "XfrmInError", "No device could process it; see the status.")

enum class Drop : std::uint8_t {
#define ESPALIER_D(name, linux_name, doc) name,
  ESPALIER_DROP_LIST(ESPALIER_D)
#undef ESPALIER_D
};
struct DropInfo {
  const char* name;
  const char* linux_name;
  const char* doc;
};
constexpr DropInfo kDrops[] = {
#define ESPALIER_D(name, linux_name, doc) {#name, linux_name, doc},
    ESPALIER_DROP_LIST(ESPALIER_D)
#undef ESPALIER_D
};
constexpr unsigned kDropCount = sizeof(kDrops) / sizeof(kDrops[0]);
constexpr const DropInfo& info(Drop drop) {
  return kDrops[static_cast<unsigned>(drop)];
}

/// The reason under which a job that ended with `status` is counted, if no device could do better.
constexpr Drop drop_reason(Status status) {
  switch (status) {
    case Status::ok:
      return Drop::none;
    case Status::icv_mismatch:
      return Drop::icv_mismatch;
    case Status::bad_length:
      return Drop::bad_length;
    case Status::bad_header:
      return Drop::malformed_ip;
    case Status::bad_padding:
      return Drop::bad_padding;
    case Status::bad_next_header:
      return Drop::bad_next_header;
    case Status::bad_inner:
      return Drop::bad_inner;
    case Status::dummy:
      return Drop::dummy;
    case Status::congested:
      return Drop::congested;
    case Status::spi_mismatch:
      return Drop::spi_mismatch;
    case Status::fragment:
      return Drop::fragment;
    case Status::sa_gone:
      return Drop::sa_gone;
    case Status::too_long:
      return Drop::too_long;
    case Status::no_room:
      return Drop::no_room;
    case Status::bad_descriptor:
    case Status::bad_address:
      return Drop::bad_argument;
    default:
      return Drop::device;
  }
}

}  // namespace spec
}  // namespace espalier

#endif
