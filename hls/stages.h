// SPDX-License-Identifier: BSD-2-Clause-Patent
// The stages in packet order, and what passes between them.  docs/packet-walk.md walks a packet
// through them by number.
//
//   ingress   descriptor and IP header: what is to be done, is the packet what it says    RFC 791
//   sa        slot -> security association                                    RFC 4303 3.3.1, 3.4.2
//   esp       lengths, padding, nonce, AAD, outer header: all arithmetic      RFC 4303 2, RFC 4106
//   pack      payload to where the crypto stage wants it; padding and trailer RFC 4303 2.4 to 2.6
//   (crypto)  crypto/
//   unpack    payload to where it stands in the result; trailer read
//   icv       verify; trailer, next header, inner packet                      RFC 4303 3.4.4
//   egress    outer header, ICV, results; nothing unverified passes           RFC 4303 3.3.2, 3.4.4
//
// Control travels beside data: each job has one entry on each control stream, and at least one beat
// on the data stream into pack, so that a stage takes a job's control and its first beat in one
// step and needs no step between packets.
#ifndef ESPALIER_HLS_STAGES_H
#define ESPALIER_HLS_STAGES_H

#include <hls_stream.h>
#include <mem.h>

#include "crypto/crypto.h"
#include "espalier/spec/status.h"
#include "realign.h"
#include "types.h"

