// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the engine is measured against: ESP (RFC 4303, RFC 4106) in tunnel mode, IPv4 in IPv4,
// written from the RFCs over OpenSSL's AES-GCM; and descriptors and records written from spec/
// alone.
#ifndef ESPALIER_TESTS_HLS_ENGINE_ESP_REFERENCE_H
#define ESPALIER_TESTS_HLS_ENGINE_ESP_REFERENCE_H

#include "../crypto/gcm_reference.h"
#include "espalier/spec/descriptor.h"
#include "espalier/spec/status.h"

namespace espalier::test {

/// One tunnel: the SA that seals and the one that opens have the same parameters.
struct Tunnel {
  Sa gcm;
  std::uint32_t spi = 0;
  unsigned icv_length = 16;
  bool esn = false;
  bool ecn = false;
  std::array<std::uint8_t, 4> source{}, destination{};
};
Tunnel random_tunnel(Random& random);
spec::SaRecord record_of(const Tunnel& tunnel, bool seal, unsigned generation);

/// A well-formed IPv4 packet, header checksum included, of 20 to 65,535 octets.
Bytes random_ipv4(Random& random, std::size_t length);
/// Sets the header checksum of the IPv4 header of `words` words at the begin.
void set_ip_checksum(Bytes& packet, unsigned words = 5);

/// What the sender chooses for one packet.
struct Sealing {
  std::uint64_t sequence = 1;
  Bytes iv = Bytes(8);
  unsigned pad_length = 0;
  std::uint8_t tos = 0, ttl = 64;
  bool dont_fragment = false;
  std::uint16_t identity = 0;
};
Sealing random_sealing(Random& random, std::size_t length);

/// The shortest padding that aligns the trailer (RFC 4303 2.4).
unsigned least_padding(std::size_t length);

/// Padding, Pad Length, Next Header.
Bytes trailer(unsigned pad_length, unsigned next_header = 4);

/// The packet on the wire around `body` (payload and trailer, not yet encrypted), behind
/// `option_words` words of IPv4 options.
Bytes protect(const Tunnel& tunnel, const Sealing& s, const Bytes& body, unsigned option_words = 0);
Bytes seal(const Tunnel& tunnel, const Sealing& s, const Bytes& packet);

spec::Descriptor seal_job(const Sealing& s, std::size_t length, unsigned slot, unsigned generation);
spec::Descriptor open_job(std::uint64_t sequence, std::size_t length, unsigned slot,
                          unsigned generation, unsigned header_words = 5);
spec::Descriptor control_job(spec::Opcode opcode, unsigned slot);

template <class... T>
Bytes concat(const T&... parts) {
  Bytes all;
  (all.insert(all.end(), parts.begin(), parts.end()), ...);
  return all;
}

}  // namespace espalier::test

#endif
