// SPDX-License-Identifier: BSD-2-Clause-Patent
// Contexts, time, events, memory.
#include <limits>
#include <new>
#include <sstream>
#include <string>

#include "capi/handle.hpp"
#include "espalier/devices.hpp"

namespace capi = espalier::capi;
using espalier::Result;

namespace {

using Devices = std::vector<std::unique_ptr<espalier::driver::Device>>;

/// Through batch_age_ns.
constexpr std::size_t kOldestOptions = offsetof(espalier_context_options, audit_events_per_second);

Result<Devices> open_devices(const espalier_context_options& options,
                             const espalier::DeviceOptions& device_options) {
  Devices out;
  std::stringstream names(options.devices != nullptr ? options.devices : "auto");
  bool software = false;
  const auto add = [&](const std::string& name) -> std::string {
    auto device = espalier::open_device(name, device_options);
    if (!device) return device.error();
    software = software || (*device)->capabilities().name == "software";
    out.push_back(std::move(*device));
    return {};
  };
  for (std::string name; std::getline(names, name, ',');)
    if (std::string why = add(name); !why.empty()) return espalier::Error{why};
  if (!software && options.no_fallback == 0)
    if (std::string why = add("software"); !why.empty()) return espalier::Error{why};
  return out;
}

espalier::ContextConfig translate(const espalier_context_options& from) {
  espalier::ContextConfig config;
  if (from.max_sas != 0) config.max_sas = from.max_sas;
  if (from.queues != 0) config.queues = from.queues;
  if (from.queue_capacity != 0) config.queue_capacity = from.queue_capacity;
  config.batch = from.batch != 0 ? from.batch : std::min(config.batch, config.queue_capacity);
  if (from.events != 0) config.events = from.events;
  config.batch_age = espalier::Time(static_cast<std::int64_t>(
      std::min<std::uint64_t>(from.batch_age_ns, std::numeric_limits<std::int64_t>::max())));
  if (from.audit_events_per_second != 0)
    config.audit_events_per_second = from.audit_events_per_second;
  if (from.shadow_per_million != 0) config.health.shadow_per_million = from.shadow_per_million;
  return config;
}

int open(const espalier_context_options& options, espalier_context** context, char* error,
         size_t error_size) {
  const espalier::ContextConfig config = translate(options);
  if (std::string why = espalier::Context::check(config); !why.empty())
    return capi::fail(-EINVAL, why, error, error_size);
  espalier::DeviceOptions limits;
  limits.queues = config.queues;
  limits.queue_depth = config.queue_capacity;
  limits.slots = std::min(config.max_sas + 1, 65536u);
  auto devices = open_devices(options, limits);
  if (!devices) return capi::fail(-ENODEV, devices.error(), error, error_size);
  auto made = espalier::Context::create(config, std::move(*devices));
  if (!made) return capi::fail(-EINVAL, made.error(), error, error_size);
  *context = new espalier_context{std::move(*made)};
  return 0;
}

}  // namespace

espalier_event capi::in_c(const espalier::Event& event) noexcept {
  espalier_event out{};
  out.kind = static_cast<uint32_t>(event.kind);
  out.spi = event.spi;
  out.sa = static_cast<espalier_sa>(event.sa);
  out.value = event.value;
  out.drop = static_cast<uint8_t>(event.drop);
  out.device = event.device;
  return out;
}

extern "C" {

uint32_t espalier_version(void) {
  return ESPALIER_VERSION_MAJOR << 16 | ESPALIER_VERSION_MINOR;
}

int espalier_open(const espalier_context_options* options, espalier_context** context, char* error,
                  size_t error_size) {
  espalier_context_options o;
  if (context == nullptr)
    return capi::fail(-EINVAL, "there is no place for the context", error, error_size);
  if (const int code = capi::read_struct(options, kOldestOptions, o); code != 0)
    return capi::fail(code, capi::explain(code), error, error_size);
  try {
    return open(o, context, error, error_size);
  } catch (const std::bad_alloc&) {
    return capi::fail(-ENOMEM, "memory is short; ask for fewer SAs or smaller queues", error,
                      error_size);
  }
}

void espalier_close(espalier_context* context) {
  delete context;
}

uint64_t espalier_tick(espalier_context* context, uint64_t now_ns) {
  if (context == nullptr) return UINT64_MAX;
  constexpr auto kEnd = static_cast<uint64_t>(std::numeric_limits<std::int64_t>::max());
  const espalier::Time next =
      context->l1->tick(espalier::Time(static_cast<std::int64_t>(std::min(now_ns, kEnd))));
  return next == espalier::Time::max() ? UINT64_MAX : static_cast<uint64_t>(next.count());
}

int espalier_next_event(espalier_context* context, espalier_event* event) {
  if (context == nullptr || event == nullptr || event->struct_size < sizeof *event) return -EINVAL;
  espalier::Event got;
  if (!context->l1->next_event(got)) return 0;
  capi::write_struct(capi::in_c(got), sizeof *event, event);
  return 1;
}

int espalier_event_fd(const espalier_context* context) {
  return context == nullptr ? -EINVAL : context->l1->event_fd();
}

uint64_t espalier_lost_events(const espalier_context* context) {
  return context == nullptr ? 0 : context->l1->lost_events();
}

void* espalier_mem_alloc(espalier_context* context, size_t bytes) {
  if (context == nullptr) return nullptr;
  const auto memory = context->l1->allocate(bytes);
  return memory.empty() ? nullptr : memory.data();
}

void espalier_mem_free(espalier_context* context, void* memory, size_t bytes) {
  if (context != nullptr && memory != nullptr)
    context->l1->release({static_cast<uint8_t*>(memory), bytes});
}

int espalier_mem_register(espalier_context* context, void* memory, size_t bytes) {
  if (context == nullptr || memory == nullptr || bytes == 0) return -EINVAL;
  return context->l1->devices()[0]->capabilities().needs_pool_memory ? -EOPNOTSUPP : 0;
}

}  // extern "C"
