// SPDX-License-Identifier: BSD-2-Clause-Patent
// One security association as a device sees it: algorithm, keys, header; no policy, no counters, no
// replay window.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "espalier/spec/sa_record.h"

namespace espalier::driver {

enum class Direction : std::uint8_t { seal, open };
enum class Protocol : std::uint8_t { esp = 50, ah = 51 };
enum class Mode : std::uint8_t { transport, tunnel };
enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

inline constexpr unsigned kMaxCipherKey = 32;     ///< Octets, salt not included.
inline constexpr unsigned kMaxIntegrityKey = 64;  ///< Octets.
inline constexpr unsigned kMaxHeaderTemplate = 64;

/// A key of up to N octets that wipes itself: on destruction, and what it held before on
/// assignment.
template <unsigned N>
class Key {
 public:
  Key() = default;
  explicit Key(std::span<const std::uint8_t> octets) { assign(octets); }
  Key(const Key&) = default;
  Key& operator=(const Key& other) {
    if (this != &other) assign(other.view());
    return *this;
  }
  ~Key() { wipe(); }

  /// Takes at most N octets; the caller has checked the length against the suite.
  void assign(std::span<const std::uint8_t> octets) {
    wipe();
    size_ = octets.size() < N ? static_cast<unsigned>(octets.size()) : N;
    for (unsigned i = 0; i < size_; ++i) octets_[i] = octets[i];
  }
  void wipe() {
    volatile std::uint8_t* p = octets_.data();  // volatile: the store is the point
    for (unsigned i = 0; i < N; ++i) p[i] = 0;
    size_ = 0;
  }
  std::span<const std::uint8_t> view() const { return {octets_.data(), size_}; }
  unsigned size() const { return size_; }

 private:
  std::array<std::uint8_t, N> octets_{};
  unsigned size_ = 0;
};

/// What a device needs to protect or unprotect packets of one SA.  Immutable once installed: a
/// change is a new generation (D6).  Checked by the library before it reaches a device (RFC 8221,
/// key and ICV lengths).
struct SaParameters {
  Direction direction = Direction::seal;
  Protocol protocol = Protocol::esp;
  Mode mode = Mode::tunnel;
  Family outer =
      Family::ipv4;  ///< Of the outer header in tunnel mode, of the packet in transport mode.
  bool esn = false;
  bool implicit_iv = false;        ///< RFC 8750.
  bool udp_encapsulation = false;  ///< RFC 3948.
  bool ah_align8 = false;          ///< AH over IPv4 padded to 8 octets, as Linux does by default.
  bool copy_ecn = true;   ///< Tunnel egress follows RFC 6040; otherwise the inner ECN stays.
  std::uint32_t spi = 0;  ///< Host order; never 0..255.

  spec::Cipher cipher = spec::Cipher::null;
  spec::Integrity integrity = spec::Integrity::none;
  std::uint8_t icv_length = 0;  ///< Octets.
  Key<kMaxCipherKey> cipher_key;
  Key<kMaxIntegrityKey> integrity_key;
  std::array<std::uint8_t, 4> salt{};  ///< Wire order; three octets in CCM.

  /// Outer IP header, and UDP header with udp_encapsulation, in wire order; length, identification,
  /// TOS, DF, TTL, flow label and checksum as zero: they come with each job.  Tunnel mode and UDP
  /// encapsulation only (transport mode with UDP: the UDP header alone).
  std::array<std::uint8_t, kMaxHeaderTemplate> header_template{};
  std::uint8_t header_length = 0;  ///< Octets in use, a multiple of 4.
};

}  // namespace espalier::driver
