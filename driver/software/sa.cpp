// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sa.hpp"

#include "ah.hpp"
#include "esp.hpp"

namespace espalier::driver::software {

std::unique_ptr<InstalledSa> InstalledSa::make(const SaParameters& sa, Generation generation,
                                               std::span<MultiBuffer* const> multi_buffers) {
  const auto suite = suite_of(sa);
  if (!suite) return nullptr;
  std::unique_ptr<InstalledSa> installed(new InstalledSa(sa, *suite, generation));
  return installed->key(sa, multi_buffers) ? std::move(installed) : nullptr;
}

bool InstalledSa::key(const SaParameters& sa, std::span<MultiBuffer* const> multi_buffers) {
  for (MultiBuffer* multi_buffer : multi_buffers) {
    if (sa.protocol == Protocol::esp) {
      esp_.push_back(make_esp_crypto(sa, multi_buffer));
      if (!esp_.back()) return false;
    } else {
      ah_.push_back(make_mac(sa));
      if (!ah_.back()) return false;
    }
  }
  return true;
}

Answer InstalledSa::process(unsigned queue, const Job& job, const Linear& io,
                            const Scratch& scratch) noexcept {
  const bool seal = shape_.direction == Direction::seal;
  if (shape_.protocol == Protocol::ah) {
    Mac& mac = *ah_[queue];
    return seal ? ah_seal(shape_, mac, job, io, scratch) : ah_open(shape_, mac, job, io, scratch);
  }
  EspCrypto& crypto = *esp_[queue];
  if (seal) {
    SealWork work;
    const Status status = begin_seal(shape_, crypto.takes_bulk(), job, io, work);
    return status != Status::ok ? Answer{status}
                                : finish_seal(shape_, io, work, crypto.seal(work.frame));
  }
  OpenWork work;
  const Status status = begin_open(shape_, job, io, scratch, work);
  return status != Status::ok ? Answer{status}
                              : finish_open(shape_, io, work, crypto.open(work.frame));
}

void InstalledSa::begin(unsigned queue, const Job& job, const Scratch& scratch,
                        Work& work) noexcept {
  EspCrypto* crypto = shape_.protocol == Protocol::esp ? esp_[queue].get() : nullptr;
  work.begun = false;
  if (crypto == nullptr || !crypto->defers()) {
    work.answer = process(queue, job, work.io, scratch);
    return;
  }
  work.crypto = crypto;
  const bool seal = shape_.direction == Direction::seal;
  const Status status = seal ? begin_seal(shape_, crypto->takes_bulk(), job, work.io, work.seal)
                             : begin_open(shape_, job, work.io, scratch, work.open);
  if (status != Status::ok) {
    work.answer = {status};
  } else if (seal) {
    work.begun = crypto->begin_seal(work.seal.frame, work.deferred);
    if (!work.begun)
      work.answer = finish_seal(shape_, work.io, work.seal, crypto->seal(work.seal.frame));
  } else {
    // Scratch memory is one packet's at a time.
    work.begun = work.open.direct && crypto->begin_open(work.open.frame, work.deferred);
    if (!work.begun)
      work.answer = finish_open(shape_, work.io, work.open, crypto->open(work.open.frame));
  }
}

Answer InstalledSa::finish(Work& work) const noexcept {
  const bool good = work.crypto->settle(work.deferred);
  return shape_.direction == Direction::seal ? finish_seal(shape_, work.io, work.seal, good)
                                             : finish_open(shape_, work.io, work.open, good);
}

}  // namespace espalier::driver::software
