// SPDX-License-Identifier: BSD-2-Clause-Patent
// ESP framing (RFC 4303): everything around the cipher.
#pragma once

#include "crypto.hpp"
#include "shape.hpp"

namespace espalier::driver::software {

Answer esp_seal(const SaShape& sa, EspCrypto& crypto, const Job& job, Linear io) noexcept;

/// On any status but ok the destination holds no plaintext.
Answer esp_open(const SaShape& sa, EspCrypto& crypto, const Job& job, Linear io,
                const Scratch& scratch) noexcept;

}  // namespace espalier::driver::software
