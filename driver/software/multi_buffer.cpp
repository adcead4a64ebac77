// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "multi_buffer.hpp"

#include <intel-ipsec-mb.h>

namespace espalier::driver::software {

std::unique_ptr<MultiBuffer> MultiBuffer::make() {
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
  return std::unique_ptr<MultiBuffer>(new MultiBuffer(manager, name));
}

MultiBuffer::~MultiBuffer() {
  imb_clear_mem(manager_, sizeof *manager_);
  free_mb_mgr(manager_);
}

IMB_JOB* MultiBuffer::next() noexcept {
  return IMB_GET_NEXT_JOB(manager_);
}

void MultiBuffer::submit(Deferred& result) noexcept {
  result.done = false;
  IMB_GET_NEXT_JOB(manager_)->user_data = &result;
  note(IMB_SUBMIT_JOB_NOCHECK(manager_));
}

void MultiBuffer::run() noexcept {
  while (const IMB_JOB* job = IMB_FLUSH_JOB(manager_)) note(job);
}

void MultiBuffer::note(const IMB_JOB* job) noexcept {
  if (job != nullptr)
    static_cast<Deferred*>(job->user_data)->done = job->status == IMB_STATUS_COMPLETED;
}

std::unique_ptr<EspCrypto> make_mb_crypto(const SaParameters& sa, MultiBuffer& mb) {
  switch (sa.cipher) {
    case spec::Cipher::aes_gcm:
    case spec::Cipher::aes_gmac:
      return make_mb_gcm(sa, mb);
    default:
      return make_mb_jobs(sa, mb);
  }
}

}  // namespace espalier::driver::software
