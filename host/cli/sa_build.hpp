// SPDX-License-Identifier: BSD-2-Clause-Patent
// Tables of SAs that other programs write, as SAs of ours.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/sa_file.hpp"
#include "espalier/driver/suite.hpp"

namespace espalier::cli {

/// Reads the text of Wireshark's file `esp_sa`, and of what `ip xfrm state` prints.  Throw Failure
/// with path, line and field.
std::vector<FileSa> read_esp_sa(const std::string& path, const std::string& text);
std::vector<FileSa> read_xfrm_state(const std::string& path, const std::string& text);

/// Where a table's SA stands, for errors.
struct TablePlace {
  const std::string& path;
  unsigned line;
  [[noreturn]] void fail(std::string_view field, const std::string& why) const;
};

/// An SA of a table: algorithms by our suites' names, with "%" where the cipher's key length in
/// bits goes ("aes%gcm16", "aes%-sha256", "null-sha1", "sha256" for AH); keys as hexadecimal digits
/// with or without 0x.
struct TableSa {
  driver::Protocol protocol = driver::Protocol::esp;
  std::string suite;
  unsigned salt_length = 0;  ///< Octets of `key` behind the cipher's own.
  std::string_view key, integrity_key;
  std::string_view spi, source, destination;
};

/// The SA, in tunnel mode with its header written, once its other options are set by `adjust`.
FileSa build_sa(const TablePlace& place, const TableSa& table,
                const std::function<void(FileSa&)>& adjust);

/// A number in decimal, or in hexadecimal behind 0x.
std::uint64_t parse_number(const TablePlace& place, std::string_view field, std::string_view text,
                           std::uint64_t high);

}  // namespace espalier::cli
