// SPDX-License-Identifier: BSD-2-Clause-Patent
/// stage_check: native C++ = HwIR = RTL, for the stages of a native library (native.hpp) and, if
/// given, the library that verilate_stages.py made of their RTL.
///
/// Exit status: 0 all equal, 1 a difference or a stage the translator refuses, 2 wrong usage.
#include <dlfcn.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "backend/emit.hpp"
#include "backend/stage.hpp"
#include "frontend/frontend.hpp"
#include "hwir/error.hpp"
#include "lockstep.hpp"

namespace espalier::stagecheck {
namespace {

constexpr unsigned kResetClocks = 4;
constexpr unsigned kDrainClocks = 200;  ///< more than any pipeline has stages

struct Options {
  std::string native, rtl;
  frontend::CompileOptions compile;
  std::vector<std::string> stages;
  std::string emit, build;
  backend::ScheduleOptions schedule;
  unsigned clocks = 2000;
  uint64_t seed = 1;
};

template <class Function>
Function* load(const std::string& library, const char* symbol) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* found = handle ? dlsym(handle, symbol) : nullptr;
  if (!found) throw std::runtime_error(fmt::format("{}: {}", library, dlerror()));
  return reinterpret_cast<Function*>(found);
}

std::vector<NativeStage> nativeStages(const Options& options) {
  std::vector<NativeStage> all, wanted;
  load<ListNativeStages>(options.native, kNativeSymbol)(all);
  if (options.stages.empty()) return all;
  for (const std::string& name : options.stages) {
    const auto is = [&](const NativeStage& s) { return s.name == name; };
    const auto stage = std::find_if(all.begin(), all.end(), is);
    if (stage == all.end())
      throw std::runtime_error(fmt::format("{}: no stage {}", options.native, name));
    wanted.push_back(*stage);
  }
  return wanted;
}

/// All stages share one clock.  At last no step fires any more, and what is in the pipelines
/// drains.
void run(std::vector<std::unique_ptr<Lockstep>>& stages, Rtl* rtl, unsigned clocks) {
  for (unsigned i = 0; rtl && i < kResetClocks; ++i) rtl->tick();
  if (rtl) rtl->reset(false);
  for (unsigned clock = 0; clock < clocks + kDrainClocks; ++clock) {
    for (auto& s : stages) s->offer(clock >= clocks);
    if (rtl) rtl->settle();
    for (auto& s : stages) s->compare();
    if (rtl) rtl->tick();
  }
}

void emitRtl(const hwir::Module& module, const Options& options) {
  const backend::Stage stage = backend::makeStage(module, options.schedule);
  std::ofstream(options.emit + "/" + module.name + ".sv")
      << backend::emit(stage.module, stage.schedule);
}

int check(const Options& options) {
  const std::vector<NativeStage> natives = nativeStages(options);
  const frontend::Source source(options.compile);
  std::deque<std::pair<NativeStage, hwir::Module>> translated;
  unsigned bad = 0;
  for (const NativeStage& native : natives) {
    try {
      const hwir::Module module = source.translateStep(native.name);
      if (!options.emit.empty()) emitRtl(module, options);
      translated.emplace_back(native, module);
    } catch (const hwir::Error& e) {
      ++bad;
      fmt::print("REFUSED {}: {}\n", native.name, e.what());
    }
  }
  if (!options.build.empty() && std::system(options.build.c_str()) != 0)
    throw std::runtime_error("failed: " + options.build);
  std::unique_ptr<Rtl> rtl;
  if (!options.rtl.empty()) rtl.reset(load<MakeRtl>(options.rtl, kRtlSymbol)());

  std::vector<std::unique_ptr<Lockstep>> stages;
  for (const auto& [native, module] : translated) {
    stages.push_back(std::make_unique<Lockstep>(native, module, rtl.get(), options.seed));
    stages.back()->fill(options.clocks);
  }
  run(stages, rtl.get(), options.clocks);

  uint64_t steps = 0, elements = 0;
  for (auto& s : stages) {
    steps += s->steps();
    elements += s->elements(true) + s->elements(false);
    std::string problem = s->difference();
    if (problem.empty()) problem = s->stuck();
    if (problem.empty()) continue;
    ++bad;
    fmt::print("DIFFERENT {}\n", problem);
  }
  fmt::print("{} of {} stages equal ({}), {} steps, {} stream elements, seed {}\n",
             natives.size() - bad, natives.size(), rtl ? "native = HwIR = RTL" : "native = HwIR",
             steps, elements, options.seed);
  return bad ? 1 : 0;
}

}  // namespace
}  // namespace espalier::stagecheck

int main(int argc, char** argv) {
  espalier::stagecheck::Options options;
  CLI::App app("Checks that native C++, HwIR and RTL of stages are equal, step by step");
  app.add_option("--native", options.native, "library of native stages")->required();
  app.add_option("--rtl", options.rtl, "library of Verilated stages");
  app.add_option("--source", options.compile.sources, "C++ files that define them")->required();
  app.add_option("--flag", options.compile.clang_flags, "for clang, e.g. --flag=-Ihls");
  app.add_option("--stage", options.stages, "only these");
  app.add_option("--clocks", options.clocks, "clocks to run");
  app.add_option("--seed", options.seed, "of stimulus and stalls");
  app.add_option("--emit", options.emit, "folder to write the stages' SystemVerilog to");
  app.add_option("--build", options.build, "shell command that makes --rtl of what --emit wrote");
  app.add_option("--levels", options.schedule.levels,
                 "of --emit: LUT levels of feed-forward logic");
  app.add_option("--limit", options.schedule.limit, "of --emit: LUT levels of a recurrence");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    const int status = espalier::stagecheck::check(options);
    if (status) {
      fmt::print("replay:");
      for (int i = 0; i < argc; ++i) fmt::print(" {}", argv[i]);
      fmt::print("\n");
    }
    return status;
  } catch (const espalier::hwir::Error& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "stage_check: {}\n", e.what());
    return 2;
  }
}
