// SPDX-License-Identifier: BSD-2-Clause-Patent
// The job's descriptor stays in `job` until its last beat is taken; the next one is read in that
// very step.  ESP header and IV lie within the first 76 octets, behind 20 to 60 octets of IP
// header: behind a long one they reach into the second beat, and the request waits for that.
#include "bytes.h"
#include "espalier/spec/descriptor.h"
#include "espalier/spec/sa_record.h"
#include "ip.h"
#include "stages.h"

namespace espalier {
namespace {

using spec::Opcode;
using spec::Status;
using D = spec::DescriptorBits;

constexpr int kWindowWords = 20;         // the longest IP header and ESP header with IV: 19
constexpr int kOneBeatHeaderWords = 12;  // with ESP header and IV it ends with the first beat

using Window = ap_uint<32 * kWindowWords>;  // the packet's first octets

bool is(const ap_uint<8>& opcode, Opcode which) {
  return opcode == static_cast<int>(which);
}

ap_uint<8> opcode_of(const Job& job) {
  return field<8>(job.descriptor, D::opcode_lsb);
}
ap_uint<16> source_length_of(const Job& job) {
  return field<16>(job.descriptor, D::source_length_lsb);
}
ap_uint<8> header_words_of(const Job& job) {
  return field<8>(job.descriptor, D::header_words_lsb);
}

bool comes_with_data(const Job& job) {
  const ap_uint<8> opcode = opcode_of(job);
  const bool packet = is(opcode, Opcode::seal) || is(opcode, Opcode::open);
  return is(opcode, Opcode::install) || (packet && source_length_of(job) != 0);
}

bool slot_exists(const Job& job) {
  return field<16>(job.descriptor, D::slot_lsb) < kSlots;
}

bool is_install(const Job& job) {
  return is(opcode_of(job), Opcode::install) && slot_exists(job) &&
         source_length_of(job) == spec::kSaRecordBytes;
}

bool has_long_header(const Job& job) {
  return is(opcode_of(job), Opcode::open) && header_words_of(job) > kOneBeatHeaderWords;
}

/// The octets ESP header and IV, which begin at word 5..15 of the window.
ap_uint<128> esp_header(const Window& window, const ap_uint<4>& word) {
  ap_uint<128> found = 0;
  for (int at = 5; at < 16; ++at) {
    if (word == at) found |= field<128>(window, 32 * at);
  }
  return found;
}

/// RFC 791 3.1 and RFC 4303 3.4.1: may the packet be opened?
Status check_outer(const Job& job, const Window& window) {
  const ap_uint<16> source_length = source_length_of(job);
  const ap_uint<8> header_words = header_words_of(job);
  const ap_uint<4> version = window.range(7, 4), ihl = window.range(3, 0);
  const ap_uint<16> total_length = swap_bytes<16>(field<16>(window, 16));
  const ap_uint<16> fragment = swap_bytes<16>(field<16>(window, 48));
  const bool malformed = source_length < kShortestIp || version != 4 || ihl < 5 ||
                         header_words != ihl || total_length > source_length ||
                         (total_length >> 2) < ihl || field<8>(window, 72) != kProtocolEsp;
  if (source_length > kMaxPacket) return Status::too_long;
  if (malformed) return Status::bad_header;
  if ((fragment & 0x3fff) != 0) return Status::fragment;
  if (total_length < ap_uint<7>(4 * ihl + 8)) return Status::bad_length;
  return Status::ok;
}

/// What a packet to be sealed is; none at all makes a dummy packet (RFC 4303 2.6).
ap_uint<8> next_header(const Job& job, const Window& window) {
  if (source_length_of(job) == 0) return kProtocolNone;
  return inner_header(field<48>(window, 0)).six ? kProtocolIpv6 : kProtocolIpv4;
}

/// Is the packet a whole one, to be sealed in tunnel mode and without TFC padding?
Status check_clear(const Job& job, const Window& window) {
  const ap_uint<16> source_length = source_length_of(job);
  const bool other_mode =
      header_words_of(job) != 0 || field<16>(job.descriptor, D::tfc_length_lsb) != 0;
  const InnerHeader inner = inner_header(field<48>(window, 0));
  if (source_length > kMaxPacket) return Status::too_long;
  if (other_mode) return Status::unsupported;
  if (source_length == 0) return Status::ok;
  if (source_length < kShortestIp || inner.bad || inner.total_length != source_length) {
    return Status::bad_header;
  }
  return Status::ok;
}

void decide(const Job& job, const Window& window, Request& r) {
  const ap_uint<8> opcode = opcode_of(job);
  Kind kind = kAnswer;
  Status status = Status::bad_descriptor;
  if (is(opcode, Opcode::nop)) {
    status = Status::ok;
  } else if (is(opcode, Opcode::seal)) {
    kind = kSeal;
    status = slot_exists(job) ? check_clear(job, window) : Status::sa_gone;
  } else if (is(opcode, Opcode::open)) {
    kind = kOpen;
    status = slot_exists(job) ? check_outer(job, window) : Status::sa_gone;
  } else if (is_install(job)) {
    kind = kInstall;
    status = Status::ok;
  } else if (is(opcode, Opcode::remove) && slot_exists(job)) {
    kind = kRemove;
    status = Status::ok;
  }
  r.kind = kind;
  r.status = status_bits(status);
}

Request request_of(const Job& job, const Window& window) {
  const BeatData& d = job.descriptor;
  const bool open = is(opcode_of(job), Opcode::open);
  const ap_uint<128> esp = esp_header(window, header_words_of(job));
  Request r;
  decide(job, window, r);
  r.ticket = job.ticket;
  r.slot = field<kSlotBits>(d, D::slot_lsb);
  r.generation = field<16>(d, D::generation_lsb);
  r.sequence = field<64>(d, D::sequence_number_lsb);
  r.spi = field<32>(esp, 0);
  r.number = field<32>(esp, 32);
  r.iv = open ? field<64>(esp, 64) : field<64>(d, D::iv_lsb);
  r.length = open ? swap_bytes<16>(field<16>(window, 16)) : source_length_of(job);
  r.room = field<16>(d, D::destination_length_lsb);
  r.header_words = header_words_of(job);
  r.identity = field<16>(d, D::identity_lsb);
  r.dont_fragment = (field<8>(d, D::flags_lsb) & spec::kFlagDontFragment) != 0;
  r.ttl = field<8>(d, D::ttl_lsb);
  r.tos = open ? field<8>(window, 8) : field<8>(d, D::tos_lsb);
  r.next_header = next_header(job, window);
  r.pad_length = field<8>(d, D::pad_length_lsb);
  return r;
}

/// The packet's first octets: of this beat, and of the one before it if that was the first.
Window window_of(const IngressState& s, const BeatData& beat) {
  Window window = beat;
  if (s.second) {
    window.range(159, 0) = s.head;
    window.range(511, 416) = s.tail;
    window.range(639, 512) = beat.range(127, 0);
  }
  return window;
}

}  // namespace

void ingress(IngressState& s, hls::stream<Job>& jobs, hls::stream<Beat>& in,
             hls::stream<Request>& requests, hls::stream<RecordHead>& records,
             hls::stream<Beat>& payload) {
#pragma HLS PIPELINE II = 1
  const bool proceed = s.busy && (!s.has_data || !in.empty());
  if (proceed) {
    Beat beat;
    beat.data = 0;
    beat.last = 1;
    if (s.has_data) beat = in.read();

    const bool first = !s.inside;
    const bool wait = first && !beat.last && has_long_header(s.job);
    if ((first && !wait) || (s.second && has_long_header(s.job))) {
      requests.write(request_of(s.job, window_of(s, beat.data)));
    }
    if (s.second && is_install(s.job)) {
      RecordHead head;
      head.control = s.head;
      head.header = field<160>(beat.data, 0);
      records.write(head);
    }
    // The payload begins at octet 64 or later: pack is spared a beat without any.
    const bool leading = is(opcode_of(s.job), Opcode::open) && first && !beat.last &&
                         header_words_of(s.job) >= kOneBeatHeaderWords;
    if (!leading) payload.write(beat);

    s.head = field<160>(beat.data, 0);
    s.tail = field<96>(beat.data, 416);
    s.second = first && !beat.last;
    s.inside = !beat.last;
  }
  const bool done = proceed && !s.inside;
  if (done || !s.busy) {
    s.busy = !jobs.empty();
    if (!jobs.empty()) {
      s.job = jobs.read();
      s.has_data = comes_with_data(s.job);
    }
  }
}

}  // namespace espalier
