// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "multi_buffer.hpp"

#include <intel-ipsec-mb.h>

namespace espalier::driver::software {

std::unique_ptr<MultiBuffer> MultiBuffer::make(bool takes_alone) {
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) return nullptr;
  IMB_ARCH arch = IMB_ARCH_NONE;
  init_mb_mgr_auto(manager, &arch);
  std::string_view name;
  switch (arch) {
    case IMB_ARCH_SSE:
      name = "libipsec-mb, SSE";
      break;
    case IMB_ARCH_AVX:
      name = "libipsec-mb, AVX";
      break;
    case IMB_ARCH_AVX2:
      name = "libipsec-mb, AVX2";
      break;
    case IMB_ARCH_AVX512:
      name = "libipsec-mb, AVX-512";
      break;
    default:  // none, or AES emulated by tables, whose timing tells of keys
      free_mb_mgr(manager);
      return nullptr;
  }
  std::unique_ptr<MultiBuffer> made(new MultiBuffer(manager, name, takes_alone));
  return made->gcm_state_ != nullptr ? std::move(made) : nullptr;
}

MultiBuffer::MultiBuffer(IMB_MGR* manager, std::string_view name, bool takes_alone)
    : manager_(manager),
      gcm_state_(static_cast<gcm_context_data*>(allocate_key_memory(sizeof(gcm_context_data)))),
      name_(name),
      takes_alone_(takes_alone) {}

MultiBuffer::~MultiBuffer() {
  release_key_memory(gcm_state_);
  imb_clear_mem(manager_, sizeof *manager_);
  free_mb_mgr(manager_);
}

IMB_JOB* MultiBuffer::next() noexcept {
  return IMB_GET_NEXT_JOB(manager_);
}

void MultiBuffer::submit(IMB_JOB& job, Deferred& result) noexcept {
  result.done = false;
  job.user_data = &result;
  note(IMB_SUBMIT_JOB_NOCHECK(manager_));
}

void MultiBuffer::run() noexcept {
  while (const IMB_JOB* job = IMB_FLUSH_JOB(manager_)) note(job);
}

void MultiBuffer::note(const IMB_JOB* job) noexcept {
  if (job != nullptr)
    static_cast<Deferred*>(job->user_data)->done = job->status == IMB_STATUS_COMPLETED;
}

void DeferringSa::begin(const Job& job, const Scratch& scratch, Work& work) noexcept {
  const bool seals = shape().direction == Direction::seal;
  work.io = Linear(job);
  const Status status = seals ? begin_seal(shape(), takes_bulk(), job, work.io, work.seal)
                              : begin_open(shape(), job, work.io, scratch, work.open);
  work.stage = Stage::done;
  work.answer = {status};
  if (status != Status::ok) return;
  // Scratch memory is one packet's at a time.
  const bool begun = seals ? begin_frame(work.seal.frame, work.deferred)
                           : work.open.direct && begin_frame(work.open.frame, work.deferred);
  if (begun)
    work.stage = Stage::burst;
  else
    work.answer = seals ? finish_seal(shape(), work.io, work.seal, seal(work.seal.frame))
                        : finish_open(shape(), work.io, work.open, open(work.open.frame));
}

Answer DeferringSa::finish(Work& work) noexcept {
  const bool good = settle(work.deferred);
  return shape().direction == Direction::seal ? finish_seal(shape(), work.io, work.seal, good)
                                              : finish_open(shape(), work.io, work.open, good);
}

std::unique_ptr<EspSa> make_mb(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb) {
  switch (sa.cipher) {
    case spec::Cipher::aes_gcm:
    case spec::Cipher::aes_gmac:
      return make_mb_gcm(sa, shape, mb);
    default:
      return make_mb_jobs(sa, shape, mb);
  }
}

}  // namespace espalier::driver::software
