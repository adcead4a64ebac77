// SPDX-License-Identifier: BSD-2-Clause-Patent
// A real Linux kernel as the peer: it opens what the library seals, answers, and the library opens
// what the kernel seals.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

#include "ping.hpp"
#include "wire.hpp"

namespace espalier::interop {
namespace {

constexpr int kSkipped = 77;  // what ctest takes for "skipped"

std::string folder;               // NOLINT: argument of the program
std::string device = "software";  // NOLINT: argument of the program

/// The kernel's counters that are not zero (/proc/net/xfrm_stat).
std::map<std::string, unsigned> drops(const std::string& said) {
  std::map<std::string, unsigned> counters;
  std::istringstream lines(said);
  std::string name;
  unsigned count = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("Xfrm") && std::istringstream(line) >> name >> count && count != 0)
      counters[name] = count;
  return counters;
}

/// One guest for all tests: it boots for seconds.
class Peer : public testing::Environment {
 public:
  static Peer& instance() {
    static Peer* peer = new Peer;  // GoogleTest owns it
    return *peer;
  }
  void SetUp() override {
    std::string states;
    for (const Case& c : all_cases()) states += c.states();
    guest = std::make_unique<Guest>(folder, states);
    wire = std::make_unique<Wire>(*guest, device);
  }
  void TearDown() override {
    if (!guest) return;
    for (const auto& [name, packets] : wire->by_device())
      std::cout << packets << " packets on " << name << "\n";
    const std::string said = guest->shut_down();
    const std::size_t ready = said.find("peer: ready");
    std::cout << said.substr(ready, said.find('\n', ready) - ready) << "\n";
    EXPECT_EQ(drops(said), expected) << "what the kernel dropped is not what it was sent to drop";
  }

  /// Drops the tests have caused, by the kernel's names.
  std::map<std::string, unsigned> expected;

  std::unique_ptr<Guest> guest;
  std::unique_ptr<Wire> wire;
};

class LinuxPeer : public testing::TestWithParam<Case> {
 protected:
  Echo echo(std::uint16_t sequence, std::size_t payload) const {
    const Case& c = GetParam();
    Echo request{c.near(), c.far(), static_cast<std::uint16_t>(c.index), sequence, {}};
    std::mt19937 random(c.index * 65536 + sequence);
    request.payload.resize(payload);
    for (auto& octet : request.payload) octet = static_cast<std::uint8_t>(random());
    return request;
  }
  /// Sends nothing; waits for the answer to `request`.
  void expect_answer(const Echo& request) {
    const auto packet = wire().receive(GetParam());
    ASSERT_TRUE(packet) << "the kernel did not answer " << request.payload.size() << " octets";
    Echo reply;
    ASSERT_TRUE(parse_reply(*packet, reply));
    EXPECT_EQ(reply, request.reply());
  }
  Packet seal(const Echo& request) { return wire().seal(GetParam(), request_packet(request)); }
  void send(const Packet& packet) { wire().send(GetParam().outer, packet); }
  static Wire& wire() { return *Peer::instance().wire; }
};

TEST_P(LinuxPeer, OpensOursAndWeOpenIts) {
  std::uint16_t sequence = 0;
  for (const std::size_t payload : {0, 1, 2, 3, 4, 13, 56, 548, 1400, 8800}) {
    const Echo request = echo(++sequence, payload);
    send(seal(request));
    expect_answer(request);
    if (HasFatalFailure()) return;
  }
}

TEST_P(LinuxPeer, DropsWhatWasTouchedOrSentTwice) {
  const Echo first = echo(100, 64);
  const Packet sealed = seal(first);
  Packet touched = sealed;
  touched.back() ^= 1;
  send(touched);  // no answer
  send(sealed);
  expect_answer(first);
  send(sealed);  // no answer: a replay
  // Over IPv6 the datagram's checksum tells first (RFC 8200 8.1).
  const bool checksummed = GetParam().natt && GetParam().outer == Family::ipv6;
  if (!checksummed) ++Peer::instance().expected["XfrmInStateProtoError"];
  ++Peer::instance().expected["XfrmInStateSeqError"];
  const Echo last = echo(101, 64);
  send(seal(last));
  expect_answer(last);
}

INSTANTIATE_TEST_SUITE_P(, LinuxPeer, testing::ValuesIn(all_cases()),
                         [](const auto& info) { return info.param.name(); });

}  // namespace
}  // namespace espalier::interop

/// linux_peer FOLDER [--device NAME] and GoogleTest's own options.
int main(int argc, char** argv) {
  using namespace espalier::interop;
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) folder = argv[1];
  if (argc > 3 && std::string(argv[2]) == "--device") device = argv[3];
  if (!std::filesystem::exists(folder + "/initrd")) {
    std::cout << "linux peer: skipped: no guest in '" << folder << "'\n";
    return kSkipped;
  }
  testing::AddGlobalTestEnvironment(&Peer::instance());
  return RUN_ALL_TESTS();
}
