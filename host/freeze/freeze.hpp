// SPDX-License-Identifier: BSD-2-Clause-Patent
// Turns a packet and its SA into a job with every input fixed (D2), before a device is chosen.
#pragma once

#include "batch/pending.hpp"
#include "packet/octets.hpp"
#include "sa/sa.hpp"

namespace espalier {

/// Outbound (RFC 4303 3.3): placement, padding, outer header fields.  Number and IV come later,
/// when a device has been found: see number_seal().  Returns Drop::none or why the packet can't be
/// sealed.
Drop freeze_seal(const Sa& sa, const Job& in, Pending& out) noexcept;

/// Gives a frozen outbound job its number, and what follows from it: counter IV, identification.
inline void number_seal(const Sa& sa, std::uint64_t number, Pending& pending) noexcept {
  driver::Job& job = pending.job;
  job.sequence_number = number;
  pending.result.number = number;
  if (sa.plan.iv == IvKind::counter) store_be64(job.iv.data(), sa.sender | number);
  if (sa.plan.tunnel && sa.outer == Family::ipv4) job.identity = number & 0xffff;
}

/// Inbound (RFC 4303 3.4): finds ESP or AH, infers the 64-bit number, checks the replay window.
Drop freeze_open(const Sa& sa, const Job& in, Pending& out) noexcept;

}  // namespace espalier
