// SPDX-License-Identifier: BSD-2-Clause-Patent
// What a simulated card is connected to, and what goes wrong on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace espalier::sim {

/// Cycles a link is busy with a job: upstream, to the host, and downstream.
struct LinkLoad {
  double up = 0, down = 0;
};

/// The link between the card's AXI masters and host memory.  Bytes and kernel clock cycles.
///
/// `ideal`: each master reads and writes 64 bytes every cycle.  `pcie3x16`: both masters share one
/// link, each direction `bytes_per_cycle` wide.  Upstream go write TLPs and read requests,
/// downstream read completions; each TLP costs its overhead beside its payload.
struct LinkProfile {
  std::string name = "ideal";
  unsigned latency = 300;           ///< From request to first data, from last data to response.
  double bytes_per_cycle = 0;       ///< Each direction; 0: not limited.
  unsigned max_payload = 256;       ///< MPS: payload of a write or completion TLP.
  unsigned max_read_request = 512;  ///< MRRS: what one read request may ask for.
  unsigned write_overhead = 24;     ///< Framing 2+4, sequence 2, header 16 (64-bit address).
  unsigned request_overhead = 24;
  unsigned completion_overhead = 20;  ///< Header of 12.

  static LinkProfile ideal() { return {}; }
  /// 15.75 GB/s each way at a kernel clock of 300 MHz: 52.5 bytes per cycle.
  static LinkProfile pcie3x16() {
    LinkProfile link;
    link.name = "pcie3x16";
    link.bytes_per_cycle = 52.5;
    return link;
  }

  /// What a job needs of the link at least, in a long run of equal jobs in aligned buffers, with
  /// descriptors fetched 8 and completions written 4 at a time: no run is faster than the busier
  /// direction.
  LinkLoad load_of(unsigned source_bytes, unsigned result_bytes) const;
};

/// What may go wrong.  Probabilities are per event, 0 to 1; 0 is off.
struct Faults {
  double stall = 0;  ///< Per cycle and channel: ready stays low.
  double delay = 0;  ///< Per burst: `delay_cycles` later.
  unsigned delay_cycles = 500;
  bool reorder = false;           ///< Reads of different IDs answer in any order, interleaved.
  double read_error = 0;          ///< Per payload burst: SLVERR.
  double write_error = 0;         ///< Per payload burst: SLVERR, nothing written.
  bool torn_writes = false;       ///< A write lands in pieces of 8 bytes, in any order.
  bool reordered_writes = false;  ///< Writes land in any order; each before its response.
  double completion_flip = 0;     ///< Per ring write: one bit flipped.
  double payload_flip = 0;        ///< Per payload write: one bit flipped, unnoticed.
  double lost_doorbell = 0;       ///< Per doorbell write: it never arrives.
  double late_write = 0;          ///< Per payload burst: lands `late_cycles` later.
  unsigned late_cycles = 60000;
  std::uint64_t hang_at = 0;          ///< From this cycle on no request is taken; 0: never.
  std::uint64_t hang_cycles = ~0ull;  ///< For how long.
  std::uint64_t reset_at = 0;  ///< In this cycle somebody else soft-resets the card; 0: never.
};

struct CardOptions {
  LinkProfile link = LinkProfile::ideal();
  Faults faults;
  std::uint64_t seed = 1;
  std::size_t memory_bytes = 64u << 20;  ///< Host memory the card reaches.
  std::string waves;                     ///< FST file to write; needs a build with ESPALIER_WAVES.
};

}  // namespace espalier::sim
