// SPDX-License-Identifier: BSD-2-Clause-Patent
// The C API over the C++ one: translates structures, adds nothing.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <string>

#include "device/registry.hpp"
#include "espalier/context.hpp"
#include "espalier/driver/suite.hpp"
#include "espalier/espalier.h"

using espalier::Context;
using espalier::Result;

struct espalier_context {
  std::unique_ptr<Context> context;
};

namespace {

constexpr std::size_t kChunk = 32;  // jobs translated at once, on the stack

static_assert(sizeof(espalier_segment) == sizeof(espalier::Segment) &&
              offsetof(espalier_segment, length) == offsetof(espalier::Segment, length));

int fail(int code, const std::string& why, char* error, std::size_t error_size) {
  if (error != nullptr && error_size != 0) {
    const std::size_t n = std::min(why.size(), error_size - 1);
    std::memcpy(error, why.data(), n);
    error[n] = '\0';
  }
  return code;
}

/// The caller's structure as far as it goes, zero beyond.
template <class T>
bool read_options(const T* from, T& out) {
  std::memset(&out, 0, sizeof out);
  if (from == nullptr || from->struct_size < sizeof(std::size_t)) return false;
  std::memcpy(&out, from, std::min(from->struct_size, sizeof out));
  return true;
}
/// Writes as much of `value` as the caller's structure has, and leaves its struct_size.
template <class T>
void write_result(T value, T* to) {
  value.struct_size = to->struct_size;
  std::memcpy(to, &value, std::min(to->struct_size, sizeof value));
}

espalier::Lifetime lifetime(const espalier_lifetime& from) {
  espalier::Lifetime out;
  if (from.bytes != 0) out.bytes = from.bytes;
  if (from.packets != 0) out.packets = from.packets;
  if (from.time_ns != 0) out.time = espalier::Time(static_cast<std::int64_t>(from.time_ns));
  return out;
}

/// Empty if done, else what is wrong.
std::string translate(const espalier_sa_options& from, espalier::SaConfig& out) {
  namespace driver = espalier::driver;
  if (from.suite == nullptr) return "no suite; name one, e.g. aes256gcm16";
  std::string why;
  const auto protocol = from.ah != 0 ? driver::Protocol::ah : driver::Protocol::esp;
  const auto suite = driver::parse_suite(from.suite, protocol, why);
  if (!suite) return why;
  driver::SaParameters& sa = out.transform;
  driver::apply(*suite, sa);
  sa.direction =
      from.direction == ESPALIER_INBOUND ? driver::Direction::open : driver::Direction::seal;
  sa.mode = from.mode == ESPALIER_TRANSPORT ? driver::Mode::transport : driver::Mode::tunnel;
  sa.spi = from.spi;
  sa.esn = from.esn != 0;
  sa.udp_encapsulation = from.udp_encapsulation != 0;
  why = driver::set_keys(*suite, {from.key, from.key_length},
                         {from.integrity_key, from.integrity_key_length}, sa);
  if (!why.empty()) return why;
  out.ends.family = sa.outer = from.ipv6 != 0 ? driver::Family::ipv6 : driver::Family::ipv4;
  std::copy_n(from.source, from.ipv6 != 0 ? 16 : 4, out.ends.source.begin());
  std::copy_n(from.destination, from.ipv6 != 0 ? 16 : 4, out.ends.destination.begin());
  if (from.source_port != 0) out.ends.source_port = from.source_port;
  if (from.destination_port != 0) out.ends.destination_port = from.destination_port;
  if (from.replay_window != 0) out.replay_window = from.replay_window;
  if (from.no_anti_replay != 0) out.replay_window = 0;
  out.last_number = from.last_number;
  out.iv_source = from.caller_iv != 0 ? espalier::IvSource::caller : espalier::IvSource::automatic;
  if (from.sender_bits > 16 || from.sender_id > 0xffff) return "sender bits go to 16";
  out.sender_bits = static_cast<std::uint8_t>(from.sender_bits);
  out.sender_id = static_cast<std::uint16_t>(from.sender_id);
  out.soft = lifetime(from.soft);
  out.hard = lifetime(from.hard);
  if (from.set_dscp != 0) {
    if (from.dscp > 63) return "DSCP goes from 0 to 63";
    out.dscp = static_cast<std::uint8_t>(from.dscp);
  }
  out.ecn = from.no_ecn == 0;
  if (from.ttl > 255) return "TTL goes from 1 to 255";
  if (from.ttl != 0) out.ttl = static_cast<std::uint8_t>(from.ttl);
  if (from.df > ESPALIER_DF_CLEAR) return "df is one of espalier_df";
  out.dont_fragment = static_cast<espalier::DontFragment>(from.df);
  return {};
}

Result<std::vector<std::unique_ptr<espalier::driver::Device>>> open_devices(
    const espalier_context_options& options, const espalier::DeviceOptions& device_options) {
  std::vector<std::unique_ptr<espalier::driver::Device>> out;
  std::stringstream names(options.devices != nullptr ? options.devices : "auto");
  bool software = false;
  for (std::string name; std::getline(names, name, ',');) {
    auto device = espalier::open_device(name, device_options);
    if (!device) return espalier::Error{device.error()};
    software = software || (*device)->capabilities().name == "software";
    out.push_back(std::move(*device));
  }
  if (!software && options.no_fallback == 0) {
    auto device = espalier::open_device("software", device_options);
    if (!device) return espalier::Error{device.error()};
    out.push_back(std::move(*device));
  }
  return out;
}

espalier::SaHandle handle(espalier_sa sa) {
  return static_cast<espalier::SaHandle>(sa);
}

espalier::Job translate(const espalier_job& from) {
  espalier::Job job;
  job.sa = handle(from.sa);
  job.cookie = from.cookie;
  job.source = {reinterpret_cast<const espalier::Segment*>(from.source), from.sources};
  job.destination = {reinterpret_cast<const espalier::Segment*>(from.destination),
                     from.destinations};
  job.l3_offset = from.l3_offset;
  job.tfc_length = static_cast<std::uint16_t>(std::min<std::uint32_t>(from.tfc_length, 0xffff));
  job.iv = from.iv;
  return job;
}

espalier_completion translate(const espalier::Completion& from) {
  espalier_completion out{};
  out.cookie = from.cookie;
  out.number = from.number;
  out.length = from.length;
  out.status = static_cast<std::uint8_t>(from.status);
  out.drop = static_cast<std::uint8_t>(from.drop);
  out.next_header = from.next_header;
  out.device = from.device;
  out.refusal = static_cast<std::uint8_t>(from.refusal);
  out.soft_expired = from.soft_expired;
  return out;
}

}  // namespace

