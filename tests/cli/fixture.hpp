// SPDX-License-Identifier: BSD-2-Clause-Patent
// The command, run as a script would, in a directory of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace espalier::test {

namespace fs = std::filesystem;

inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Outcome {
  int status;
  std::string out, err;
};

class Command : public ::testing::Test {
 protected:
  void SetUp() override {
    dir = fs::temp_directory_path() / ("espalier-cli-" + std::to_string(getpid()));
    fs::create_directories(dir);
  }
  void TearDown() override { fs::remove_all(dir); }

  Outcome run(const std::string& arguments) {
    const fs::path err = dir / "stderr";
    const std::string line = std::string(ESPALIER_COMMAND) + " " + arguments + " 2>" + err.string();
    std::FILE* pipe = popen(line.c_str(), "r");
    std::string out;
    char buffer[4096];
    while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out, slurp(err)};
  }
  /// Set-up errors: status 2, nothing on stdout, one line on stderr that holds `what`.
  void expect_refusal(const std::string& arguments, const std::string& what) {
    SCOPED_TRACE(arguments);
    const Outcome got = run(arguments);
    EXPECT_EQ(got.status, 2);
    EXPECT_EQ(got.out, "");
    EXPECT_EQ(std::count(got.err.begin(), got.err.end(), '\n'), 1) << got.err;
    EXPECT_NE(got.err.find(what), std::string::npos) << got.err;
  }
  fs::path write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const fs::path path = dir / name;
    std::ofstream(path, std::ios::binary) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  std::string sa_file(const std::string& more = "", mode_t mode = 0600) {
    return write("sa.toml",
                 "[[sa]]\nsuite = \"aes128gcm16\"\nspi = 0x1001\n"
                 "key = \"000102030405060708090a0b0c0d0e0f10111213\"\n"
                 "source = \"192.0.2.1\"\ndestination = \"192.0.2.2\"\n" +
                     more,
                 mode)
        .string();
  }
  /// A raw-IP pcap of `count` IPv4 packets, and one of version 3 if `bad`.
  std::string capture(unsigned count, bool bad = false) {
    std::string out;
    const auto le32 = [&](std::uint32_t v) {
      for (int i = 0; i < 4; ++i) out += static_cast<char>(v >> (8 * i));
    };
    le32(0xa1b2c3d4);
    le32(0x00040002);
    le32(0);
    le32(0);
    le32(65535);
    le32(101);  // LINKTYPE_RAW
    for (unsigned i = 0; i < count + bad; ++i) {
      std::string packet(40 + i, '\0');
      packet[0] = i == count ? 0x35 : 0x45;
      packet[3] = static_cast<char>(packet.size());
      packet[8] = 64;
      packet[9] = 17;
      packet[12] = packet[16] = 10;
      packet[20] = static_cast<char>(i);
      le32(1000 + i);
      le32(0);
      le32(static_cast<std::uint32_t>(packet.size()));
      le32(static_cast<std::uint32_t>(packet.size()));
      out += packet;
    }
    return write("in.pcap", out).string();
  }
  std::string path(const char* name) const { return (dir / name).string(); }

  fs::path dir;
};

}  // namespace espalier::test
