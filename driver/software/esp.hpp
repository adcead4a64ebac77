// SPDX-License-Identifier: BSD-2-Clause-Patent
// ESP (RFC 4303): framing around a cipher.
#pragma once

#include "esp_open.hpp"
#include "esp_seal.hpp"
#include "sa.hpp"

namespace espalier::driver::software {

/// An SA of ESP.  A cipher family is a subclass.
class EspSa : public KeyedSa {
 public:
  /// Families that count overrides this with process_esp(*this, ...): one function then, without a
  /// virtual call between framing and cipher.
  Answer process(const Job& job, const Scratch& scratch) noexcept override;

  /// False if the crypto library failed, or would have used another IV than the frame's.
  virtual bool seal(const SealFrame& frame) noexcept = 0;
  /// False if the ICV is wrong; `out` may hold plaintext then, which the caller wipes.
  virtual bool open(const OpenFrame& frame) noexcept = 0;
  /// True if seal() takes a body from two places (bulk > 0).
  bool takes_bulk() const noexcept { return takes_bulk_; }

 protected:
  EspSa(const SaShape& shape, bool takes_bulk) : KeyedSa(shape), takes_bulk_(takes_bulk) {}

 private:
  bool takes_bulk_;
};

/// A job's whole work.  `Sa`: EspSa, or a final subclass, whose cipher is inlined.
template <class Sa>
[[gnu::always_inline]] inline Answer process_esp(Sa& sa, const Job& job,
                                                 const Scratch& scratch) noexcept {
  const Linear io(job);
  const SaShape& shape = sa.shape();
  if (shape.direction == Direction::seal) {
    SealWork work;
    const Status status = begin_seal(shape, sa.takes_bulk(), job, io, work);
    if (status != Status::ok) return {status};
    return finish_seal(shape, io, work, sa.seal(work.frame));
  }
  OpenWork work;
  const Status status = begin_open(shape, job, io, scratch, work);
  if (status != Status::ok) return {status};
  return finish_open(shape, io, work, sa.open(work.frame));
}

}  // namespace espalier::driver::software
