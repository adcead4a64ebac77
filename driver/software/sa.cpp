// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sa.hpp"

#include "ah.hpp"
#include "esp.hpp"

namespace espalier::driver::software {

std::unique_ptr<InstalledSa> InstalledSa::make(const SaParameters& sa, Generation generation,
                                               unsigned queues) {
  const auto suite = suite_of(sa);
  if (!suite) return nullptr;
  std::unique_ptr<InstalledSa> installed(new InstalledSa(sa, *suite, generation));
  return installed->key(sa, queues) ? std::move(installed) : nullptr;
}

bool InstalledSa::key(const SaParameters& sa, unsigned queues) {
  for (unsigned queue = 0; queue < queues; ++queue) {
    if (sa.protocol == Protocol::esp) {
      esp_.push_back(make_esp_crypto(sa));
      if (!esp_.back()) return false;
    } else {
      ah_.push_back(make_mac(sa));
      if (!ah_.back()) return false;
    }
  }
  return true;
}

Answer InstalledSa::process(unsigned queue, const Job& job, Linear io,
                            const Scratch& scratch) noexcept {
  const bool seal = shape_.direction == Direction::seal;
  if (shape_.protocol == Protocol::ah) {
    Mac& mac = *ah_[queue];
    return seal ? ah_seal(shape_, mac, job, io, scratch) : ah_open(shape_, mac, job, io, scratch);
  }
  EspCrypto& crypto = *esp_[queue];
  return seal ? esp_seal(shape_, crypto, job, io) : esp_open(shape_, crypto, job, io, scratch);
}

}  // namespace espalier::driver::software
