// SPDX-License-Identifier: BSD-2-Clause-Patent
// The command `espalier`.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>

#include "cli/command.hpp"
#include "espalier/driver/key_memory.hpp"

namespace {

/// A descriptor closed by the caller would be the next file's, which then takes what we print.
/// Writing to standard output fails instead.
void hold_standard_descriptors() {
  while (true) {
    const int fd = open("/dev/null", O_RDONLY);
    if (fd > STDERR_FILENO) close(fd);
    if (fd < 0 || fd > STDERR_FILENO) return;
  }
}

/// Keeps keys out of swap, core dumps and the user's other processes, as far as the system permits.
/// ESPALIER_DEBUG in the environment leaves the process open to core dumps and to debuggers that
/// attach (one that starts it needs nothing); so does a build with a sanitizer, whose search for
/// leaks attaches too.
void guard_keys() {
  espalier::driver::keep_openssl_memory();
#ifndef ESPALIER_SANITIZED
  if (std::getenv("ESPALIER_DEBUG") == nullptr) prctl(PR_SET_DUMPABLE, 0);
#endif
}

/// The first argument, if it should be a command and is none.
const char* unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return nullptr;
  const auto commands = app.get_subcommands(nullptr);
  const bool known = std::any_of(commands.begin(), commands.end(),
                                 [&](const CLI::App* c) { return c->check_name(argv[1]); });
  return known ? nullptr : argv[1];
}

/// What is still in the buffer may not reach a full disk.
bool printed() {
  std::cout.flush();
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace espalier::cli;
  guard_keys();
  hold_standard_descriptors();
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
  if (const char* unknown = unknown_command(app, argc, argv)) {
    fmt::print(stderr, "espalier: no command '{}'; see espalier --help\n", unknown);
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help
    status = app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::string line = error.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    fmt::print(stderr, "espalier: {}; see espalier --help\n", line);
    return kUsage;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "espalier: out of memory; ask for fewer or smaller packets\n");
    return kUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "espalier: {}\n", error.what());
    return kUsage;
  }
  if (!printed()) {
    fmt::print(stderr,
               "espalier: can't write to standard output; is it closed, or the disk full?\n");
    return kUsage;
  }
  return status;
}
