// SPDX-License-Identifier: BSD-2-Clause-Patent
// The shared link's budget: what may still pass in this cycle, each way.
#pragma once

#include <algorithm>

#include "card/options.hpp"

namespace espalier::sim {

class Link {
 public:
  explicit Link(const LinkProfile& profile) : profile_(profile) {}
  const LinkProfile& profile() const { return profile_; }

  /// A cycle passes.  Unused budget is kept only as far as rounding needs it.
  void tick() {
    up_ = std::min(up_ + profile_.bytes_per_cycle, profile_.bytes_per_cycle);
    down_ = std::min(down_ + profile_.bytes_per_cycle, profile_.bytes_per_cycle);
  }
  /// Something may start to pass while the direction is not in debt; it may run into debt.
  bool up_free() const { return profile_.bytes_per_cycle == 0 || up_ > 0; }
  bool down_free() const { return profile_.bytes_per_cycle == 0 || down_ > 0; }
  void send_up(unsigned bytes) { up_ -= bytes; }
  void send_down(unsigned bytes) { down_ -= bytes; }

 private:
  LinkProfile profile_;
  double up_ = 0, down_ = 0;
};

}  // namespace espalier::sim
