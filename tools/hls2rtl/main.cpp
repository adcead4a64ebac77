// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The command hls2rtl: C++ step functions to SystemVerilog.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <thread>

#include "backend/emit.hpp"
#include "backend/engine.hpp"
#include "backend/stage.hpp"
#include "frontend/frontend.hpp"
#include "hwir/error.hpp"

namespace {

using namespace espalier;
namespace fs = std::filesystem;

constexpr int kFailed = 1;  ///< the source can't be translated
constexpr int kUsage = 2;   ///< wrong arguments, or files that can't be read or written

struct Options {
  frontend::CompileOptions compile;
  std::string top;
  std::string directory;
  std::string report;
  bool engine = false;
  backend::ScheduleOptions schedule;
  std::map<std::string, int> stage_levels;  ///< by stage, where it isn't schedule.levels
  bool dump_ir = false;
  bool dump_hwir = false;
};

void write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::ios_base::failure("can't write " + path.string());
}

/// Translates, schedules and emits one step.
backend::Stage makeStage(const Options& o, const frontend::Source& source, const std::string& top) {
  const fs::path directory = o.directory;
  frontend::IrSink keep_ir;
  if (o.dump_ir) {
    keep_ir = [&](const std::string& name, const std::string& text) {
      write(directory / (name + ".ll"), text);
    };
  }
  hwir::Module module = source.translateStep(top, keep_ir);
  if (o.dump_hwir) write(directory / (module.name + ".hwir"), hwir::dump(module));
  backend::ScheduleOptions schedule = o.schedule;
  if (const auto own = o.stage_levels.find(module.name); own != o.stage_levels.end()) {
    schedule.levels = own->second;
  }
  backend::Stage stage = backend::makeStage(std::move(module), schedule);
  write(directory / (stage.module.name + ".sv"), backend::emit(stage.module, stage.schedule));
  return stage;
}

/// A lone step is reported as an engine of one stage whose streams are all ports.
backend::Engine makeLoneStage(const Options& o, const frontend::Source& source) {
  backend::Engine engine;
  engine.stages.push_back(makeStage(o, source, o.top));
  const hwir::Module& m = engine.stages[0].module;
  engine.name = m.name;
  engine.loc = m.loc;
  backend::StageCall call{m.name, 0, {}, m.loc};
  const auto connect = [&](const std::string& name, unsigned width, const hwir::SourceLoc& loc) {
    call.connections.push_back({name, unsigned(engine.streams.size())});
    engine.streams.push_back({name, width, 0, true, loc});
  };
  for (const hwir::Input& i : m.inputs) connect(i.name, i.width, i.loc);
  for (const hwir::Output& p : m.outputs) connect(p.name, p.width, p.loc);
  engine.calls.push_back(std::move(call));
  return engine;
}

/// Translates steps side by side, as many as the machine has cores; results in the order asked for.
std::vector<backend::Stage> makeStages(const Options& o, const frontend::Source& source,
                                       const std::vector<std::string>& tops) {
  std::vector<std::future<backend::Stage>> results;
  std::atomic<size_t> next = 0;
  std::vector<std::promise<backend::Stage>> promises(tops.size());
  for (auto& promise : promises) results.push_back(promise.get_future());
  const auto work = [&] {
    for (size_t i; (i = next++) < tops.size();) {
      try {
        promises[i].set_value(makeStage(o, source, tops[i]));
      } catch (...) {
        promises[i].set_exception(std::current_exception());
      }
    }
  };
  std::vector<std::jthread> workers(std::max(1u, std::thread::hardware_concurrency()));
  for (std::jthread& worker : workers) worker = std::jthread(work);
  workers.clear();
  std::vector<backend::Stage> stages;
  for (auto& result : results) stages.push_back(result.get());
  return stages;
}

backend::Engine makeEngine(const Options& o, const frontend::Source& source) {
  const frontend::Dataflow graph = source.readDataflow(o.top);
  backend::Engine engine;
  engine.name = graph.name;
  engine.loc = graph.loc;
  for (const frontend::StreamNode& s : graph.streams) {
    engine.streams.push_back({s.name, s.width, s.depth, s.external, s.loc});
  }
  std::vector<std::string> functions;  // a step called twice is one module
  for (const frontend::StageCall& c : graph.stages) {
    const auto known = std::find(functions.begin(), functions.end(), c.function);
    backend::StageCall call{c.instance, unsigned(known - functions.begin()), {}, c.loc};
    if (known == functions.end()) functions.push_back(c.function);
    for (const frontend::StreamArgument& s : c.streams) {
      call.connections.push_back({s.port, s.stream});
    }
    engine.calls.push_back(std::move(call));
  }
  engine.stages = makeStages(o, source, functions);
  return engine;
}

void run(const Options& o) {
  fs::create_directories(o.directory);
  const frontend::Source source(o.compile);
  const backend::Engine engine = o.engine ? makeEngine(o, source) : makeLoneStage(o, source);
  const backend::FifoPlan plan = backend::planFifos(engine);
  if (o.engine)
    write(fs::path(o.directory) / (engine.name + ".sv"), backend::emitTop(engine, plan));
  if (!o.report.empty()) write(o.report, backend::report(engine, plan));
  std::fputs(backend::summary(engine, plan).c_str(), stdout);
}

/// What follows "--" is for clang.
std::vector<std::string> takeClangFlags(std::vector<std::string>& arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> flags;
  if (dashes != arguments.end()) flags.assign(dashes + 1, arguments.end());
  arguments.erase(dashes, arguments.end());
  return flags;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{
      "hls2rtl: translates C++ step functions of the HLS dialect to SystemVerilog.\n"
      "Exit status: 0 done, 1 the source can't be translated (stderr says where, why and how to "
      "mend "
      "it), 2 wrong arguments or files."};
  app.footer("Arguments after -- go to clang, e.g. -- -I hls/include -I hls/include/shim -I hls");

  app.add_option("--top", o.top,
                 "Step function (with --engine: dataflow function), as the source names it")
      ->required();
  app.add_flag("--engine", o.engine, "Translate every stage --top calls and stitch them together");
  app.add_option("-o,--output", o.directory, "Directory for the results")->required();
  app.add_option("--levels", o.schedule.levels, "LUT levels of a pipeline stage")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--stage-levels", o.stage_levels, "The same for one stage: name and levels")
      ->type_name("STAGE INT")
      ->allow_extra_args(false);
  app.add_option("--limit", o.schedule.limit,
                 "LUT levels of a recurrence or of the decision about a pop")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--report", o.report, "Write depth, area, levels and recurrences there, as JSON");
  app.add_flag("--dump-ir", o.dump_ir, "Also write the normalised LLVM IR, <stage>.ll");
  app.add_flag("--dump-hwir", o.dump_hwir, "Also write the hardware IR, <stage>.hwir");
  app.add_option("--clang", o.compile.clang, "clang++ 19 to compile with");
  app.add_option("sources", o.compile.sources, "C++ source files")
      ->required()
      ->check(CLI::ExistingFile);

  std::vector<std::string> arguments(argv + 1, argv + argc);
  o.compile.clang_flags = takeClangFlags(arguments);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  try {
    run(o);
  } catch (const hwir::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return kFailed;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hls2rtl: error: %s\n", e.what());
    return kUsage;
  }
  return 0;
}
