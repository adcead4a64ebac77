// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "bytes.h"
#include "espalier/spec/sa_record.h"
#include "stages.h"

namespace espalier {
namespace {

using spec::Status;
using R = spec::SaRecordBits;

ap_uint<8> octet(const ap_uint<160>& x, int lsb) {
  return field<8>(x, lsb);
}

/// Is this an SA that the engine has: AES-GCM (RFC 4106), ESP, tunnel mode, IPv4 in IPv4?
bool is_ours(const RecordHead& head) {
  constexpr int kHas = spec::kSaValid | spec::kSaTunnel;
  constexpr int kLacks = spec::kSaAh | spec::kSaOuterIpv6 | spec::kSaUdp | spec::kSaImplicitIv;
  const ap_uint<16> flags = field<16>(head.control, R::flags_lsb);
  const ap_uint<8> rounds = octet(head.control, R::rounds_lsb);
  const ap_uint<8> icv_length = octet(head.control, R::icv_length_lsb);
  const bool mode = (flags & (kHas | kLacks)) == kHas;
  const bool suite =
      octet(head.control, R::cipher_lsb) == static_cast<int>(spec::Cipher::aes_gcm) &&
      octet(head.control, R::integrity_lsb) == static_cast<int>(spec::Integrity::none) &&
      (rounds == 10 || rounds == 12 || rounds == 14) &&
      (icv_length == 8 || icv_length == 12 || icv_length == 16) &&
      octet(head.control, R::iv_length_lsb) == 8 && octet(head.control, R::block_length_lsb) == 4 &&
      octet(head.control, R::ecn_mode_lsb) <= 1;
  // An inbound SA has no use for the template.
  const bool header = (flags & spec::kSaSeal) == 0 ||
                      (octet(head.control, R::header_length_lsb) == 20 &&
                       octet(head.header, 0) == 0x45 && octet(head.header, 72) == 50);
  return mode && suite && header;
}

Sa read_record(const RecordHead& head) {
  const ap_uint<16> flags = field<16>(head.control, R::flags_lsb);
  Sa sa;
  sa.valid = 1;
  sa.seal = (flags & spec::kSaSeal) != 0;
  sa.esn = (flags & spec::kSaEsn) != 0;
  sa.ecn = octet(head.control, R::ecn_mode_lsb)[0];
  sa.key_size = field<2>(head.control, R::rounds_lsb + 1) - 1;  // 10, 12, 14 rounds: 0, 1, 2
  sa.icv_words = field<3>(head.control, R::icv_length_lsb + 2);
  sa.generation = field<16>(head.control, R::generation_lsb);
  sa.spi = swap_bytes<32>(field<32>(head.control, R::spi_lsb));
  sa.salt = field<32>(head.control, R::salt_lsb);
  sa.source = field<32>(head.header, 96);
  sa.destination = field<32>(head.header, 128);
  return sa;
}

Sa no_sa() {
  return hls::unpack<Sa>(0);
}

/// RFC 4303 3.4.2, and D6: the slot holds the SA that the job was made for.
StatusBits looked_up(const Request& r, const Sa& sa) {
  const bool open = r.kind == kOpen;
  const bool found = sa.valid && sa.generation == r.generation && sa.seal == (r.kind == kSeal);
  const ap_uint<32> number = swap_bytes<32>(r.number);
  if (!found) return status_bits(Status::sa_gone);
  if (r.status != status_bits(Status::ok)) return r.status;
  if (open && r.spi != sa.spi) return status_bits(Status::spi_mismatch);
  if (open && number != field<32>(r.sequence, 0)) return status_bits(Status::bad_header);
  return r.status;
}

}  // namespace

void sa(SaState& s, hls::stream<Request>& requests, hls::stream<RecordHead>& records,
        hls::stream<Context>& contexts) {
#pragma HLS PIPELINE II = 1
  if (!s.wiped) {
    s.slots.write(s.wipe, no_sa());
    s.wiped = s.wipe == kSlots - 1;
    s.wipe = s.wipe + 1;
    return;
  }
  if (s.installing) {
    if (records.empty()) return;
    const RecordHead head = records.read();
    const bool ours = is_ours(head);
    Context c;
    c.request = s.install;
    if (!ours) c.request.status = status_bits(Status::unsupported);
    c.sa = ours ? read_record(head) : no_sa();
    s.slots.write(c.request.slot, c.sa);
    contexts.write(c);
    s.installing = 0;
    return;
  }
  if (requests.empty()) return;
  Context c;
  c.request = requests.read();
  if (c.request.kind == kInstall) {
    s.install = c.request;
    s.installing = 1;
    return;
  }
  c.sa = s.slots.read(c.request.slot);
  if (c.request.kind == kRemove) s.slots.write(c.request.slot, no_sa());
  if (c.request.kind == kSeal || c.request.kind == kOpen) {
    c.request.status = looked_up(c.request, c.sa);
  }
  contexts.write(c);
}

}  // namespace espalier
