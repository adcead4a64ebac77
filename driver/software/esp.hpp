// SPDX-License-Identifier: BSD-2-Clause-Patent
// ESP framing (RFC 4303): everything around the cipher.
#pragma once

#include "ip.hpp"
#include "sa.hpp"

namespace espalier::driver::software {

/// Frames, encrypts, authenticates.
Answer seal_packet(EspSa& sa, const Job& job, const Linear& io) noexcept;
/// Verifies, decrypts, and takes the frame away.  On any status but ok the destination holds no
/// plaintext.
Answer open_packet(EspSa& sa, const Job& job, const Linear& io, const Scratch& scratch) noexcept;

/// A packet laid out, its crypto still to come: the same in steps, begin, crypto, finish.
struct SealWork {
  SealFrame frame;
  std::uint32_t head = 0, total = 0;
  std::uint8_t implicit[8];  ///< The IV of RFC 8750.
};
struct OpenWork {
  OpenFrame frame;
  std::uint32_t ip = 0;           ///< Octets of IP header, UDP header not included.
  std::uint16_t next_offset = 0;  ///< Octet of it that names what follows.
  std::uint8_t outer_class = 0;
  bool direct = true;  ///< frame.out is the destination itself.
  std::uint8_t implicit[8];
};

/// Writes all of the result but ciphertext and ICV.  Anything but ok ends the job.
Status begin_seal(const SaShape& sa, bool takes_bulk, const Job& job, const Linear& io,
                  SealWork& work) noexcept;
Answer finish_seal(const SaShape& sa, const Linear& io, const SealWork& work, bool sealed) noexcept;

/// Anything but ok ends the job; nothing has been written.
Status begin_open(const SaShape& sa, const Job& job, const Linear& io, const Scratch& scratch,
                  OpenWork& work) noexcept;
/// `opened`: the ICV was right.
Answer finish_open(const SaShape& sa, const Linear& io, const OpenWork& work, bool opened) noexcept;

}  // namespace espalier::driver::software
