// SPDX-License-Identifier: BSD-2-Clause-Patent
// `entry` stays until its job is done, and the next one is read in that very step; likewise
// `outcome`. A packet that failed is dropped by reading its beats away: as many steps as it took to
// get here.
#include "ip.h"
#include "stages.h"

namespace espalier {
namespace {

using spec::Status;

constexpr int kOctets = kBeatBits / 8;

/// The ICV at word `at` of a beat, going on at word 0 of the next: both beats in one.
BeatData around(const Block& icv, const ap_uint<4>& at) {
  return turn(BeatData(icv), at);
}

/// One's complement sum.
ap_uint<16> add(const ap_uint<16>& a, const ap_uint<16>& b) {
  const ap_uint<17> sum = a + b;
  return field<16>(sum, 0) + field<1>(sum, 16);
}

/// Sets the ECN field of the IPv6 header that begins the beat.
BeatData remarked_six(const BeatData& data, const ap_uint<2>& ecn) {
  BeatData result = data;
  result.range(13, 12) = ecn;
  return result;
}

/// Sets the ECN field of the IPv4 header that begins the beat, and mends its checksum (RFC 1624).
BeatData remarked_four(const BeatData& data, const ap_uint<2>& ecn) {
  const ap_uint<16> before = swap_bytes<16>(field<16>(data, 0));
  const ap_uint<16> after = (field<14>(before, 2), ecn);
  const ap_uint<16> checksum = swap_bytes<16>(field<16>(data, 80));
  const ap_uint<16> mended = ~add(~checksum, add(~before, after));
  BeatData result = data;
  result.range(15, 0) = swap_bytes(after);
  result.range(95, 80) = swap_bytes(mended);
  return result;
}

/// A beat of a sealed packet: outer header in the first, ICV in the last one or two.
BeatData sealed(const EgressState& s, const BeatData& payload, bool icv_begins) {
  const BeatData head = s.entry.header;
  const BeatData tail = around(s.outcome.icv, s.entry.icv_word);
  const BeatData before_icv = spread<32>(first_places<kBeatWords>(s.entry.icv_word));
  BeatData beat = payload;
  if (s.first) beat |= head;
  if (icv_begins) beat |= tail & ~before_icv;
  if (s.in_icv) beat |= tail & before_icv;
  return beat;
}

/// A beat of an opened packet: nothing behind its end.
BeatData opened(const EgressState& s, const BeatData& payload, bool last) {
  const ap_uint<6> rest = s.outcome.length;
  const BeatData inside = spread<8>(first_places<kOctets>(rest));
  BeatData beat = payload;
  if (s.first && s.outcome.remark) {
    beat = s.outcome.next_header == kProtocolIpv6 ? remarked_six(payload, s.outcome.ecn)
                                                  : remarked_four(payload, s.outcome.ecn);
  }
  return last && rest != 0 ? BeatData(beat & inside) : beat;
}

/// RM(1,4) code word of a status (spec/status.h).
ap_uint<16> code_word(const StatusBits& status) {
  ap_uint<16> word = spec::rm14(0);
  for (int bit = 0; bit < 5; ++bit) {
    if (status[bit]) word ^= ap_uint<16>(spec::rm14(1u << bit) ^ spec::rm14(0));
  }
  return word;
}

Result result_of(const EgressState& s) {
  const StatusBits ok = status_bits(Status::ok);
  const StatusBits status = s.entry.open ? s.outcome.status : s.entry.status;
  const bool open = s.entry.open && status == ok;
  Result r;
  r.ticket = s.entry.ticket;
  r.status = code_word(status);
  r.length = open ? s.outcome.length : s.entry.seal ? s.entry.length : ap_uint<16>(0);
  r.next_header = open ? s.outcome.next_header : ap_uint<8>(s.entry.seal ? kProtocolEsp : 0);
  r.tos = open ? s.entry.tos : ap_uint<8>(0);
  return r;
}

}  // namespace

void egress(EgressState& s, hls::stream<Entry>& entries, hls::stream<Outcome>& outcomes,
            hls::stream<Beat>& held, hls::stream<Result>& results, hls::stream<Beat>& out) {
#pragma HLS PIPELINE II = 1
  const bool packet = s.entry.seal || s.entry.open;
  const bool early = !s.entry.crypto || (s.entry.seal && s.before_icv != 0);
  const bool proceed = s.busy && (early || s.known) && (!packet || !held.empty());
  bool done = proceed;
  if (proceed) {
    Beat beat;
    beat.data = 0;
    beat.last = 1;
    if (packet) beat = held.read();
    done = beat.last;

    const bool icv_begins = s.before_icv == 0 && !s.in_icv;
    const ap_uint<8> left = s.first ? ap_uint<8>((s.outcome.length + 63) >> 6) : s.left;
    Beat sent;
    sent.data = s.entry.seal ? sealed(s, beat.data, icv_begins) : opened(s, beat.data, left == 1);
    sent.last = s.entry.seal ? beat.last : ap_uint<1>(left == 1);
    if (s.entry.seal || (s.entry.open && left != 0)) out.write(sent);
    if (s.first) results.write(result_of(s));

    s.first = 0;
    s.in_icv = icv_begins;
    if (s.before_icv != 0) s.before_icv = s.before_icv - 1;
    s.left = left == 0 ? left : ap_uint<8>(left - 1);
  }
  if (!s.known || (done && s.entry.crypto)) {
    s.known = !outcomes.empty();
    if (!outcomes.empty()) s.outcome = outcomes.read();
  }
  if (!s.busy || done) {
    s.busy = !entries.empty();
    s.first = 1;
    s.in_icv = 0;
    if (!entries.empty()) {
      s.entry = entries.read();
      s.before_icv = s.entry.icv_beat;
    }
  }
}

}  // namespace espalier
