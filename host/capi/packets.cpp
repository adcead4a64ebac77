// SPDX-License-Identifier: BSD-2-Clause-Patent
// The packet path: translates in chunks on the stack, checks what L1 relies on, adds nothing.
#include <array>
#include <climits>

#include "capi/handle.hpp"

namespace capi = espalier::capi;

namespace {

constexpr std::size_t kChunk = 32;  // jobs translated at once, on the stack

/// A job that can't be is left without a source, which L1 drops as bad_argument.
espalier::Job translate(const espalier_job& from) noexcept {
  espalier::Job job;
  job.sa = capi::handle(from.sa);
  job.cookie = from.cookie;
  job.l3_offset = from.l3_offset;
  job.iv = from.iv;
  const bool dummy = (from.flags & ESPALIER_JOB_DUMMY) != 0;
  if ((from.flags & ~std::uint32_t{ESPALIER_JOB_DUMMY}) != 0 || from.reserved != 0 ||
      from.tfc_length > 0xffff || !capi::translate(from.source, from.sources, job.source) ||
      !capi::translate(from.destination, from.destinations, job.destination) ||
      (dummy && from.destinations == 0)) {
    job.source = {};
    return job;
  }
  job.dummy = dummy;
  job.tfc_length = static_cast<std::uint16_t>(from.tfc_length);
  return job;
}

espalier_completion translate(const espalier::Completion& from) noexcept {
  espalier_completion out{};
  out.cookie = from.cookie;
  out.number = from.number;
  out.offset = from.offset;
  out.length = from.length;
  out.status = static_cast<std::uint8_t>(from.status);
  out.drop = static_cast<std::uint8_t>(from.drop);
  out.next_header = from.next_header;
  out.device = from.device;
  out.refusal = static_cast<std::uint8_t>(from.refusal);
  out.soft_expired = from.soft_expired;
  return out;
}

/// Element i of an array whose elements are `stride` octets apart.
template <class T>
T* at(T* first, std::size_t stride, std::size_t i) noexcept {
  using Octet = std::conditional_t<std::is_const_v<T>, const char, char>;
  return reinterpret_cast<T*>(reinterpret_cast<Octet*>(first) + i * stride);
}

/// 0 if the call may go on, with `count` cut to what its result can say.
template <class T>
int check(const espalier_context* context, std::uint32_t queue, const T* first,
          std::size_t& count) noexcept {
  if (context == nullptr) return -EINVAL;
  if (queue >= context->l1->config().queues) return -ENOENT;
  if (count == 0) return 0;
  if (first == nullptr || first->struct_size < sizeof(T) || first->struct_size % alignof(T) != 0)
    return -EINVAL;
  count = std::min<std::size_t>(count, INT_MAX);
  return 0;
}

/// An array of a newer header: what this library does not know must be zero.
int check_unknown(const espalier_job* jobs, std::size_t count) noexcept {
  const std::size_t stride = jobs->struct_size;
  espalier_job ignored;
  for (std::size_t i = 0; i < count; ++i) {
    const espalier_job* job = at(jobs, stride, i);
    if (job->struct_size != stride) return -EINVAL;
    if (stride == sizeof ignored) continue;
    if (const int code = capi::read_struct(job, sizeof ignored, ignored); code != 0) return code;
  }
  return 0;
}

}  // namespace

extern "C" {

int espalier_submit(espalier_context* context, uint32_t queue, const espalier_job* jobs,
                    size_t count) {
  if (const int code = check(context, queue, jobs, count); code != 0 || count == 0) return code;
  if (const int code = check_unknown(jobs, count); code != 0) return code;
  std::array<espalier::Job, kChunk> chunk;
  const std::size_t stride = jobs->struct_size;
  std::size_t taken = 0;
  while (taken < count) {
    const std::size_t n = std::min(kChunk, count - taken);
    for (std::size_t i = 0; i < n; ++i) chunk[i] = translate(*at(jobs, stride, taken + i));
    const std::size_t got = context->l1->submit(espalier::QueueId(queue), {chunk.data(), n});
    taken += got;
    if (got < n) break;
  }
  return static_cast<int>(taken);
}

int espalier_poll(espalier_context* context, uint32_t queue, espalier_completion* completions,
                  size_t count, uint32_t rerun_budget) {
  if (const int code = check(context, queue, completions, count); code != 0) return code;
  std::array<espalier::Completion, kChunk> chunk;
  const std::size_t stride = count != 0 ? completions->struct_size : 0;
  std::size_t done = 0;
  do {
    const std::size_t n = std::min(kChunk, count - done);
    const std::size_t got = context->l1->poll(espalier::QueueId(queue), {chunk.data(), n},
                                              done == 0 ? rerun_budget : 0);
    for (std::size_t i = 0; i < got; ++i) {
      espalier_completion* to = at(completions, stride, done + i);
      to->struct_size = stride;
      capi::write_struct(translate(chunk[i]), sizeof *to, to);
    }
    done += got;
    if (got < n) break;
  } while (done < count);
  return static_cast<int>(done);
}

int espalier_queue_arm(espalier_context* context, uint32_t queue) {
  if (context == nullptr) return -EINVAL;
  if (queue >= context->l1->config().queues) return -ENOENT;
  return context->l1->arm(espalier::QueueId(queue)) ? 1 : 0;
}

int espalier_queue_fd(const espalier_context* context, uint32_t queue) {
  if (context == nullptr) return -EINVAL;
  if (queue >= context->l1->config().queues) return -ENOENT;
  return context->l1->queue_fd(espalier::QueueId(queue));
}

}  // extern "C"
