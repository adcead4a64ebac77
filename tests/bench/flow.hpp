// SPDX-License-Identifier: BSD-2-Clause-Patent
// Bursts through a Context: seals clear packets, opens what came out, on any number of SA pairs.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "espalier/context.hpp"
#include "figures.hpp"

namespace espalier::bench {

/// Inner packet sizes of IMIX, 40/576/1500 at 7:4:1.
inline const std::vector<std::uint32_t> kImix = {40, 40,   576, 40, 40,  576,
                                                 40, 1500, 576, 40, 576, 40};

/// SA pairs that don't fit any cache near the core.
inline constexpr std::uint32_t kManySas = 16384;
/// Bursts that keep all buffers in the second-level cache.
inline std::uint32_t burst_for(const std::vector<std::uint32_t>& sizes) {
  return sizes[0] > 4096 ? 16 : 60;
}

struct FlowOptions {
  std::string device = "software:openssl";
  std::string suite = "aes256gcm16";
  std::vector<std::uint32_t> sizes = {64};  ///< Inner octets, in turn.
  std::uint32_t sas = 1;                    ///< SA pairs; each packet takes one at random.
  std::uint32_t burst = 64;                 ///< Packets of a submit() and of the poll() behind it.
  std::uint32_t batch = 64;                 ///< ContextConfig::batch.
  std::uint32_t spare_sas = 0;              ///< Room for more, beside the pairs.
  bool pool_memory = false;                 ///< Buffers from Context::allocate().
  bool in_place = false;                    ///< Sealed and opened where the packet stands.
};

/// Throws std::runtime_error with one line if a device or suite is not to be had.
class Flow {
 public:
  explicit Flow(const FlowOptions& options);
  ~Flow();

  /// Seals a burst of clear packets; nanoseconds from submit() to the last completion.
  double seal();
  /// Opens the burst that seal() made.
  double open();
  /// False once a packet was not ok, or came back changed.
  bool sound() const { return sound_; }

  std::uint32_t burst() const { return options_.burst; }
  bool in_place() const { return options_.in_place; }
  Context& context() { return *context_; }
  /// An outbound SA of the flow's suite, to add beside its own.
  SaConfig spare(std::uint32_t spi) const;
  /// The clear packets of a burst.
  std::vector<std::span<const std::uint8_t>> clear() const;
  std::uint32_t length(std::uint32_t packet) const {
    return options_.sizes[packet % options_.sizes.size()];
  }

 private:
  std::vector<std::span<std::uint8_t>> buffers(std::uint32_t octets);
  void make_jobs(std::uint32_t longest);
  void make_jobs_in_place(std::uint32_t longest);
  double run(std::vector<Job>& jobs);

  FlowOptions options_;
  std::unique_ptr<Context> context_;
  std::vector<SaHandle> out_, in_;
  std::vector<std::span<std::uint8_t>> clear_, sealed_, opened_;
  std::vector<std::vector<std::uint8_t>> own_;
  std::vector<std::span<std::uint8_t>> pool_;
  std::vector<Segment> segments_;  // clear, sealed room, sealed, opened: burst of each
  std::vector<Job> seals_, opens_;
  std::vector<Completion> completions_;
  std::mt19937 random_{1};
  bool sound_ = true;
};

}  // namespace espalier::bench
