// SPDX-License-Identifier: BSD-2-Clause-Patent
// docs/conformance.md has every requirement, and names only tests there are.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Row {
  std::string level, where;
};

/// The page's rows by requirement.
std::map<std::string, Row> rows() {
  std::map<std::string, Row> out;
  std::ifstream in("docs/conformance.md");
  const std::regex row(
      R"(\| ([A-Z]\d+) \| (MUST|SHOULD|MAY|MAY / SHOULD|profile)( if offered| of a gateway)? \| .* \| (.*) \|)");
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row)) {
      EXPECT_EQ(out.count(match[1]), 0u) << match[1] << " is there twice";
      out[match[1]] = {match[2].str() + match[3].str(), match[4]};
    }
  }
  return out;
}

std::set<std::string> tests() {
  std::set<std::string> out;
  const std::regex test(R"(\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  for (const auto& entry : fs::recursive_directory_iterator("tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = slurp(entry.path());
    for (std::sregex_iterator i(text.begin(), text.end(), test), end; i != end; ++i)
      out.insert((*i)[1].str() + "." + (*i)[2].str());
  }
  return out;
}

TEST(ConformancePage, HasEveryRequirement) {
  const auto page = rows();
  const std::map<char, int> sections = {{'O', 28}, {'I', 22}, {'A', 19}, {'D', 15},
                                        {'R', 16}, {'C', 12}, {'T', 9},  {'F', 9},
                                        {'N', 10}, {'L', 9},  {'S', 7}};
  std::size_t total = 0;
  for (const auto& [section, count] : sections) {
    for (int i = 1; i <= count; ++i)
      EXPECT_TRUE(page.count(section + std::to_string(i))) << section << i << " is missing";
    total += static_cast<std::size_t>(count);
  }
  EXPECT_EQ(page.size(), total);
}

TEST(ConformancePage, NamesOnlyTestsThereAre) {
  const auto known = tests();
  ASSERT_GT(known.size(), 100u) << "run from the project's root";
  const std::regex name(R"(\b([A-Z]\w+\.[A-Z]\w+)\b)");
  for (const auto& [id, row] : rows()) {
    const std::string& where = row.where;
    EXPECT_FALSE(std::regex_search(where, std::regex(R"(\bopen\b[:;]|^open$)")))
        << id << " is open";
    bool said = where.find("not offered") != std::string::npos ||
                where.find("not claimed") != std::string::npos ||
                where.find("vectors ") != std::string::npos || id == "I21";
    for (std::sregex_iterator i(where.begin(), where.end(), name), end; i != end; ++i) {
      EXPECT_TRUE(known.count((*i)[1])) << id << " names " << (*i)[1] << ", which is no test";
      said = true;
    }
    EXPECT_TRUE(said) << id << " says nothing";
    if (row.level == "MUST") {
      EXPECT_FALSE(where.starts_with("not ")) << id << " is a MUST without a test";
    }
  }
}

}  // namespace
