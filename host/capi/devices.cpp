// SPDX-License-Identifier: BSD-2-Clause-Patent
// Devices, and what numbers mean.
#include <new>
#include <numeric>

#include "capi/handle.hpp"
#include "espalier/metrics.hpp"

namespace capi = espalier::capi;

namespace {

constexpr std::size_t kOldestCounters = offsetof(espalier_device_counters, staged);

static_assert(std::string_view(ESPALIER_METRICS_CONTENT_TYPE) == espalier::kMetricsContentType);

}  // namespace

extern "C" {

const char* espalier_status_name(uint8_t status) {
  return status < espalier::spec::kStatusCount ? espalier::spec::kStatuses[status].name : "unknown";
}
const char* espalier_drop_name(uint8_t drop) {
  return drop < espalier::spec::kDropCount ? espalier::spec::kDrops[drop].name : "unknown";
}
const char* espalier_refusal_name(uint8_t refusal) {
  return refusal < espalier::kRefusalCount ? espalier::name(static_cast<espalier::Refusal>(refusal))
                                           : "unknown";
}
const char* espalier_device_name(const espalier_context* context, uint8_t device) {
  if (device >= espalier_device_count(context)) return "none";
  return context->l1->devices()[device]->capabilities().name.data();
}

uint32_t espalier_device_count(const espalier_context* context) {
  return context == nullptr ? 0 : static_cast<uint32_t>(context->l1->devices().size());
}

int espalier_device_statistics(const espalier_context* context, uint32_t device,
                               espalier_device_counters* statistics) {
  if (context == nullptr) return -EINVAL;
  if (device >= espalier_device_count(context)) return -ENOENT;
  const espalier::DeviceCounters counters = context->l1->counters(device);
  const espalier::DeviceState state = context->l1->device_state(device);
  struct espalier_device_counters out {};
  out.health = static_cast<uint32_t>(state.health);
  out.priority = context->l1->devices()[device]->capabilities().priority;
  out.taken = counters.taken;
  out.failed = counters.failed;
  out.refused =
      std::accumulate(std::begin(counters.refusals), std::end(counters.refusals), std::uint64_t{0});
  out.verified = counters.verified;
  out.mismatches = counters.mismatches;
  out.quarantines = state.quarantines;
  out.staged = context->l1->devices()[device]->staged_jobs();
  return capi::write_struct(out, kOldestCounters, statistics);
}

int64_t espalier_metrics(const espalier_context* context, char* text, size_t size) {
  if (context == nullptr || (text == nullptr && size != 0)) return -EINVAL;
  try {
    const std::string all = espalier::metrics(*context->l1);
    capi::write_text(all, text, size);
    return static_cast<int64_t>(all.size());
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
}

}  // extern "C"
