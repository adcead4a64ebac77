// SPDX-License-Identifier: BSD-2-Clause-Patent
// A burst of the raw cipher on the octets that a tunnel protects: inner packet, padding, trailer.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "figures.hpp"
#include "raw_gcm.hpp"

namespace espalier::bench {

/// Text, ciphertext and result of each packet where a Flow has them.  Out of place in a tunnel they
/// are apart; packets begin with a cache line, so ciphertext, behind IPv4, ESP header and IV, does
/// not.  In place all three are where the ciphertext is.
class RawBurst {
 public:
  /// `clear`: the inner packets.
  RawBurst(std::span<const std::span<const std::uint8_t>> clear, bool in_place) {
    constexpr std::size_t kTrailer = 2, kAlignment = 4, kHead = 20 + 8 + 8;
    for (const auto packet : clear) {
      const std::size_t body =
          (packet.size() + kTrailer + kAlignment - 1) / kAlignment * kAlignment;
      sealed_.push_back(piece(kHead, body + kRawTag));
      text_.push_back(in_place ? sealed_.back().first(body) : piece(0, body));
      opened_.push_back(in_place ? text_.back() : piece(0, body));
      std::memcpy(text_.back().data(), packet.data(), packet.size());
    }
    ivs_.resize(clear.size());
  }
  /// Nanoseconds of the burst.
  double seal() {
    Lap lap;
    for (std::size_t i = 0; i < text_.size(); ++i)
      sound_ &= seal_.seal(sealed_[i].data(), text_[i].data(), static_cast<int>(text_[i].size()),
                           ivs_[i].octets);
    return lap.take();
  }
  /// Of what seal() made.
  double open() {
    Lap lap;
    for (std::size_t i = 0; i < text_.size(); ++i)
      sound_ &= open_.open(opened_[i].data(), sealed_[i].data(), static_cast<int>(text_[i].size()),
                           ivs_[i].octets);
    return lap.take();
  }
  bool sound() const { return sound_; }

 private:
  struct Iv {
    std::uint8_t octets[8];
  };
  /// `octets` of zeros, `head` octets behind the begin of a cache line.
  std::span<std::uint8_t> piece(std::size_t head, std::size_t octets) {
    constexpr std::size_t kLine = 64;
    auto& memory = memory_.emplace_back(kLine + head + octets);
    const auto past = reinterpret_cast<std::uintptr_t>(memory.data()) % kLine;
    return std::span(memory).subspan((kLine - past) % kLine + head, octets);
  }
  std::vector<std::uint8_t> key_ = std::vector<std::uint8_t>(32, 7);
  RawGcm seal_{key_, true}, open_{key_, false};
  std::vector<std::vector<std::uint8_t>> memory_;
  std::vector<std::span<std::uint8_t>> text_, sealed_, opened_;
  std::vector<Iv> ivs_;
  bool sound_ = true;
};

}  // namespace espalier::bench
