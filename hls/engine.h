// SPDX-License-Identifier: BSD-2-Clause-Patent
// The packet engine: one dataflow function of four AXI4-Stream-like ports (docs/architecture.md).
#ifndef ESPALIER_HLS_ENGINE_H
#define ESPALIER_HLS_ENGINE_H

#include "crypto/gcm.h"
#include "stages.h"

namespace espalier {

/// Beats that may wait for a verdict: while one packet of kMaxPacket octets leaves, another one may
/// come in, and a verdict takes less than 64 steps.
constexpr int kHeldBeats = 512;
/// Jobs whose results may wait for a long packet to leave.
constexpr int kPacketsHeld = 128;
constexpr int kVerdictsHeld = 64;

/// Everything that has a state, and the streams between.  Reset: registers zero; every SA slot is
/// then wiped before a job is taken.
struct Engine {
  IngressState ingress;
  SaState sa;
  PackState pack;
  Gcm gcm;
  UnpackState unpack;
  IcvState icv;
  EgressState egress;

  hls::stream<Request> requests;
  hls::stream<RecordHead> records;
  hls::stream<Beat> payload;
  hls::stream<Context> contexts;
  hls::stream<PackPlan> pack_plans;
  hls::stream<CryptoJob> crypto_jobs;
  hls::stream<UnpackPlan> unpack_plans;
  hls::stream<Check> checks;
  hls::stream<Entry, kPacketsHeld> entries;
  hls::stream<Beat> packed;
  hls::stream<Block> received_icvs;
  hls::stream<Beat> crypted;
  hls::stream<CryptoVerdict> verdicts;
  hls::stream<Trailer> trailers;
  hls::stream<Beat, kHeldBeats> held;  ///< The hold buffer (D3).
  hls::stream<Outcome, kVerdictsHeld> outcomes;
};

/// One clock.  Threads: an Engine belongs to one.
void engine(Engine& e, hls::stream<Job>& jobs, hls::stream<Beat>& in, hls::stream<Result>& results,
            hls::stream<Beat>& out);

}  // namespace espalier

#endif
