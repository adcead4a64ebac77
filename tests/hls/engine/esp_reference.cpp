// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "esp_reference.h"

#include <cstring>

namespace espalier::test {
namespace {

Bytes big_endian(std::uint64_t value, unsigned octets) {
  Bytes bytes(octets);
  for (unsigned i = 0; i < octets; ++i) bytes[i] = std::uint8_t(value >> (8 * (octets - 1 - i)));
  return bytes;
}

Bytes outer_ipv4(const Tunnel& tunnel, const Sealing& s, std::size_t length,
                 unsigned option_words) {
  Bytes header(20 + 4 * option_words, 1);  // options: No Operation
  const Bytes fields =
      concat(Bytes{std::uint8_t(0x45 + option_words), s.tos}, big_endian(length, 2),
             big_endian(s.identity, 2), big_endian(s.dont_fragment ? 0x4000 : 0, 2),
             Bytes{s.ttl, 50, 0, 0}, tunnel.source, tunnel.destination);
  std::copy(fields.begin(), fields.end(), header.begin());
  set_ip_checksum(header, 5 + option_words);
  return header;
}

}  // namespace

Tunnel random_tunnel(Random& random) {
  Tunnel t;
  t.gcm = random_sa(random, static_cast<KeySize>(random() % 3));
  t.spi = static_cast<std::uint32_t>(random() | 256);
  t.icv_length = 8 + 4 * (random() % 3);
  t.esn = random() & 1;
  for (auto& octet : t.source) octet = static_cast<std::uint8_t>(random());
  for (auto& octet : t.destination) octet = static_cast<std::uint8_t>(random());
  return t;
}

spec::SaRecord record_of(const Tunnel& tunnel, bool seal, unsigned generation) {
  spec::SaRecord r = expand(tunnel.gcm);
  r.spi = tunnel.spi;
  r.flags = spec::kSaValid | spec::kSaTunnel | (seal ? spec::kSaSeal : 0) |
            (tunnel.esn ? spec::kSaEsn : 0);
  r.generation = static_cast<std::uint16_t>(generation);
  std::memcpy(r.salt, tunnel.gcm.salt.data(), 4);
  r.cipher = static_cast<std::uint8_t>(spec::Cipher::aes_gcm);
  r.rounds = static_cast<std::uint8_t>(tunnel.gcm.key.size() / 4 + 6);
  r.icv_length = static_cast<std::uint8_t>(tunnel.icv_length);
  r.iv_length = 8;
  r.header_length = 20;
  r.block_length = 4;
  r.ecn_mode = tunnel.ecn;
  r.header_template[0] = 0x45;
  r.header_template[9] = 50;
  std::memcpy(r.header_template + 12, tunnel.source.data(), 4);
  std::memcpy(r.header_template + 16, tunnel.destination.data(), 4);
  return r;
}

void set_ip_checksum(Bytes& packet, unsigned words) {
  packet[10] = packet[11] = 0;
  unsigned sum = 0;
  for (unsigned i = 0; i < 4 * words; i += 2) sum += packet[i] << 8 | packet[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  packet[10] = static_cast<std::uint8_t>(~sum >> 8);
  packet[11] = static_cast<std::uint8_t>(~sum);
}

Bytes random_ipv4(Random& random, std::size_t length) {
  Bytes packet = random_bytes(random, length);
  packet[0] = 0x45;
  packet[2] = static_cast<std::uint8_t>(length >> 8);
  packet[3] = static_cast<std::uint8_t>(length);
  set_ip_checksum(packet);
  return packet;
}

unsigned least_padding(std::size_t length) {
  return unsigned((2 - length) & 3);
}

Sealing random_sealing(Random& random, std::size_t length) {
  Sealing s;
  s.sequence = random();
  s.iv = random_bytes(random, 8);
  s.pad_length = least_padding(length) + (random() % 8 == 0 ? 4 * (random() % 63) : 0);
  s.tos = static_cast<std::uint8_t>(random());
  s.ttl = static_cast<std::uint8_t>(random());
  s.dont_fragment = random() & 1;
  s.identity = static_cast<std::uint16_t>(random());
  return s;
}

Bytes trailer(unsigned pad_length, unsigned next_header) {
  Bytes bytes;
  for (unsigned i = 1; i <= pad_length; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  bytes.push_back(static_cast<std::uint8_t>(pad_length));
  bytes.push_back(static_cast<std::uint8_t>(next_header));
  return bytes;
}

Bytes protect(const Tunnel& tunnel, const Sealing& s, const Bytes& body, unsigned option_words) {
  const Bytes spi = big_endian(tunnel.spi, 4), low = big_endian(s.sequence & 0xffffffff, 4);
  Packet packet;
  packet.iv = s.iv;
  packet.aad = tunnel.esn ? concat(spi, big_endian(s.sequence >> 32, 4), low) : concat(spi, low);
  packet.text = body;
  Expected sealed = openssl_gcm(tunnel.gcm, packet);
  sealed.tag.resize(tunnel.icv_length);
  const std::size_t length = 36 + 4 * option_words + body.size() + tunnel.icv_length;
  return concat(outer_ipv4(tunnel, s, length, option_words), spi, low, s.iv, sealed.text,
                sealed.tag);
}

Bytes seal(const Tunnel& tunnel, const Sealing& s, const Bytes& packet) {
  return protect(tunnel, s, concat(packet, trailer(s.pad_length)));
}

spec::Descriptor seal_job(const Sealing& s, std::size_t length, unsigned slot,
                          unsigned generation) {
  spec::Descriptor d{};
  d.opcode = static_cast<std::uint8_t>(spec::Opcode::seal);
  d.sequence_number = s.sequence;
  std::memcpy(d.iv, s.iv.data(), 8);
  d.source_length = static_cast<std::uint16_t>(length);
  d.destination_length = 65535;
  d.slot = static_cast<std::uint16_t>(slot);
  d.generation = static_cast<std::uint16_t>(generation);
  d.identity = s.identity;
  d.flags = s.dont_fragment ? spec::kFlagDontFragment : 0;
  d.tos = s.tos;
  d.ttl = s.ttl;
  d.pad_length = static_cast<std::uint8_t>(s.pad_length);
  return d;
}

spec::Descriptor open_job(std::uint64_t sequence, std::size_t length, unsigned slot,
                          unsigned generation, unsigned header_words) {
  spec::Descriptor d{};
  d.opcode = static_cast<std::uint8_t>(spec::Opcode::open);
  d.sequence_number = sequence;
  d.source_length = static_cast<std::uint16_t>(length);
  d.destination_length = 65535;
  d.slot = static_cast<std::uint16_t>(slot);
  d.generation = static_cast<std::uint16_t>(generation);
  d.header_words = static_cast<std::uint8_t>(header_words);
  return d;
}

spec::Descriptor control_job(spec::Opcode opcode, unsigned slot) {
  spec::Descriptor d{};
  d.opcode = static_cast<std::uint8_t>(opcode);
  d.slot = static_cast<std::uint16_t>(slot);
  if (opcode == spec::Opcode::install) d.source_length = spec::kSaRecordBytes;
  return d;
}

}  // namespace espalier::test
