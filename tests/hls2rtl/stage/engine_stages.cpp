// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The stages of the packet engine, natively: one line each.
#include "crypto/gcm.h"
#include "native.hpp"
#include "stages.h"

namespace {

using namespace espalier;

/// Few slots, so that what one element stores another reads again.
template <class Element>
void few_slots(unsigned stream, stagecheck::Words& element) {
  if (stream != 0) return;
  Element x = stagecheck::fromWords<Element>(element);
  x.slot &= 3;
  element = stagecheck::toWords(x);
}

}  // namespace

ESPALIER_NATIVE_STAGES(
    ESPALIER_STAGE("ingress", espalier::ingress, "jobs in requests records payload"),
    ESPALIER_STAGE("sa", espalier::sa, "requests records contexts").narrowed(few_slots<Request>),
    ESPALIER_STAGE("esp", espalier::esp,
                   "contexts pack_plans crypto_jobs unpack_plans checks entries"),
    ESPALIER_STAGE("pack", espalier::pack, "plans payload out received_icvs"),
    ESPALIER_STAGE("gcm_frame", espalier::gcm_frame, "jobs in counters framed"),
    ESPALIER_STAGE("aes_keystream", espalier::aes_keystream, "in keystream")
        .narrowed(few_slots<CounterBlock>),
    ESPALIER_STAGE("gctr", espalier::gctr, "framed keystream out hashed"),
    ESPALIER_STAGE("ghash", espalier::ghash, "in verdicts").narrowed(few_slots<HashBeat>),
    ESPALIER_STAGE("unpack", espalier::unpack, "plans in held trailers"),
    ESPALIER_STAGE("icv", espalier::icv, "checks verdicts received_icvs trailers outcomes"),
    ESPALIER_STAGE("egress", espalier::egress, "entries outcomes held results out"))
