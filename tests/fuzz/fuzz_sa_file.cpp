// SPDX-License-Identifier: BSD-2-Clause-Patent
// SA files: read, or refused with one line.
#include <cstdlib>
#include <exception>
#include <string>

#include "cli/sa_file.hpp"
#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    for (const auto& sa : espalier::cli::read_sa_file(file.path(), true))
      if (sa.config.transform.spi < 256) std::abort();
  } catch (const std::exception& refused) {
    if (std::string(refused.what()).empty()) std::abort();
  }
  return 0;
}
