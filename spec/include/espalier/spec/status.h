// SPDX-License-Identifier: BSD-2-Clause-Patent
// What a device says of a job.
//
// A status is a small number in software (`Status`) and a 16-bit code word on the boundary
// (`status_code`): the first-order Reed-Muller code RM(1,4), 32 words at Hamming distance >= 8,
// shifted by a constant so that neither all-zero nor all-one memory is a status.  No three flipped
// bits turn "ICV mismatch" into "ok", nor any status into another.
#ifndef ESPALIER_SPEC_STATUS_H
#define ESPALIER_SPEC_STATUS_H

#include <cstdint>

namespace espalier {
namespace spec {

// S(name, index, written, retry, doc)
//   written: 1 if the destination holds the complete result; otherwise the device wrote nothing of
//   it. retry:   1 if the same job may succeed on another device: the packet itself was not found
//   wanting.
#define ESPALIER_STATUS_LIST(S)                                                                   \
  S(ok, 0, 1, 0, "Done: the destination holds the whole result.")                                 \
  S(icv_mismatch, 1, 0, 0, "Integrity check failed (RFC 4303 3.4.4); no plaintext was released.") \
  S(bad_length, 2, 0, 0,                                                                          \
    "ESP or AH shorter than header, IV, trailer and ICV, or not block aligned.")                  \
  S(bad_header, 3, 0, 0, "IP header malformed, or it disagrees with the descriptor.")             \
  S(bad_padding, 4, 0, 0, "Authenticated, but pad length or padding is wrong (RFC 4303 2.4).")    \
  S(bad_next_header, 5, 0, 0, "Authenticated, but the next header does not belong in this SA.")   \
  S(bad_inner, 6, 0, 0, "Authenticated, but the inner packet's version or length is wrong.")      \
  S(dummy, 7, 0, 0, "Authenticated dummy packet (RFC 4303 2.6): discard silently.")               \
  S(spi_mismatch, 8, 0, 0, "The packet's SPI is not that of the slot's SA.")                      \
  S(fragment, 9, 0, 0, "IP fragment offered to ESP or AH (RFC 4303 3.4.1).")                      \
  S(sa_gone, 10, 0, 0, "The slot does not hold this generation of the SA; the number is burned.") \
  S(too_long, 11, 0, 1, "Source or result longer than the device takes.")                         \
  S(no_room, 12, 0, 0, "The destination is too short for the result.")                            \
  S(unsupported, 13, 0, 1, "The device does not have this SA's suite or mode.")                   \
  S(bad_descriptor, 14, 0, 1, "Unknown opcode, reserved bits or a broken continuation.")          \
  S(bad_address, 15, 0, 1, "An address lies outside the queue's window.")                         \
  S(read_error, 16, 0, 1, "An AXI read for this job answered with an error.")                     \
  S(write_error, 17, 0, 1,                                                                        \
    "An AXI write for this job answered with an error; contents undefined.")                      \
  S(aborted, 18, 0, 1, "Dropped by soft reset, drain or a stopped queue.")                        \
  S(timed_out, 19, 0, 1, "Given by the host: no completion in time; buffers are quarantined.")    \
  S(internal_error, 20, 0, 1, "The device found itself inconsistent.")                            \
  S(congested, 21, 0, 0, "Authenticated, but outer CE over inner Not-ECT (RFC 6040 4.2).")

enum class Status : std::uint8_t {
#define ESPALIER_S(name, index, written, retry, doc) name = index,
  ESPALIER_STATUS_LIST(ESPALIER_S)
#undef ESPALIER_S
};

/// Code word of RM(1,4) for a 5-bit index, shifted by 0x9a6c.
constexpr std::uint16_t rm14(unsigned index) {
  return static_cast<std::uint16_t>(((index & 1 ? 0xffff : 0) ^ (index & 2 ? 0xaaaa : 0) ^
                                     (index & 4 ? 0xcccc : 0) ^ (index & 8 ? 0xf0f0 : 0) ^
                                     (index & 16 ? 0xff00 : 0)) ^
                                    0x9a6c);
}

/// The 16-bit word that crosses the boundary for `status`.
constexpr std::uint16_t status_code(Status status) {
  return rm14(static_cast<unsigned>(status));
}

struct StatusInfo {
  Status status;
  const char* name;
  bool written;
  bool retry;
  const char* doc;
};
constexpr StatusInfo kStatuses[] = {
#define ESPALIER_S(name, index, written, retry, doc) \
  {Status::name, #name, written != 0, retry != 0, doc},
    ESPALIER_STATUS_LIST(ESPALIER_S)
#undef ESPALIER_S
};
constexpr unsigned kStatusCount = sizeof(kStatuses) / sizeof(kStatuses[0]);
static_assert(kStatusCount <= 32, "RM(1,4) has 32 code words");

/// The status a code word stands for; `internal_error` for a word that is none (a damaged
/// completion).
constexpr Status status_from_code(std::uint16_t code) {
  for (unsigned i = 0; i < kStatusCount; ++i)
    if (rm14(i) == code) return static_cast<Status>(i);
  return Status::internal_error;
}
constexpr const StatusInfo& info(Status status) {
  return kStatuses[static_cast<unsigned>(status)];
}

}  // namespace spec
}  // namespace espalier

#endif
