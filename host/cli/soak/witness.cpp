// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/soak/witness.hpp"

#include <vector>

#include "espalier/driver/wrapping.hpp"

namespace espalier::cli {
namespace {

/// FNV-1a, good enough to tell packets apart.
class Hash {
 public:
  Hash& add(const std::uint8_t* octets, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) value_ = (value_ ^ octets[i]) * 0x100000001b3ull;
    return *this;
  }
  Hash& add(std::uint64_t word) {
    for (unsigned shift = 0; shift < 64; shift += 8)
      value_ = (value_ ^ (word >> shift & 0xff)) * 0x100000001b3ull;
    return *this;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ull;
};

class Witness final : public driver::WrappingDevice {
 public:
  Witness(std::unique_ptr<driver::Device> inner, std::shared_ptr<NonceLog> log)
      : WrappingDevice(std::move(inner)), log_(std::move(log)), with_iv_(capabilities().slots) {}

  driver::Status install(driver::Slot slot, driver::Generation generation,
                         const driver::SaParameters& sa) noexcept override {
    with_iv_[static_cast<unsigned>(slot)] = (sa.cipher != spec::Cipher::null && !sa.implicit_iv) ||
                                            sa.integrity == spec::Integrity::aes_gmac;
    return inner().install(slot, generation, sa);
  }
  std::size_t submit(driver::QueueId queue, driver::Jobs jobs) noexcept override {
    // Before the device overwrites a source in place.  The last slot's jobs are known-answer tests,
    // whose numbers come again and again.
    for (const driver::Job* job : jobs)
      if (static_cast<unsigned>(job->slot) + 1 < capabilities().slots)
        log_->note(*job, with_iv_[static_cast<unsigned>(job->slot)]);
    return inner().submit(queue, jobs);
  }

 private:
  std::shared_ptr<NonceLog> log_;
  std::vector<bool> with_iv_;  // by slot
};

}  // namespace

void NonceLog::note(const driver::Job& job, bool iv) {
  if (job.direction != driver::Direction::seal) return;
  Hash inputs;
  for (const driver::Segment& s : job.source) inputs.add(s.data, s.length);
  inputs.add(job.sequence_number);
  if (iv) inputs.add(job.iv.data(), job.iv.size());
  inputs.add(job.header_length).add(job.pad_length).add(job.tfc_length).add(job.tos);
  inputs.add(job.ttl).add(job.dont_fragment).add(job.identity);
  Hash sa;
  sa.add(static_cast<std::uint64_t>(job.slot)).add(static_cast<std::uint64_t>(job.generation));
  enter(Hash(sa).add(1).add(job.sequence_number).value(), inputs.value());
  if (iv) enter(Hash(sa).add(2).add(job.iv.data(), job.iv.size()).value(), inputs.value());
}

void NonceLog::enter(std::uint64_t nonce, std::uint64_t inputs) {
  const auto [at, fresh] = inputs_.emplace(nonce, inputs);
  reused_ += !fresh && at->second != inputs;
}

std::unique_ptr<driver::Device> make_witness(std::unique_ptr<driver::Device> inner,
                                             std::shared_ptr<NonceLog> log) {
  return std::make_unique<Witness>(std::move(inner), std::move(log));
}

}  // namespace espalier::cli
