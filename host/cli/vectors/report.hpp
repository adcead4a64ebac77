// SPDX-License-Identifier: BSD-2-Clause-Patent
// The verdicts of a run over vectors.
#pragma once

#include <map>
#include <string>

namespace espalier::cli {

/// What became of one vector.
struct Verdict {
  enum class Kind { passed, failed, skipped } kind = Kind::passed;
  std::string why;  ///< Empty if it passed.

  static Verdict pass() { return {}; }
  static Verdict fail(std::string why) { return {Kind::failed, std::move(why)}; }
  static Verdict skip(std::string why) { return {Kind::skipped, std::move(why)}; }
};

struct Report {
  unsigned passed = 0, failed = 0, skipped = 0;
  std::map<std::string, unsigned> skips;  ///< By reason.

  void add(const Verdict& verdict) {
    passed += verdict.kind == Verdict::Kind::passed;
    failed += verdict.kind == Verdict::Kind::failed;
    if (verdict.kind == Verdict::Kind::skipped) {
      ++skipped;
      ++skips[verdict.why];
    }
  }
};

}  // namespace espalier::cli
