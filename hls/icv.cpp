// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "ip.h"
#include "stages.h"

namespace espalier {
namespace {

using spec::Status;

constexpr int kTrailer = 2;  // Pad Length, Next Header

enum Ecn { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

Block icv_mask(const ap_uint<3>& words) {
  return spread<32>(first_places<4>(words));
}

/// RFC 4303 2.4, 2.6, 2.7 and RFC 6040 4.2: may the authenticated packet pass?
Status check_inner(const Check& check, const Trailer& t, const InnerHeader& inner) {
  const ap_uint<9> around = t.pad_length + kTrailer;
  const ap_uint<16> payload = check.payload - around;
  const ap_uint<8> named = inner.six ? kProtocolIpv6 : kProtocolIpv4;
  if (around > check.payload || !t.padded) return Status::bad_padding;
  if (t.next_header == kProtocolNone) return Status::dummy;
  if (t.next_header != kProtocolIpv4 && t.next_header != kProtocolIpv6) {
    return Status::bad_next_header;
  }
  if (inner.bad || t.next_header != named || inner.total_length > payload) return Status::bad_inner;
  if (check.ecn && check.outer_ecn == kCe && inner.ecn == kNotEct) return Status::congested;
  if (inner.total_length > check.room) return Status::no_room;
  return Status::ok;
}

/// RFC 6040 figure 4: the inner ECN field after decapsulation.
ap_uint<2> decapsulated_ecn(const ap_uint<2>& inner, const ap_uint<2>& outer) {
  if (inner == kNotEct) return inner;
  if (outer == kCe || (outer == kEct1 && inner == kEct0)) return outer;
  return inner;
}

/// `difference`: of computed and received ICV.  Each bit of it counts alike: constant time.
Outcome opened(const Check& check, const Block& difference, const Trailer& t) {
  const InnerHeader inner = inner_header(t.inner);
  const Status passed = check_inner(check, t, inner);
  const Status status = difference != 0 ? Status::icv_mismatch : passed;
  const bool ok = status == Status::ok;
  const ap_uint<2> ecn = decapsulated_ecn(inner.ecn, check.outer_ecn);
  Outcome o;
  o.status = status_bits(status);
  o.length = ok ? ap_uint<16>(inner.total_length) : ap_uint<16>(0);
  o.next_header = ok ? t.next_header : ap_uint<8>(0);
  o.remark = check.ecn && ecn != inner.ecn;
  o.ecn = ecn;
  o.icv = 0;
  return o;
}

Outcome sealed(const Block& icv) {
  Outcome o;
  o.status = status_bits(Status::ok);
  o.length = 0;
  o.next_header = 0;
  o.remark = 0;
  o.ecn = 0;
  o.icv = icv;
  return o;
}

}  // namespace

void icv(IcvState& s, hls::stream<Check>& checks, hls::stream<CryptoVerdict>& verdicts,
         hls::stream<Block>& received_icvs, hls::stream<Trailer>& trailers,
         hls::stream<Outcome>& outcomes) {
#pragma HLS PIPELINE II = 1
  const bool open = s.check.open;
  const bool told = !open || (!received_icvs.empty() && !trailers.empty());
  const bool proceed = s.busy && !verdicts.empty() && told;
  if (proceed) {
    const Block computed = verdicts.read().tag & icv_mask(s.check.icv_words);
    if (open) {
      const Block received = received_icvs.read() & icv_mask(s.check.icv_words);
      outcomes.write(opened(s.check, computed ^ received, trailers.read()));
    } else {
      outcomes.write(sealed(computed));
    }
  }
  if (proceed || !s.busy) {
    s.busy = !checks.empty();
    if (!checks.empty()) s.check = checks.read();
  }
}

}  // namespace espalier
