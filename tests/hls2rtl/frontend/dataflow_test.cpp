// SPDX-License-Identifier: BSD-2-Clause-Patent
// The stage graph a dataflow function describes, and what is wrong with one that describes none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "frontend/frontend.hpp"
#include "hwir/error.hpp"

namespace {

using namespace espalier;
using testing::HasSubstr;

constexpr const char* kSteps = R"(
#include "ap_int.h"
#include "hls_stream.h"
using Word = ap_uint<12>;
struct AddState { Word sum; };
void add(AddState& s, hls::stream<Word, 8>& in, hls::stream<Word>& out) {
  if (in.empty()) return;
  s.sum += in.read();
  out.write(s.sum);
}
template <int N> void delay(hls::stream<Word>& in, hls::stream<Word, 8>& out) {
  if (!in.empty()) out.write(in.read() + N);
}
struct Inner { AddState first; hls::stream<Word> between; AddState second; };
struct Engine { Inner inner; hls::stream<Word, 8> to_inner; hls::stream<Word> tail; };
)";

/// `body` follows kSteps in a file that goes when the object goes.
class SourceFile {
 public:
  explicit SourceFile(const std::string& body)
      : path_(std::filesystem::temp_directory_path() /
              (std::string("dataflow_test_") +
               testing::UnitTest::GetInstance()->current_test_info()->name() + ".cpp")) {
    std::ofstream(path_) << kSteps << body;
  }
  ~SourceFile() { std::filesystem::remove(path_); }

  frontend::Source source() const {
    frontend::CompileOptions options;
    options.sources = {path_.string()};
    options.clang_flags = {"-w", "-I", HLS_INCLUDE, "-I", HLS_INCLUDE "/shim"};
    return frontend::Source(options);
  }

 private:
  std::filesystem::path path_;
};

std::string errorOf(const std::string& body) {
  try {
    SourceFile(body).source().readDataflow("engine");
    return "";
  } catch (const hwir::Error& error) {
    return error.what();
  }
}

TEST(Dataflow, NestedStagesBecomeOneGraph) {
  const SourceFile file(R"(
void inner(Inner& e, hls::stream<Word, 8>& in, hls::stream<Word>& out) {
  add(e.first, in, e.between);
  delay<3>(e.between, in);
  add(e.second, in, out);
}
void engine(Engine& e, hls::stream<Word>& in, hls::stream<Word>& out) {
  delay<1>(in, e.to_inner);
  inner(e.inner, e.to_inner, e.tail);
  delay<2>(e.tail, reinterpret_cast<hls::stream<Word, 8>&>(out));
}
)");
  const frontend::Dataflow graph = file.source().readDataflow("engine");
  EXPECT_EQ(graph.name, "engine");
  ASSERT_EQ(graph.streams.size(), 5u);
  EXPECT_EQ(graph.streams[0].name, "inner_between");
  EXPECT_EQ(graph.streams[1].name, "to_inner");
  EXPECT_EQ(graph.streams[1].depth, 8u);
  EXPECT_EQ(graph.streams[1].width, 12u);
  EXPECT_FALSE(graph.streams[2].external);
  EXPECT_TRUE(graph.streams[3].external && graph.streams[4].external);
  ASSERT_EQ(graph.stages.size(), 5u);
  EXPECT_EQ(graph.stages[0].instance, "delay_1");
  EXPECT_EQ(graph.stages[1].instance, "inner_first");
  EXPECT_EQ(graph.stages[2].instance, "delay_3");
  EXPECT_EQ(graph.stages[3].instance, "inner_second");
  EXPECT_EQ(graph.stages[1].function, graph.stages[3].function);
  EXPECT_EQ(graph.stages[1].streams[0].port, "in");
  EXPECT_EQ(graph.stages[1].streams[0].stream, 1u);
  EXPECT_EQ(graph.stages[1].streams[1].stream, 0u);
}

TEST(Dataflow, RefusesABranch) {
  EXPECT_THAT(
      errorOf(R"(
void engine(Engine& e, hls::stream<Word, 8>& in, hls::stream<Word>& out) {
  if (!in.empty()) add(e.inner.first, in, out);
}
)"),
      HasSubstr("the dataflow function 'engine' branches; call every stage unconditionally"));
}

TEST(Dataflow, RefusesALocalStream) {
  EXPECT_THAT(
      errorOf(R"(
void engine(Engine& e, hls::stream<Word, 8>& in, hls::stream<Word>& out) {
  static AddState state;
  add(state, in, out);
}
)"),
      HasSubstr("is no member of the engine; keep state and streams in the engine's struct"));
}

TEST(Translation, IsDeterministic) {
  const SourceFile file("");
  const frontend::Source source = file.source();
  EXPECT_EQ(hwir::dump(source.translateStep("add")), hwir::dump(source.translateStep("add")));
  EXPECT_THAT(hwir::dump(source.translateStep("add")), HasSubstr("register sum"));
}

TEST(Translation, UnknownFunction) {
  const SourceFile file("");
  EXPECT_THROW(file.source().translateStep("substract"), hwir::Error);
}

}  // namespace