namespace espalier {

/// What becomes of a job.  `kAnswer`: nothing but its status.
enum Kind { kAnswer = 0, kSeal = 1, kOpen = 2, kInstall = 3, kRemove = 4 };
using KindBits = ap_uint<3>;

/// A spec::Status, as a number; egress makes the code word.
using StatusBits = ap_uint<5>;
constexpr int status_bits(spec::Status status) {
  return static_cast<int>(status);
}

// --- ingress ------------------------------------------------------------------------------------

/// A job after a look at descriptor and packet.
struct Request {
  KindBits kind;
  StatusBits status;
  ap_uint<16> ticket;
  Slot slot;
  ap_uint<16> generation;
  ap_uint<64> sequence;     ///< The descriptor's.
  ap_uint<32> spi;          ///< Of the packet (open), wire order.
  ap_uint<32> number;       ///< Low half of the sequence number in the packet (open), wire order.
  ap_uint<64> iv;           ///< Wire order.
  ap_uint<16> length;       ///< Octets of the IP packet.
  ap_uint<16> room;         ///< Octets of the destination.
  ap_uint<4> header_words;  ///< Of the IP header before ESP (open).
  ap_uint<16> identity;     ///< Outer header (seal), and the next two.
  ap_uint<1> dont_fragment;
  ap_uint<8> ttl;
  ap_uint<8> tos;          ///< Outer header: to be written (seal), found (open).
  ap_uint<8> pad_length;   ///< Seal.
  ap_uint<8> next_header;  ///< Seal: what the packet is.
  HLS_FIELDS(kind, status, ticket, slot, generation, sequence, spi, number, iv, length, room,
             header_words, identity, dont_fragment, ttl, tos, pad_length, next_header)
};

/// What the engine's own stages need of an SA record.
struct RecordHead {
  ap_uint<160> control;  ///< Its first 20 octets.
  ap_uint<160> header;   ///< First 20 octets of the outer header template.
  HLS_FIELDS(control, header)
};

struct IngressState {
  ap_uint<1> busy;      ///< `job` is one.
  ap_uint<1> has_data;  ///< It comes with beats.
  ap_uint<1> inside;    ///< Some of them were taken,
  ap_uint<1> second;    ///< exactly one.
  Job job;
  ap_uint<160> head;  ///< The first beat's first five words
  ap_uint<96> tail;   ///< and its last three.
};

/// Looks at descriptor and packet: opcode, lengths, IP header (RFC 791 3.1), fragments (RFC 4303
/// 3.4.1); finds ESP header and IV behind an IP header of any length.
/// In: a job, then its beats to `last`.  Out: one request; for an install its record's head; the
/// beats, less a leading one that holds no payload; a job without beats gets a blank one.  II=1.
void ingress(IngressState& s, hls::stream<Job>& jobs, hls::stream<Beat>& in,
             hls::stream<Request>& requests, hls::stream<RecordHead>& records,
             hls::stream<Beat>& payload);

// --- sa -----------------------------------------------------------------------------------------

/// A slot's content: what RFC 4301 4.4.2.1 has of an SA, keys and counters apart.
struct Sa {
  ap_uint<1> valid;
  ap_uint<1> seal;  ///< Outbound.
  ap_uint<1> esn;
  ap_uint<1> ecn;        ///< Tunnel egress follows RFC 6040.
  ap_uint<2> key_size;   ///< KeySize.
  ap_uint<3> icv_words;  ///< 2, 3 or 4.
  ap_uint<16> generation;
  ap_uint<32> spi;  ///< Wire order, as all below.
  ap_uint<32> salt;
  ap_uint<32> source, destination;  ///< Tunnel end points.
  HLS_FIELDS(valid, seal, esn, ecn, key_size, icv_words, generation, spi, salt, source, destination)
};

/// A job and its SA.
struct Context {
  Request request;
  Sa sa;
  HLS_FIELDS(request, sa)
};

struct SaState {
  hls::mem<Sa, kSlots, 3> slots;
  ap_uint<1> wiped;  ///< Every slot was written with zeros after reset.
  Slot wipe;         ///< The next to be.
  ap_uint<1> installing;
  Request install;
};

/// Finds the SA by slot and generation; checks direction, SPI and number (RFC 4303 3.4.2); fills
/// and wipes slots, in order with packets (D6). In: requests; a record's head for each install.
/// Out: one context each.  After reset it wipes all slots and takes nothing for kSlots steps. II=1;
/// an install takes two steps.
void sa(SaState& s, hls::stream<Request>& requests, hls::stream<RecordHead>& records,
        hls::stream<Context>& contexts);

// --- esp ----------------------------------------------------------------------------------------

/// What pack does with a job's beats.
struct PackPlan {
  ap_uint<8> beats;  ///< To be made of them; 0: drop them.
  Shift shift;
  ap_uint<5> head_words;  ///< In the first beat: blank.
  ap_uint<8> data_beats;  ///< Beats before the one in which the data end,
  ap_uint<6> data_end;    ///< and the octets they have in that one.
  ap_uint<5> end_words;   ///< Words of data and trailer in the last beat.
  ap_uint<1> seal;        ///< Padding, pad length and next header follow the data.
  ap_uint<8> pad_base;    ///< Padding octet that octet 0 of the first beat would be.
  ap_uint<8> pad_length;
  ap_uint<8> next_header;
  ap_uint<1> open;  ///< An ICV follows the data.
  HLS_FIELDS(beats, shift, head_words, data_beats, data_end, end_words, seal, pad_base, pad_length,
             next_header, open)
};

/// What unpack does with a packet's beats.
struct UnpackPlan {
  ap_uint<8> beats;  ///< To be made of them.
  Shift shift;
  ap_uint<1> open;
  ap_uint<2> end_words;  ///< Words of payload in the last block, less one.
  HLS_FIELDS(beats, shift, open, end_words)
};

/// What icv needs to know of a job of the crypto stage.
struct Check {
  ap_uint<1> open;
  ap_uint<3> icv_words;
  ap_uint<16> payload;  ///< Octets of ciphertext.
  ap_uint<16> room;     ///< Octets of the destination.
  ap_uint<1> ecn;       ///< RFC 6040 applies,
  ap_uint<2> outer_ecn;
  HLS_FIELDS(open, icv_words, payload, room, ecn, outer_ecn)
};

/// What egress needs to know of a job.
struct Entry {
  ap_uint<1> crypto;  ///< An outcome will come.
  ap_uint<1> seal;    ///< Beats will come, and
  ap_uint<1> open;
  StatusBits status;
  ap_uint<16> ticket;
  ap_uint<16> length;   ///< Of the result (seal).
  ap_uint<8> tos;       ///< Of the outer header (open).
  ap_uint<288> header;  ///< Outer header, ESP header, IV (seal); wire order.
  ap_uint<8> icv_beat;  ///< The beat where the ICV begins (seal),
  ap_uint<4> icv_word;  ///< and its word there.
  HLS_FIELDS(crypto, seal, open, status, ticket, length, tos, header, icv_beat, icv_word)
};

/// Everything that RFC 4303 and RFC 4106 compute before the cipher runs: payload length and
/// alignment (2.4), nonce and AAD (RFC 4106 4, 5), where payload and ICV stand, the outer header
/// (RFC 4301 5.1.2) and its checksum.
/// In: contexts.  Out: to each later stage its plan.  II=1.  No state: every job stands for itself.
void esp(hls::stream<Context>& contexts, hls::stream<PackPlan>& pack_plans,
         hls::stream<CryptoJob>& crypto_jobs, hls::stream<UnpackPlan>& unpack_plans,
         hls::stream<Check>& checks, hls::stream<Entry>& entries);

// --- pack ---------------------------------------------------------------------------------------

struct PackState {
  ap_uint<1> busy;    ///< The packet in `plan` wants more steps.
  ap_uint<1> taking;  ///< Beats of it are to be taken.
  ap_uint<1> due;     ///< A beat of it is to leave in the next step,
  ap_uint<1> first;   ///< its first,
  ap_uint<1> last;    ///< its last.
  ap_uint<8> left;    ///< Beats to come after the one that is due.
  PackPlan plan;
  ap_uint<8> full;      ///< Beats before the one in which the data end, from the due one on.
  ap_uint<1> past;      ///< The data have ended.
  ap_uint<8> pad_base;  ///< Padding octet that octet 0 of the due beat would be.
  RealignState realign;
};

/// Lays the payload as the crypto stage wants it (crypto.h); appends padding 1, 2, 3 ..., pad
/// length and next header (RFC 4303 2.4 to 2.6); sets the received ICV aside (2.8). In: a plan and
/// its first beat together, then beats to `last`.  Out: the plan's number of beats; for an open the
/// ICV.  II=1: max(beats in, beats out) steps per job.  Drops the beats of failed jobs.
void pack(PackState& s, hls::stream<PackPlan>& plans, hls::stream<Beat>& payload,
          hls::stream<Beat>& out, hls::stream<Block>& received_icvs);

// --- unpack -------------------------------------------------------------------------------------

/// What an opened packet says of itself: not to be believed before its ICV is verified.
struct Trailer {
  ap_uint<8> pad_length;
  ap_uint<8> next_header;
  ap_uint<1> padded;  ///< The padding is 1, 2, 3, ..., pad length.
  ap_uint<48> inner;  ///< First octets of the inner packet, wire order.
  HLS_FIELDS(pad_length, next_header, padded, inner)
};

/// The octet before, and how many up to it each are one more than their predecessor.
struct PaddingState {
  ap_uint<8> octet;
  ap_uint<8> run;  ///< At most 255.
};

struct UnpackState {
  ap_uint<1> busy, taking, due, first, last;  ///< As in pack.
  ap_uint<8> left;
  UnpackPlan plan;
  RealignState realign;
  PaddingState padding;
  Trailer trailer;
};

/// Moves the payload to where it stands in the result and leaves room for header and ICV; reads the
/// trailer of opened packets.
/// In: a plan and its first beat together, then beats to `last`.  Out: the plan's number of beats;
/// for an open a trailer.  II=1: max(beats in, beats out) steps per packet.  Drops nothing.
void unpack(UnpackState& s, hls::stream<UnpackPlan>& plans, hls::stream<Beat>& in,
            hls::stream<Beat>& held, hls::stream<Trailer>& trailers);

// --- icv ----------------------------------------------------------------------------------------

/// The verdict on a job of the crypto stage.
struct Outcome {
  StatusBits status;
  ap_uint<16> length;  ///< Of the result (open), 0 unless ok.
  ap_uint<8> next_header;
  ap_uint<1> remark;  ///< The inner ECN becomes
  ap_uint<2> ecn;     ///< this (RFC 6040).
  Block icv;          ///< To be sent (seal), zero beyond the SA's ICV length.
  HLS_FIELDS(status, length, next_header, remark, ecn, icv)
};

struct IcvState {
  ap_uint<1> busy;  ///< `check` is one.
  Check check;
};

/// Verifies the ICV in constant time, then trailer and inner header (RFC
/// 4303 3.4.4, 2.4, 2.6, 2.7). In: a check, its verdict, and for an open received ICV and trailer.
/// Out: one outcome each. II=1.
void icv(IcvState& s, hls::stream<Check>& checks, hls::stream<CryptoVerdict>& verdicts,
         hls::stream<Block>& received_icvs, hls::stream<Trailer>& trailers,
         hls::stream<Outcome>& outcomes);

// --- egress -------------------------------------------------------------------------------------

struct EgressState {
  ap_uint<1> busy;   ///< `entry` is one.
  ap_uint<1> first;  ///< None of its beats has left.
  Entry entry;
  ap_uint<1> known;  ///< `outcome` is one: of `entry`, if that is a job of the crypto stage.
  Outcome outcome;
  ap_uint<8> before_icv;  ///< Beats that may leave before the ICV is known (seal).
  ap_uint<1> in_icv;      ///< The beat before held the ICV's begin.
  ap_uint<8> left;        ///< Beats to send (open).
};

/// Sends results and packets: outer header and ICV of sealed ones (RFC 4303 3.3.2); opened ones
/// only when they are verified, cut to the inner packet (2.7), else their beats are dropped. In: an
/// entry, its outcome, its beats.  Out: one result each, not later than its first beat. II=1: beats
/// in.
void egress(EgressState& s, hls::stream<Entry>& entries, hls::stream<Outcome>& outcomes,
            hls::stream<Beat>& held, hls::stream<Result>& results, hls::stream<Beat>& out);

}  // namespace espalier

#endif
