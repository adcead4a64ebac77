// SPDX-License-Identifier: BSD-2-Clause-Patent
// The whole host/card boundary, and its fingerprint.
#ifndef ESPALIER_SPEC_SPEC_H
#define ESPALIER_SPEC_SPEC_H

#include "espalier/spec/descriptor.h"
#include "espalier/spec/drop.h"
#include "espalier/spec/registers.h"
#include "espalier/spec/sa_record.h"
#include "espalier/spec/status.h"

namespace espalier {
namespace spec {

constexpr std::uint64_t layout_hash() {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  hash = hash_fields("Descriptor", Descriptor_table::fields, hash);
  hash = hash_fields("Continuation", Continuation_table::fields, hash);
  hash = hash_fields("Completion", Completion_table::fields, hash);
  hash = hash_fields("SaRecord", SaRecord_table::fields, hash);
  for (const Register& r : kRegisters) hash = fnv1a(r.offset, fnv1a(r.name, hash));
  for (const Register& r : kQueueRegisters) hash = fnv1a(r.offset, fnv1a(r.name, hash));
  for (const StatusInfo& s : kStatuses) hash = fnv1a(status_code(s.status), fnv1a(s.name, hash));
  return hash;
}

/// Fingerprint of the boundary; a card answers with it in layout_hash_lo/hi.
constexpr std::uint64_t kLayoutHash = layout_hash();

}  // namespace spec
}  // namespace espalier

#endif
