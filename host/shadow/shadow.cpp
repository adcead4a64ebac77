// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "shadow/shadow.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace espalier {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;

}  // namespace

ShadowSampler::ShadowSampler(const HealthConfig& config, unsigned stream)
    : threshold_((std::uint64_t{config.shadow_per_million} << 32) / kMillion),
      seeded_(config.shadow_seed == 0 ? 0
                                      : (config.shadow_seed + stream) * 0x9e3779b97f4a7c15ull | 1) {
}

std::uint32_t ShadowSampler::draw() noexcept {
  if (seeded_ != 0) {  // xorshift64*
    seeded_ ^= seeded_ >> 12;
    seeded_ ^= seeded_ << 25;
    seeded_ ^= seeded_ >> 27;
    return static_cast<std::uint32_t>(seeded_ * 0x2545f4914f6cdd1dull >> 32);
  }
  if (left_ == 0) {
    std::uint8_t octets[kCbcIvLength];
    if (!secret_.ready() || !secret_.next(octets)) return 0;  // no generator: look at every packet
    std::memcpy(drawn_, octets, sizeof drawn_);
    left_ = static_cast<unsigned>(std::size(drawn_));
  }
  return drawn_[--left_];
}

ShadowSlots::ShadowSlots(std::uint32_t count, std::uint32_t octets)
    : octets_(octets), memory_(std::size_t{2} * count * octets), slots_(count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    slots_[i].source = {memory_.data() + std::size_t{2} * i * octets, 0};
    slots_[i].result = {slots_[i].source.data + octets, 0};
    free_.push_back(static_cast<std::uint8_t>(count - 1 - i));
  }
}

void ShadowSlots::give_back(std::uint8_t number) noexcept {
  Slot& slot = slots_[number];
  OPENSSL_cleanse(slot.source.data, slot.source.length);
  OPENSSL_cleanse(slot.result.data, slot.result.length);
  slot.source.length = slot.result.length = 0;
  slot.kept = false;
  slot.destination = {};
  free_.push_back(number);
}

void ShadowSlots::keep(std::uint8_t number, std::span<const Segment> source) noexcept {
  Slot& slot = slots_[number];
  slot.source.length = static_cast<std::uint32_t>(driver::total_length(source));
  driver::gather(source, slot.source.data);
  slot.kept = true;
}

std::span<const Segment> ShadowSlots::result(std::uint8_t number, std::uint32_t room) noexcept {
  Slot& slot = slots_[number];
  slot.result.length = std::min(room, octets_);
  return {&slot.result, 1};
}

}  // namespace espalier
