// SPDX-License-Identifier: BSD-2-Clause-Patent
// The device that does nothing: what is left is what the library costs.
#pragma once

#include <memory>

#include "espalier/driver/device.hpp"

namespace espalier::driver {

/// A device that takes every SA and every job, touches no octet and says ok, with the source's
/// length as the result's.  For measuring costs only: it is marked simulated, so `auto` never picks
/// it.  `queues`: 1 to 16; `queue_depth`: a power of two.  `staged`: copies sources into memory of
/// its own and results out of it, as a card does with memory it can't reach; it takes packets of up
/// to 2,048 octets then.
std::unique_ptr<Device> make_null_device(unsigned queues = 4, unsigned queue_depth = 1024,
                                         bool staged = false);

}  // namespace espalier::driver
