// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "stages.h"

namespace espalier {
namespace {

constexpr int kOctets = kBeatBits / 8;
constexpr int kFirstEnd = 9;  // the last block is lane 2: end_words is 9..12

using OctetMask = ap_uint<kOctets>;

/// The octets of the due beat that stand before the data's end.
OctetMask octets_before_end(const PackState& s) {
  const OctetMask none = 0, all = ~none;
  const OctetMask reached = s.full != 0 ? all : first_places<kOctets>(s.plan.data_end);
  return s.past ? none : reached;
}

/// 1, 2, 3, ... where the padding is (RFC 4303 2.4); anything elsewhere.
BeatData padding_octets(const ap_uint<8>& base) {
  BeatData octets = 0;
  for (int i = 0; i < kOctets; ++i) octets.range(8 * i + 7, 8 * i) = ap_uint<8>(base + i);
  return octets;
}

/// `trailer` where Pad Length and Next Header stand in a last beat.
BeatData at_trailer(const ap_uint<5>& end_words, const ap_uint<16>& trailer) {
  BeatData octets = 0;
  for (int end = kFirstEnd; end < kFirstEnd + 4; ++end) {
    if (end_words == end) octets.range(32 * end - 1, 32 * end - 16) = trailer;
  }
  return octets;
}

/// The due beat; `source`: the source's octets at their place in it.
BeatData packed(const PackState& s, const BeatData& source) {
  const PackPlan& plan = s.plan;
  const BeatData head =
      s.first ? spread<32>(first_places<kBeatWords>(plan.head_words)) : BeatData(0);
  const BeatData before_end = spread<8>(octets_before_end(s));
  const BeatData padding = plan.seal ? padding_octets(s.pad_base) : BeatData(0);
  const BeatData body = (source & before_end & ~head) | (padding & ~before_end);

  const BeatData inside = spread<32>(first_places<kBeatWords>(plan.end_words));
  const ap_uint<16> trailer = (plan.next_header, plan.pad_length);
  const BeatData cut = s.last ? BeatData(body & inside) : body;
  const BeatData place = at_trailer(plan.end_words, 0xffff);
  return s.last && plan.seal ? BeatData((cut & ~place) | at_trailer(plan.end_words, trailer)) : cut;
}

/// The 16 octets behind the payload in the last beat: the ICV, and what follows a shorter one.
Block octets_behind(const BeatData& source, const ap_uint<5>& end_words) {
  const ap_uint<2> which = end_words - kFirstEnd;
  return choose<kBlockBits>(which, field<kBlockBits>(source, 32 * kFirstEnd),
                            field<kBlockBits>(source, 32 * (kFirstEnd + 1)),
                            field<kBlockBits>(source, 32 * (kFirstEnd + 2)),
                            field<kBlockBits>(source, 32 * (kFirstEnd + 3)));
}

}  // namespace

void pack(PackState& s, hls::stream<PackPlan>& plans, hls::stream<Beat>& payload,
          hls::stream<Beat>& out, hls::stream<Block>& received_icvs) {
#pragma HLS PIPELINE II = 1
  const bool ready = !payload.empty();
  const bool start = !s.busy && ready && !plans.empty();
  const bool take = start || (s.busy && s.taking && ready);
  const bool fill = s.busy && !s.taking;
  const bool flush = !s.busy && !start && s.due;
  if (!take && !fill && !flush) return;

  PackPlan plan = s.plan;
  if (start) plan = plans.read();
  Beat beat;
  beat.data = 0;
  beat.last = 0;
  if (take) beat = payload.read();
  const BeatData turned = turn(beat.data, plan.shift.turn);

  if (s.due) {
    const BeatData source = realigned(s.realign, s.plan.shift, turned);
    Beat packed_beat;
    packed_beat.data = packed(s, source);
    packed_beat.last = s.last;
    out.write(packed_beat);
    if (s.last && s.plan.open) received_icvs.write(octets_behind(source, s.plan.end_words));
  }

  realign(s.realign, turned, start);
  s.past = !start && (s.past || s.full == 0);
  s.full = start ? plan.data_beats : ap_uint<8>(s.full - 1);
  s.pad_base = start ? plan.pad_base : ap_uint<8>(s.pad_base + kOctets);
  const ap_uint<8> left = start ? plan.beats : s.left;
  s.due = !flush && left != 0;
  s.first = start;
  s.last = left == 1;
  s.left = left == 0 ? ap_uint<8>(0) : ap_uint<8>(left - 1);
  s.taking = take && !beat.last;
  s.busy = !flush && (s.taking || left > 1);
  s.plan = plan;
}

}  // namespace espalier
