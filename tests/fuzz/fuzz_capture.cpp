// SPDX-License-Identifier: BSD-2-Clause-Patent
// Captures: read, or refused with one line; and IP is found inside the frame, or not at all.
#include <cstdlib>
#include <exception>
#include <string>

#include "cli/capture.hpp"
#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    const auto capture = espalier::cli::read_capture(file.path());
    for (const auto& frame : capture.frames) {
      std::uint32_t offset = 0;
      if (espalier::cli::find_ip(capture.link_type, frame.octets, offset) &&
          offset > frame.octets.size())
        std::abort();
    }
  } catch (const std::exception& refused) {
    if (std::string(refused.what()).empty()) std::abort();
  }
  return 0;
}