extern "C" {

uint32_t espalier_version(void) {
  return ESPALIER_VERSION_MAJOR << 16 | ESPALIER_VERSION_MINOR;
}

int espalier_open(const espalier_context_options* options, espalier_context** context, char* error,
                  size_t error_size) {
  espalier_context_options o;
  if (context == nullptr || !read_options(options, o))
    return fail(-EINVAL, "options without struct_size, or no place for the context", error,
                error_size);
  *context = nullptr;
  espalier::ContextConfig config;
  if (o.max_sas != 0) config.max_sas = o.max_sas;
  if (o.queues != 0) config.queues = o.queues;
  if (o.queue_capacity != 0) config.queue_capacity = o.queue_capacity;
  config.batch = o.batch != 0 ? o.batch : std::min(config.batch, config.queue_capacity);
  config.batch_age = espalier::Time(static_cast<std::int64_t>(o.batch_age_ns));
  auto devices = open_devices(o, {config.queues, config.queue_capacity, {}});
  if (!devices) return fail(-ENODEV, devices.error(), error, error_size);
  auto made = Context::create(config, std::move(*devices));
  if (!made) return fail(-EINVAL, made.error(), error, error_size);
  *context = new espalier_context{std::move(*made)};
  return 0;
}

void espalier_close(espalier_context* context) {
  delete context;
}

int espalier_sa_add(espalier_context* context, const espalier_sa_options* options, espalier_sa* sa,
                    char* error, size_t error_size) {
  espalier_sa_options o;
  if (sa == nullptr || !read_options(options, o))
    return fail(-EINVAL, "options without struct_size, or no place for the handle", error,
                error_size);
  espalier::SaConfig config;
  if (const std::string why = translate(o, config); !why.empty())
    return fail(-EINVAL, why, error, error_size);
  const auto added = context->context->add(config);
  if (!added) return fail(-EINVAL, added.error(), error, error_size);
  *sa = static_cast<espalier_sa>(*added);
  return 0;
}

int espalier_sa_remove(espalier_context* context, espalier_sa sa) {
  return context->context->remove(handle(sa)) ? 0 : -ENOENT;
}

int espalier_sa_overhead(const espalier_context* context, espalier_sa sa, uint32_t* head,
                         uint32_t* total) {
  const auto overhead = context->context->overhead(handle(sa));
  if (!overhead) return -ENOENT;
  *head = overhead->head;
  *total = overhead->total;
  return 0;
}

int espalier_sa_statistics(const espalier_context* context, espalier_sa sa,
                           struct espalier_sa_statistics* statistics) {
  const auto got = context->context->statistics(handle(sa));
  if (!got) return -ENOENT;
  struct espalier_sa_statistics out {};
  out.packets = got->packets;
  out.bytes = got->bytes;
  out.number = got->number;
  for (const std::uint64_t dropped : got->drops) out.dropped += dropped;
  write_result(out, statistics);
  return 0;
}

espalier_sa espalier_find(espalier_context* context, uint32_t queue, uint32_t spi, uint8_t protocol,
                          int ipv6, const uint8_t* destination, const uint8_t* source) {
  return static_cast<espalier_sa>(context->context->find(
      espalier::QueueId(queue), spi, protocol,
      ipv6 != 0 ? espalier::Family::ipv6 : espalier::Family::ipv4, destination, source));
}

size_t espalier_submit(espalier_context* context, uint32_t queue, const espalier_job* jobs,
                       size_t count) {
  std::array<espalier::Job, kChunk> chunk;
  size_t taken = 0;
  while (taken < count) {
    const size_t n = std::min(kChunk, count - taken);
    for (size_t i = 0; i < n; ++i) chunk[i] = translate(jobs[taken + i]);
    const size_t got = context->context->submit(espalier::QueueId(queue), {chunk.data(), n});
    taken += got;
    if (got < n) break;
  }
  return taken;
}

size_t espalier_poll(espalier_context* context, uint32_t queue, espalier_completion* completions,
                     size_t count, uint32_t rerun_budget) {
  std::array<espalier::Completion, kChunk> chunk;
  size_t done = 0;
  while (done < count) {
    const size_t n = std::min(kChunk, count - done);
    const size_t got = context->context->poll(espalier::QueueId(queue), {chunk.data(), n},
                                              done == 0 ? rerun_budget : 0);
    for (size_t i = 0; i < got; ++i) completions[done + i] = translate(chunk[i]);
    done += got;
    if (got < n) break;
  }
  return done;
}

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
  const auto devices = context->context->devices();
  return device < devices.size() ? devices[device]->capabilities().name.data() : "none";
}

uint64_t espalier_tick(espalier_context* context, uint64_t now_ns) {
  const espalier::Time next =
      context->context->tick(espalier::Time(static_cast<std::int64_t>(now_ns)));
  return next == espalier::Time::max() ? UINT64_MAX : static_cast<uint64_t>(next.count());
}

int espalier_next_event(espalier_context* context, espalier_event* event) {
  espalier::Event got;
  if (!context->context->next_event(got)) return 0;
  espalier_event out{};
  out.kind = static_cast<uint32_t>(got.kind);
  out.spi = got.spi;
  out.sa = static_cast<espalier_sa>(got.sa);
  out.value = got.value;
  out.drop = static_cast<uint8_t>(got.drop);
  out.device = got.device;
  write_result(out, event);
  return 1;
}

int espalier_event_fd(const espalier_context* context) {
  return context->context->event_fd();
}

void* espalier_mem_alloc(espalier_context* context, size_t bytes) {
  const auto memory = context->context->allocate(bytes);
  return memory.empty() ? nullptr : memory.data();
}
void espalier_mem_free(espalier_context* context, void* memory, size_t bytes) {
  if (memory != nullptr) context->context->release({static_cast<uint8_t*>(memory), bytes});
}

}  // extern "C"
