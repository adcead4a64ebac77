// SPDX-License-Identifier: BSD-2-Clause-Patent
// ESP framing (RFC 4303): everything around the cipher.
#pragma once

#include "crypto.hpp"
#include "ip.hpp"
#include "shape.hpp"

namespace espalier::driver::software {

/// A packet laid out, its crypto still to come: begin, crypto, finish.
struct SealWork {
  SealFrame frame;
  std::size_t head = 0, total = 0;
  std::uint8_t implicit[8];  ///< The IV of RFC 8750.
};
struct OpenWork {
  OpenFrame frame;
  IpHeader header;
  std::size_t ip = 0;
  bool direct = true;  ///< frame.out is the destination itself.
  std::uint8_t outer_class = 0;
  std::uint8_t implicit[8];
};

/// Writes all of the result but ciphertext and ICV.  Anything but ok ends the job.
Status begin_seal(const SaShape& sa, bool takes_bulk, const Job& job, const Linear& io,
                  SealWork& work) noexcept;
Answer finish_seal(const SaShape& sa, const Linear& io, const SealWork& work, bool sealed) noexcept;

/// Anything but ok ends the job; nothing has been written.
Status begin_open(const SaShape& sa, const Job& job, const Linear& io, const Scratch& scratch,
                  OpenWork& work) noexcept;
/// `opened`: the ICV was right.  On any status but ok the destination holds no plaintext.
Answer finish_open(const SaShape& sa, const Linear& io, const OpenWork& work, bool opened) noexcept;

}  // namespace espalier::driver::software
