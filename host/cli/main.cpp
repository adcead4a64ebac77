// SPDX-License-Identifier: BSD-2-Clause-Patent
// The command `espalier`.
#include <fmt/core.h>

#include <algorithm>

#include "cli/command.hpp"

int main(int argc, char** argv) {
  using namespace espalier::cli;
  int status = kDone;
  CLI::App app{"IPsec data plane: FPGA card, simulation and CPU behind one library", "espalier"};
  app.require_subcommand(1);
  app.footer("Exit status: 0 done, 1 some packet or vector failed, 2 usage or set-up error.");
  add_devices(app, status);
  add_selftest(app, status);
  add_vectors(app, status);
  add_protect(app, status);
  add_unprotect(app, status);
  add_bench(app, status);
  add_demo(app, status);
  add_soak(app, status);
  add_prove(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::string line = error.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    fmt::print(stderr, "espalier: {}; see espalier --help\n", line);
    return kUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "espalier: {}\n", error.what());
    return kUsage;
  }
  return status;
}
