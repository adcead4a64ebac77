// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The command hls2rtl: C++ step functions to SystemVerilog.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "backend/emit.hpp"
#include "backend/schedule.hpp"
#include "frontend/diagnostics.hpp"
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
  backend::ScheduleOptions schedule;
  bool dump_ir = false;
  bool dump_hwir = false;
};

std::ofstream create(const fs::path& path) {
  std::ofstream file(path);
  if (!file) throw std::ios_base::failure("can't write " + path.string());
  return file;
}

hwir::Module translate(const Options& o, const std::string& top) {
  if (!o.dump_ir) return frontend::translateStep(o.compile, top);
  std::ofstream ir = create(fs::path(o.directory) / (frontend::identifier(top) + ".ll"));
  return frontend::translateStep(o.compile, top, "", &ir);
}

void run(const Options& o) {
  fs::create_directories(o.directory);
  const hwir::Module module = translate(o, o.top);
  if (o.dump_hwir) create(fs::path(o.directory) / (module.name + ".hwir")) << hwir::dump(module);
  const backend::Schedule schedule = backend::schedule(module, o.schedule);
  create(fs::path(o.directory) / (module.name + ".sv")) << backend::emit(module, schedule);
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

  app.add_option("--top", o.top, "Step function, as the source names it")->required();
  app.add_option("-o,--output", o.directory, "Directory for the results")->required();
  app.add_option("--levels", o.schedule.levels, "LUT levels of a pipeline stage")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--limit", o.schedule.limit,
                 "LUT levels of a recurrence or of the decision about a pop")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
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
