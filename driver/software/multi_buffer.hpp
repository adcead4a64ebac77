// SPDX-License-Identifier: BSD-2-Clause-Patent
// libipsec-mb as a second source of the same octets.
//
// What one packet's cipher can't keep busy, many packets' can: CBC chains, hashes and CBC-MACs of
// up to 16 packets run side by side in the lanes of one vector.  So these are begun for a whole
// burst (KeyedSa::begin()), worked off at once (MultiBuffer::run()), and settled one by one
// (finish()).  AES-GCM and GMAC fill the vectors from one packet and are done at once.
//
// A build without the library, or a CPU without AES instructions, has no MultiBuffer; what it does
// not do is OpenSSL's (make_esp()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "esp.hpp"

struct IMB_MGR;
struct IMB_JOB;
struct gcm_context_data;

namespace espalier::driver::software {

/// A frame on its way through multi-buffer code.  Stays where it is until settled.
struct Deferred {
  bool done = false;                        ///< The code has written its tag, and the text.
  std::uint8_t* icv = nullptr;              ///< Seal: where the ICV goes.
  const std::uint8_t* found = nullptr;      ///< Open: the ICV that came.
  const std::uint8_t* copy_from = nullptr;  ///< Open without a cipher: body to copy to copy_to.
  std::uint8_t* copy_to = nullptr;
  std::uint32_t copy_length = 0;
  alignas(16) std::uint8_t iv[16];
  alignas(16) std::uint8_t aad[16];
  alignas(16) std::uint8_t tag[64];
};

/// When a job of a burst is finished.
enum class Stage : std::uint8_t {
  done,   ///< It is; its answer is there.
  next,   ///< By finish() once the next job is begun.
  burst,  ///< By finish() after MultiBuffer::run().
};

/// A job of a burst from KeyedSa::begin() on.
struct Work {
  Stage stage = Stage::done;
  Answer answer;  ///< If done.
  Linear io;
  SealWork seal;
  OpenWork open;
  Deferred deferred;
};

/// One queue's manager.  Threads: the queue's.
class MultiBuffer {
 public:
  /// Null if the build or the CPU does not have it.  `takes_alone`: a frame alone too runs in
  /// lanes.
  static std::unique_ptr<MultiBuffer> make(bool takes_alone = true);
  ~MultiBuffer();
  MultiBuffer(const MultiBuffer&) = delete;
  MultiBuffer& operator=(const MultiBuffer&) = delete;

  IMB_MGR* manager() noexcept { return manager_; }
  /// For AES-GCM's calls, which need one while they run.
  gcm_context_data* gcm_state() noexcept { return gcm_state_; }
  bool takes_alone() const noexcept { return takes_alone_; }
  /// Library and instruction set in words.
  std::string_view name() const noexcept { return name_; }

  /// A job to fill in and submit(); at most kBurst between two run().
  IMB_JOB* next() noexcept;
  /// `job`: next()'s.
  void submit(IMB_JOB& job, Deferred& result) noexcept;
  /// Works off all that was submitted.
  void run() noexcept;

 private:
  MultiBuffer(IMB_MGR* manager, std::string_view name, bool takes_alone);
  static void note(const IMB_JOB* job) noexcept;

  IMB_MGR* manager_;
  gcm_context_data* gcm_state_;
  std::string_view name_;
  bool takes_alone_;
};

/// An SA of ESP whose frames are worked off with others of their burst.
class DeferringSa : public EspSa {
 public:
  void begin(const Job& job, const Scratch& scratch, Work& work) noexcept final;
  Answer finish(Work& work) noexcept final;

 protected:
  explicit DeferringSa(const SaShape& shape) : EspSa(shape, false) {}
  /// False: not begun, for this frame it must be seal() or open().
  virtual bool begin_frame(const SealFrame& frame, Deferred& deferred) noexcept = 0;
  virtual bool begin_frame(const OpenFrame& frame, Deferred& deferred) noexcept = 0;
  /// After the burst: what seal() or open() would have said.
  virtual bool settle(Deferred& deferred) noexcept = 0;
};

/// Null if libipsec-mb does not speed this suite up, or memory is short.
std::unique_ptr<EspSa> make_mb(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb);
/// Its parts: AES-GCM and GMAC; all that runs as jobs.
std::unique_ptr<EspSa> make_mb_gcm(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb);
std::unique_ptr<EspSa> make_mb_jobs(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb);

}  // namespace espalier::driver::software
