// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1: what the owner of a context is told besides completions.
#pragma once

#include <cstdint>

#include "espalier/health.hpp"
#include "espalier/sa.hpp"
#include "espalier/spec/drop.h"

namespace espalier {

enum class EventKind : std::uint8_t {
  soft_expiry,        ///< The SA's soft lifetime is over; once per SA.
  hard_expiry,        ///< Its hard lifetime is over; it takes no more packets.  Once per SA.
  sequence_overflow,  ///< Outbound numbers or IVs are used up.  Once per SA.
  slot_ready,         ///< The SA can run on `device`.
  sa_drained,         ///< A removed SA: no packet of it is under way, its keys are wiped.
  device_state,       ///< `value` is the new driver::Health of `device`, `trouble` why.
  audit,              ///< An auditable drop (RFC 4303 4); `value` is the number.  Rate-limited.
};

struct Event {
  EventKind kind = EventKind::audit;
  spec::Drop drop = spec::Drop::none;  ///< audit only.
  std::uint8_t device = 0xff;
  Trouble trouble = Trouble::none;  ///< device_state only.
  SaHandle sa = SaHandle::none;
  std::uint32_t spi = 0;
  std::uint64_t value = 0;
};

}  // namespace espalier
