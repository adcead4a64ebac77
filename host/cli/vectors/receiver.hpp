// SPDX-License-Identifier: BSD-2-Clause-Patent
// A receiving host around a context: what arrives goes to its SA and comes back clear, or dropped.
#pragma once

#include <optional>
#include <string>

#include "cli/vectors/report.hpp"
#include "cli/vectors/vector_sa.hpp"
#include "espalier/context.hpp"

namespace espalier::cli {

class Receiver {
 public:
  /// Adds the vector's SA to the context; see skip().
  Receiver(Context& context, const nlohmann::json& sa, const Octets& packet,
           std::uint64_t highest = 0);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// Why the vector can't be run; empty if it can.
  const std::string& skip() const { return skip_; }

  struct Arrival {
    Drop drop = Drop::none;
    Octets packet;  ///< Empty if dropped.
  };
  /// Takes one packet through RFC 4301 5.2, selectors included.
  Arrival receive(Octets packet);
  std::uint64_t highest() const;

 private:
  Completion run(SaHandle sa, Octets& packet, Octets& result);
  bool selected(const Octets& inner) const;

  Context& context_;
  SaHandle sa_ = SaHandle::none;
  bool nat_t_ = false;
  std::optional<Prefix> source_, destination_;
  std::string skip_;
};

}  // namespace espalier::cli
