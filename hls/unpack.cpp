// SPDX-License-Identifier: BSD-2-Clause-Patent
// A packed packet ends in lane 2 of its last beat (crypto.h).  With w = end_words its last octet,
// Next Header, is octet 35 + 4 w, Pad Length stands before it, the last octet of padding at 33 + 4
// w.
#include "stages.h"

namespace espalier {
namespace {

constexpr int kOctets = kBeatBits / 8;

/// How many of the highest bits are ones without a gap.
template <int N>
struct Ones {
  static ap_uint<7> leading(const ap_uint<N>& x) {
    const ap_uint<N / 2> high = x.range(N - 1, N / 2), low = x.range(N / 2 - 1, 0);
    const ap_uint<7> beyond = N / 2 + Ones<N / 2>::leading(low);
    return high.and_reduce() ? beyond : Ones<N / 2>::leading(high);
  }
};
template <>
struct Ones<1> {
  static ap_uint<7> leading(const ap_uint<1>& x) { return x; }
};

/// Per octet: is it one more than its predecessor?
ap_uint<kOctets> steps(const BeatData& data, const ap_uint<8>& before) {
  const ap_uint<8 * (kOctets + 1)> row = (data, before);
  ap_uint<kOctets> step = 0;
  for (int i = 0; i < kOctets; ++i) {
    step[i] = field<8>(row, 8 * i + 8) == ap_uint<8>(field<8>(row, 8 * i) + 1);
  }
  return step;
}

/// Follows the octets' rise through a beat, in the last beat up to the last octet of padding.
ap_uint<8> rise(const PaddingState& s, const Beat& beat, const ap_uint<2>& end_words) {
  const ap_uint<kOctets> step = steps(beat.data, s.octet);
  const ap_uint<kOctets> to_end =
      choose<kOctets>(end_words, step << 30, step << 26, step << 22, step << 18);
  const ap_uint<7> octets = beat.last ? ap_uint<7>(34 + 4 * end_words) : ap_uint<7>(kOctets);
  const ap_uint<7> run = Ones<kOctets>::leading(beat.last ? to_end : step);
  const ap_uint<9> longer = s.run + octets;
  const ap_uint<8> bounded = longer[8] ? ap_uint<8>(255) : ap_uint<8>(longer);
  return run == octets ? bounded : ap_uint<8>(run);
}

/// The trailer at the end of a last beat (RFC 4303 2.4 to 2.6); `run` as rise() left it.
void read_trailer(const BeatData& data, const ap_uint<2>& end_words, const ap_uint<8>& run,
                  Trailer& trailer) {
  const ap_uint<24> end = choose<24>(end_words, field<24>(data, 8 * 33), field<24>(data, 8 * 37),
                                     field<24>(data, 8 * 41), field<24>(data, 8 * 45));
  const ap_uint<8> pad_length = field<8>(end, 8);
  trailer.pad_length = pad_length;
  trailer.next_header = field<8>(end, 16);
  trailer.padded = pad_length == 0 || (field<8>(end, 0) == pad_length && run + 1 >= pad_length);
}

}  // namespace

void unpack(UnpackState& s, hls::stream<UnpackPlan>& plans, hls::stream<Beat>& in,
            hls::stream<Beat>& held, hls::stream<Trailer>& trailers) {
#pragma HLS PIPELINE II = 1
  const bool ready = !in.empty();
  const bool start = !s.busy && ready && !plans.empty();
  const bool take = start || (s.busy && s.taking && ready);
  const bool fill = s.busy && !s.taking;
  const bool flush = !s.busy && !start && s.due;
  if (!take && !fill && !flush) return;

  UnpackPlan plan = s.plan;
  if (start) plan = plans.read();
  Beat beat;
  beat.data = 0;
  beat.last = 0;
  if (take) beat = in.read();
  const BeatData turned = turn(beat.data, plan.shift.turn);

  if (s.due) {
    Beat due;
    due.data = realigned(s.realign, s.plan.shift, start ? BeatData(0) : turned);
    due.last = s.last;
    held.write(due);
    if (s.first) s.trailer.inner = field<48>(due.data, 0);
    if (s.last && s.plan.open) trailers.write(s.trailer);
  }
  if (take) {
    s.padding.run = rise(s.padding, beat, plan.end_words);
    s.padding.octet = field<8>(beat.data, kBeatBits - 8);
    if (beat.last) read_trailer(beat.data, plan.end_words, s.padding.run, s.trailer);
  }

  realign(s.realign, turned, start);
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
