// SPDX-License-Identifier: BSD-2-Clause-Patent
// Where things stand (octets; C of ciphertext, ICV after it):
//
//              source                crypto stage                         result
//   seal       payload at 0          payload at s, padding and trailer    36 + payload, ICV at 36 +
//   C open       4 h + 16 + payload    payload at s                         payload at 0
//
// h: words of the received IP header; s: 16, 32, 48 or 64, so that the length block comes last
// (crypto.h).  36: outer IPv4 header 20, SPI and sequence number 8, IV 8.
#include "bytes.h"
#include "ip.h"
#include "stages.h"

namespace espalier {
namespace {

using spec::Status;

constexpr int kEspWords = 4;  // SPI, sequence number, IV
constexpr int kOuterWords = 5 + kEspWords;
constexpr int kOuterOctets = 4 * kOuterWords;
constexpr int kTrailer = 2;  // pad length, next header

/// What the lengths say (RFC 4303 2.4, 2.8).
struct Lengths {
  ap_uint<1> bad;
  ap_uint<16> ciphertext;
  ap_uint<16> outer;  ///< Seal: of the whole result.
};

Lengths lengths_of(const Request& r, const Sa& sa) {
  const ap_uint<5> icv = (sa.icv_words, ap_uint<2>(0));
  const ap_uint<16> padded = r.length + r.pad_length + kTrailer;
  const ap_uint<8> around = ap_uint<6>((r.header_words, ap_uint<2>(0))) + 4 * kEspWords + icv;
  Lengths n;
  if (r.kind == kSeal) {
    n.bad = padded.range(1, 0) != 0;
    n.ciphertext = padded;
  } else {
    n.bad = r.length.range(1, 0) != 0 || r.length < around + 4;
    n.ciphertext = r.length - around;
  }
  n.outer = padded + kOuterOctets + icv;
  return n;
}

StatusBits check_lengths(const Request& r, const Lengths& n) {
  if (r.status != status_bits(Status::ok)) return r.status;
  if (n.bad) return status_bits(Status::bad_length);
  if (r.kind == kSeal && n.outer > kMaxPacket) return status_bits(Status::too_long);
  if (r.kind == kSeal && n.outer > r.room) return status_bits(Status::no_room);
  return r.status;
}

/// The packed form (crypto.h) of a packet's ciphertext.
struct Packed {
  ap_uint<8> beats;
  ap_uint<5> start;      ///< Word of the first beat where the payload begins: 4, 8, 12 or 16.
  ap_uint<2> end_words;  ///< Words in the last block, less one.
};

Packed packed_form(const ap_uint<16>& ciphertext) {
  const ap_uint<12> blocks = (ciphertext + 15) >> 4;
  const ap_uint<2> first_lane = ap_uint<2>(2) - field<2>(blocks, 0);
  Packed p;
  p.beats = (blocks + 5) >> 2;
  p.start = ap_uint<5>((first_lane, ap_uint<2>(0))) + 4;
  p.end_words = field<2>(ciphertext, 2) - 1;
  return p;
}

PackPlan plan_packing(const Request& r, const Packed& p, const Lengths& n) {
  const bool seal = r.kind == kSeal;
  const ap_uint<4> source_word = seal ? ap_uint<4>(0) : ap_uint<4>(r.header_words + kEspWords);
  const ap_uint<16> data = seal ? r.length : n.ciphertext;
  const ap_uint<7> start = (p.start, ap_uint<2>(0));
  const ap_uint<16> end = data + start;
  PackPlan plan;
  plan.beats = p.beats;
  plan.shift = shift_by(ap_int<6>(p.start) - ap_int<6>(source_word));
  plan.head_words = p.start;
  plan.data_beats = end >> 6;
  plan.data_end = end;
  plan.end_words = ap_uint<5>(9) + p.end_words;
  plan.seal = seal;
  plan.pad_base = 1 - end;
  plan.pad_length = r.pad_length;
  plan.next_header = r.next_header;
  plan.open = !seal;
  return plan;
}

/// A record passes as it is; a wiped one as zeros.
PackPlan plan_record(bool wipe) {
  PackPlan plan = hls::unpack<PackPlan>(0);
  plan.beats = 16;
  plan.data_beats = wipe ? 0 : 16;
  plan.end_words = 16;
  return plan;
}

UnpackPlan plan_unpacking(const Request& r, const Packed& p, const Lengths& n) {
  const bool seal = r.kind == kSeal;
  const ap_uint<8> outer_beats = (n.outer + 63) >> 6;
  UnpackPlan plan;
  plan.beats = seal ? outer_beats : p.beats;
  plan.shift = shift_by(ap_int<6>(seal ? kOuterWords : 0) - ap_int<6>(p.start));
  plan.open = !seal;
  plan.end_words = p.end_words;
  return plan;
}

/// Nonce: salt and IV (RFC 4106 4).  AAD: SPI and sequence number, with ESN its high half between
/// them (RFC 4106 5, RFC 4303 2.2.1).
CryptoJob crypto_job(const Request& r, const Sa& sa, const ap_uint<16>& ciphertext) {
  const ap_uint<32> low = swap_bytes<32>(field<32>(r.sequence, 0));
  const ap_uint<32> high = swap_bytes<32>(field<32>(r.sequence, 32));
  const ap_uint<32> zero = 0;
  CryptoJob job;
  job.record = 0;
  job.open = r.kind == kOpen;
  job.key_size = sa.key_size;
  job.esn = sa.esn;
  job.slot = r.slot;
  job.ticket = r.ticket;
  job.length = ciphertext;
  job.salt = sa.salt;
  job.iv = r.iv;
  job.aad = sa.esn ? ap_uint<96>((low, high, sa.spi)) : ap_uint<96>((zero, low, sa.spi));
  return job;
}

CryptoJob record_job(const Request& r) {
  CryptoJob job = hls::unpack<CryptoJob>(0);
  job.record = 1;
  job.slot = r.slot;
  job.ticket = r.ticket;
  return job;
}

/// RFC 791 3.1: one's complement of the one's complement sum, as numbers.
ap_uint<16> checksum(const ap_uint<144>& words) {
  const ap_uint<17> a = field<16>(words, 0) + field<16>(words, 16);
  const ap_uint<17> b = field<16>(words, 32) + field<16>(words, 48);
  const ap_uint<17> c = field<16>(words, 64) + field<16>(words, 80);
  const ap_uint<17> d = field<16>(words, 96) + field<16>(words, 112);
  const ap_uint<20> sum = ((a + b) + (c + d)) + field<16>(words, 128);
  const ap_uint<17> folded = field<16>(sum, 0) + field<4>(sum, 16);
  const ap_uint<16> twice = field<16>(folded, 0) + field<1>(folded, 16);
  return ~twice;
}

/// Outer IPv4 header (RFC 4301 5.1.2.1), SPI, sequence number and IV, as they stand on the wire.
ap_uint<288> outer_header(const Request& r, const Sa& sa, const ap_uint<16>& length) {
  const ap_uint<16> first = (ap_uint<8>(0x45), r.tos);
  const ap_uint<16> flags = r.dont_fragment ? 0x4000 : 0;
  const ap_uint<16> ttl_protocol = (r.ttl, ap_uint<8>(kProtocolEsp));
  const ap_uint<32> source = swap_bytes(sa.source), destination = swap_bytes(sa.destination);
  const ap_uint<64> begin = ((first, length), (r.identity, flags));
  const ap_uint<64> ends = (source, destination);
  const ap_uint<144> summed = ((begin, ttl_protocol), ends);
  const ap_uint<32> protocol_sum = (ttl_protocol, checksum(summed));
  const ap_uint<160> ip = ((begin, protocol_sum), ends);
  const ap_uint<32> number = swap_bytes<32>(field<32>(r.sequence, 0));
  const ap_uint<128> esp = ((r.iv, number), sa.spi);
  ap_uint<288> header = swap_bytes(ip);
  header.range(287, 160) = esp;
  return header;
}

Check plan_check(const Request& r, const Sa& sa, const Lengths& n) {
  Check check;
  check.open = r.kind == kOpen;
  check.icv_words = sa.icv_words;
  check.payload = n.ciphertext;
  check.room = r.room;
  check.ecn = sa.ecn;
  check.outer_ecn = r.tos.range(1, 0);
  return check;
}

Entry plan_entry(const Context& c, const Lengths& n, const StatusBits& status) {
  const Request& r = c.request;
  const bool good = status == status_bits(Status::ok);
  const ap_uint<16> icv_at = n.ciphertext + kOuterOctets;
  Entry entry;
  entry.seal = r.kind == kSeal && good;
  entry.open = r.kind == kOpen && good;
  entry.crypto = entry.seal || entry.open || r.kind == kInstall || r.kind == kRemove;
  entry.status = status;
  entry.ticket = r.ticket;
  entry.length = n.outer;
  entry.tos = r.tos;
  entry.header = outer_header(r, c.sa, n.outer);
  entry.icv_beat = icv_at >> 6;
  entry.icv_word = icv_at >> 2;
  return entry;
}

}  // namespace

void esp(hls::stream<Context>& contexts, hls::stream<PackPlan>& pack_plans,
         hls::stream<CryptoJob>& crypto_jobs, hls::stream<UnpackPlan>& unpack_plans,
         hls::stream<Check>& checks, hls::stream<Entry>& entries) {
#pragma HLS PIPELINE II = 1
  if (contexts.empty()) return;
  const Context c = contexts.read();
  const Request& r = c.request;
  const Lengths n = lengths_of(r, c.sa);
  const Packed p = packed_form(n.ciphertext);
  const bool packet = r.kind == kSeal || r.kind == kOpen;
  const bool record = r.kind == kInstall || r.kind == kRemove;
  const StatusBits status = packet ? check_lengths(r, n) : r.status;
  const bool good = packet && status == status_bits(Status::ok);

  PackPlan pack_plan =
      record ? plan_record(r.kind == kRemove || !c.sa.valid) : plan_packing(r, p, n);
  if (!good && !record) pack_plan.beats = 0;
  pack_plans.write(pack_plan);
  if (good || record) {
    crypto_jobs.write(record ? record_job(r) : crypto_job(r, c.sa, n.ciphertext));
    Check check = plan_check(r, c.sa, n);
    checks.write(check);
  }
  if (good) unpack_plans.write(plan_unpacking(r, p, n));
  entries.write(plan_entry(c, n, status));
}

}  // namespace espalier
