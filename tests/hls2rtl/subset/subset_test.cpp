// SPDX-License-Identifier: BSD-2-Clause-Patent
// Every forbidden construct is an error that names file, line, what is wrong and the way out.
//
// A case in cases/ marks the line it is wrong in with `// expect-error: text`; the message has to
// be "<file>:<that line>: ...; <the way out>" and to contain the text, "..." standing for anything.
// A case without a mark has to be accepted.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "backend/schedule.hpp"
#include "frontend/frontend.hpp"
#include "hwir/error.hpp"

namespace {

using namespace espalier;
namespace fs = std::filesystem;

const fs::path kCases = SUBSET_CASES;

struct Expectation {
  unsigned line;
  std::string text;
};

std::optional<Expectation> readMark(const fs::path& file) {
  const std::string mark = "// expect-error: ";
  std::ifstream in(file);
  std::string text;
  for (unsigned line = 1; std::getline(in, text); ++line) {
    if (const size_t at = text.find(mark); at != std::string::npos) {
      return Expectation{line, text.substr(at + mark.size())};
    }
  }
  return std::nullopt;
}

/// Whether the pieces of `text` between "..." follow each other in the message.
bool contains(const std::string& message, const std::string& text) {
  const std::string gap = " ... ";
  size_t at = 0;
  for (size_t from = 0; from <= text.size();) {
    const size_t to = std::min(text.find(gap, from), text.size());
    at = message.find(text.substr(from, to - from), at);
    if (at == std::string::npos) return false;
    at += to - from;
    from = to + gap.size();
  }
  return true;
}

/// The error message, or nothing if the case is accepted.
std::string translate(const fs::path& file) {
  frontend::CompileOptions options;
  options.sources = {file.string()};
  options.clang_flags = {"-w",
                         "-I",
                         HLS_INCLUDE,
                         "-I",
                         HLS_INCLUDE "/shim",
                         "-ffile-prefix-map=" + kCases.string() + "/="};
  try {
    backend::schedule(frontend::Source(options).translateStep("step"), {});
    return "";
  } catch (const hwir::Error& error) {
    return error.what();
  }
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(kCases)) {
    if (entry.path().extension() == ".cpp") all.push_back(entry.path().stem().string());
  }
  std::sort(all.begin(), all.end());
  return all;
}

class Subset : public testing::TestWithParam<std::string> {};

TEST_P(Subset, SaysWhereAndHowToMend) {
  const fs::path file = kCases / (GetParam() + ".cpp");
  const std::string message = translate(file);
  const std::optional<Expectation> expected = readMark(file);
  if (!expected) {
    EXPECT_EQ(message, "");
    return;
  }
  const std::string place = file.filename().string() + ":" + std::to_string(expected->line) + ":";
  EXPECT_EQ(message.substr(0, place.size()), place) << message;
  EXPECT_TRUE(contains(message, expected->text)) << message;
  EXPECT_NE(message.find("; "), std::string::npos) << "no way out: " << message;
}

INSTANTIATE_TEST_SUITE_P(Cases, Subset, testing::ValuesIn(names()),
                         [](const auto& info) { return info.param; });

}  // namespace
