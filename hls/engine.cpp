// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "engine.h"

namespace espalier {

void engine(Engine& e, hls::stream<Job>& jobs, hls::stream<Beat>& in, hls::stream<Result>& results,
            hls::stream<Beat>& out) {
#pragma HLS DATAFLOW
  ingress(e.ingress, jobs, in, e.requests, e.records, e.payload);
  sa(e.sa, e.requests, e.records, e.contexts);
  esp(e.contexts, e.pack_plans, e.crypto_jobs, e.unpack_plans, e.checks, e.entries);
  pack(e.pack, e.pack_plans, e.payload, e.packed, e.received_icvs);
  gcm(e.gcm, e.crypto_jobs, e.packed, e.crypted, e.verdicts);
  unpack(e.unpack, e.unpack_plans, e.crypted, e.held, e.trailers);
  icv(e.icv, e.checks, e.verdicts, e.received_icvs, e.trailers, e.outcomes);
  egress(e.egress, e.entries, e.outcomes, e.held, results, out);
}

}  // namespace espalier
