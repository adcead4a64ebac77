// SPDX-License-Identifier: BSD-2-Clause-Patent
// The command's outputs and exit statuses, which scripts depend on.
#include "fixture.hpp"

#include <nlohmann/json.hpp>
#include <regex>

namespace espalier::test {
namespace {

TEST_F(Command, HelpIsNoError) {
  for (const char* arguments : {"--help", "vectors --help", "bench --help", "protect --help"}) {
    const Outcome got = run(arguments);
    EXPECT_EQ(got.status, 0) << arguments;
    EXPECT_NE(got.out.find("Usage"), std::string::npos) << arguments;
  }
}

TEST_F(Command, UsageErrorsAreOneLine) {
  expect_refusal("", "subcommand");
  expect_refusal("vectors --device software no-such-file.json", "no-such-file.json");
  expect_refusal("selftest --device toaster", "use one of auto, software");
  expect_refusal("bench --suite 3des-sha1", "RFC 8221");
  expect_refusal("bench --mode tunnel5", "tunnel4");
  expect_refusal("bench --sizes 10", "imix");
  expect_refusal("bench --direction sideways", "mixed-random");
}

TEST_F(Command, DevicesAreListed) {
  const Outcome got = run("devices --json");
  EXPECT_EQ(got.status, 0);
  std::stringstream lines(got.out);
  std::string first, ipsec_mb;  // what does software's ciphers
  for (std::string line; std::getline(lines, line);) {
    const auto listed = nlohmann::json::parse(line);
    if (listed.at("health") == "gone") continue;
    if (first.empty()) first = listed.at("ciphers");
    if (listed.at("device") == "software:ipsec-mb") ipsec_mb = listed.at("ciphers");
    if (listed.at("device") == "software:openssl") {
      EXPECT_EQ(listed.at("ciphers"), "OpenSSL");
    }
  }
  EXPECT_EQ(first, ipsec_mb.empty() ? "OpenSSL" : ipsec_mb) << "the faster where it is there";
}

TEST_F(Command, SelftestPassesOnSoftware) {
  const Outcome got = run("selftest --device software");
  EXPECT_EQ(got.status, 0) << got.out;
  EXPECT_NE(got.out.find(" 0 failed"), std::string::npos) << got.out;
  expect_refusal("selftest --device nothing", "use one of");
}

TEST_F(Command, VectorsEndWithTheirCounts) {
  const Outcome got =
      run("vectors --device software tests/vectors/packets/rfc8750_implicit_iv.json"
          " tests/vectors/packets/rfc3602_aes_cbc_packets.json");
  EXPECT_EQ(got.status, 0) << got.out;
  EXPECT_TRUE(got.out.ends_with("\n40 passed, 0 failed, 3 skipped\n")) << got.out;
  EXPECT_NE(got.out.find("skipped     3: refused: no integrity"), std::string::npos) << got.out;
}

TEST_F(Command, AWrongVectorFails) {
  auto file =
      nlohmann::json::parse(slurp("tests/vectors/packets/rfc7634_chacha20_poly1305_packet.json"));
  std::string packet = file["vectors"][0]["expected_packet"];
  packet.back() = packet.back() == '0' ? '1' : '0';
  file["vectors"][0]["expected_packet"] = packet;
  const Outcome got = run("vectors --device software " + write("bad.json", file.dump()).string());
  EXPECT_EQ(got.status, 1);
  EXPECT_TRUE(got.out.ends_with("0 passed, 1 failed, 0 skipped\n")) << got.out;
  expect_refusal("vectors " + write("worse.json", "{").string(), "not JSON");
  expect_refusal("vectors " + write("other.json", "{\"a\": 1}").string(), "no vector file");
}

#ifdef ESPALIER_TEST_COSIM
TEST_F(Command, BenchOfTheCardSaysWhereCyclesWent) {
  const Outcome got = run("bench --device cosim:pcie3x16 --sizes 576 --packets 256 --json");
  ASSERT_EQ(got.status, 0) << got.err;
  const auto f = nlohmann::json::parse(got.out);
  // 576 octets are 9 beats, sealed 10; the library's own known answers come on top.
  EXPECT_NEAR(f.at("engine_in_cycles").get<double>(), 256 * 9, 32);
  EXPECT_NEAR(f.at("engine_out_cycles").get<double>(), 256 * 10, 32);
  EXPECT_LT(f.at("bound_bytes_per_cycle"), f.at("ceiling_bytes_per_cycle"));
  EXPECT_LE(f.at("bytes_per_cycle"), f.at("bound_bytes_per_cycle"));
}
#endif

TEST_F(Command, BenchPrintsTheFieldsOfTheContract) {
  const Outcome got = run(
      "bench --device software --sizes 64,imix --packets 64 --rounds 1 --direction both --json");
  ASSERT_EQ(got.status, 0) << got.err;
  std::stringstream lines(got.out);
  unsigned count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto f = nlohmann::json::parse(line);
    for (const char* field : {"device", "suite", "mode", "direction", "size", "packets",
                              "inner_bytes", "wall_ns", "ns_per_packet", "gbit_s"})
      EXPECT_TRUE(f.contains(field)) << field;
    EXPECT_FALSE(f.contains("cycles")) << "a CPU has no cycles to report";
  }
  EXPECT_EQ(count, 2u);
  const Outcome plot =
      run("bench --device null --sizes 64,1500 --packets 64 --rounds 1 --plot " + path("plot.svg"));
  EXPECT_EQ(plot.status, 0) << plot.err;
  EXPECT_NE(slurp(path("plot.svg")).find("<circle"), std::string::npos);
  const std::string picture = " --sizes 64 --packets 64 --occupancy " + path("stages.svg");
  EXPECT_NE(run("bench --device null" + picture).err.find("use engine"), std::string::npos);
  const Outcome stages = run("bench --device engine" + picture);
  if (stages.err.find("in this build") != std::string::npos) return;
  EXPECT_EQ(stages.status, 0) << stages.err;
  for (const char* stage : {"ingress: busy", "ghash: busy", "egress: busy"})
    EXPECT_NE(slurp(path("stages.svg")).find(stage), std::string::npos) << stage;
}

TEST_F(Command, ACaptureComesBackAsItWas) {
  const std::string sa = sa_file("test = true\n"), in = capture(50);
  const Outcome there = run("protect --sa " + sa + " " + in + " " + path("sealed.pcap"));
  EXPECT_EQ(there.status, 0) << there.err;
  EXPECT_NE(there.out.find("50 packets: 50 protected, 0 dropped"), std::string::npos) << there.out;
  const Outcome back =
      run("unprotect --sa " + sa + " " + path("sealed.pcap") + " " + path("clear.pcap"));
  EXPECT_EQ(back.status, 0) << back.err;
  // All but the snap length of the file's header.
  EXPECT_TRUE(slurp(path("clear.pcap")).substr(24) == slurp(in).substr(24));
  EXPECT_GT(slurp(path("sealed.pcap")).size(), slurp(in).size());
}

TEST_F(Command, ABadPacketIsCountedAndTheRestGoesOn) {
  const Outcome got = run("protect --sa " + sa_file("test = true\n") + " " + capture(5, true) +
                          " " + path("o.pcap"));
  EXPECT_EQ(got.status, 1);
  EXPECT_NE(got.out.find("6 packets: 5 protected, 1 dropped"), std::string::npos) << got.out;
  EXPECT_NE(got.out.find("malformed_ip"), std::string::npos) << got.out;
}

TEST_F(Command, ReplayedAndForeignPacketsAreDropped) {
  const std::string sa = sa_file("test = true\nto = [\"10.0.0.0/8\"]\n"), in = capture(3);
  ASSERT_EQ(run("protect --sa " + sa + " " + in + " " + path("sealed.pcap")).status, 0);
  const std::string sealed = slurp(path("sealed.pcap"));
  write("twice.pcap", sealed + sealed.substr(24));
  const Outcome twice =
      run("unprotect --sa " + sa + " " + path("twice.pcap") + " " + path("o.pcap"));
  EXPECT_EQ(twice.status, 1);
  EXPECT_NE(twice.out.find("3  replayed"), std::string::npos) << twice.out;
  const Outcome other = run("protect --sa " + sa_file("test = true\nto = [\"11.0.0.0/8\"]\n") +
                            " " + in + " " + path("o.pcap"));
  EXPECT_EQ(other.status, 1);
  EXPECT_NE(other.out.find("3  no_policy_out"), std::string::npos) << other.out;
}

/// The demo on a device: its output, after its files were looked at.
TEST_F(Command, TheDemoComparesAndWritesWhatWiresharkReads) {
  const std::string device =
      run("devices").out.find("csim ") == std::string::npos ? "software" : "csim";
  const Outcome got = run("demo --device " + device + " --reports " + path("demo") +
                          " tests/vectors/captures/mixed.pcap");
  EXPECT_EQ(got.status, 0) << got.out << got.err;
  for (const char* what :
       {"1017 IPv4 and 1034 IPv6 packets of 40 to 9000 octets", "2051 of 2051 equal to the capture",
        "2051 of 2051 equal to what the card sealed", "drops      none"})
    EXPECT_NE(got.out.find(what), std::string::npos) << what << "\n" << got.out;
  if (device == "csim") {
    EXPECT_NE(got.out.find("2051 packets: 1017 by csim, 1034 by software"), std::string::npos)
        << got.out;
  }
  EXPECT_EQ(got.out.find('\r'), std::string::npos) << "a bar where no terminal is";
  const std::string table = slurp(path("demo/esp_sa"));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4) << table;
  EXPECT_TRUE(
      table.starts_with("\"IPv4\",\"192.0.2.1\",\"192.0.2.2\",\"0x00001001\",\"AES-GCM with "
                        "16 octet ICV [RFC4106]\",\"0x"))
      << table;
  EXPECT_GT(slurp(path("demo/sealed.pcap")).size(),
            slurp("tests/vectors/captures/mixed.pcap").size());
  expect_refusal("demo --device " + device + " --reports " + path("demo") + " " + path("none.pcap"),
                 "none.pcap");
}

TEST_F(Command, StaticKeysInCounterModesNeedAStateFile) {
  const std::string in = capture(3), state = path("state");
  expect_refusal("protect --sa " + sa_file() + " " + in + " " + path("o.pcap"), "--state");
  for (const char* out : {"first.pcap", "second.pcap"})
    ASSERT_EQ(
        run("protect --state " + state + " --sa " + sa_file() + " " + in + " " + path(out)).status,
        0);
  // The IV is the number, behind pcap header, record header, IP header, SPI and sequence number.
  const std::size_t at = 24 + 16 + 20 + 8 + 7;
  EXPECT_EQ(slurp(path("first.pcap"))[at], 1);
  EXPECT_EQ(slurp(path("second.pcap"))[at], 4)
      << "the second run begins where the first reserved to";
  write("state", "something else\n");
  expect_refusal(
      "protect --state " + state + " --sa " + sa_file() + " " + in + " " + path("o.pcap"),
      "damaged");
}

TEST_F(Command, WhatCanNotBeDoneIsSaidBeforeTheWork) {
  const std::string sa = " --sa " + sa_file("test = true\n") + " ", in = capture(1);
  expect_refusal("protect" + sa + in + " " + path("no/such/directory.pcap"), "can't write");
  expect_refusal("protect" + sa + "--device toaster " + in + " " + path("o.pcap"), "use one of");
  expect_refusal("protect" + sa + dir.string() + " " + path("o.pcap"), "capture");
  chmod(dir.c_str(), 0700);
  expect_refusal("protect --sa " + dir.string() + " " + in + " " + path("o.pcap"), "is no file");
  expect_refusal("protect --sa " + path("none.toml") + " " + in + " " + path("o.pcap"),
                 "none.toml");
  expect_refusal(
      "demo --device software --reports /proc/none/such tests/vectors/captures/mixed.pcap",
      "--reports");
  expect_refusal(
      "bench --device software --sizes 64,1500 --packets 8 --plot " + path("no/plot.svg"),
      "can't write");
  expect_refusal("protect" + sa + "--state " + path("no/state") + " " + in + " " + path("o.pcap"),
                 "permissions");
  if (geteuid() != 0) {
    chmod(in.c_str(), 0);
    expect_refusal("protect" + sa + in + " " + path("o.pcap"), "ermission");
  }
}

TEST_F(Command, CapturesThatAreNoneAreRefused) {
  const std::string sa = sa_file("test = true\n"), out = " " + path("o.pcap");
  expect_refusal("protect --sa " + sa + " " + path("missing.pcap") + out, "missing.pcap");
  expect_refusal("protect --sa " + sa + " " +
                     write("x.pcap", "no capture at all, but long enough").string() + out,
                 "pcap");
  const std::string whole = slurp(capture(3));
  expect_refusal("protect --sa " + sa + " " +
                     write("cut.pcap", whole.substr(0, whole.size() - 5)).string() + out,
                 "cut off");
  std::string token_ring = whole;
  token_ring[20] = 6;
  expect_refusal("protect --sa " + sa + " " + write("ring.pcap", token_ring).string() + out,
                 "link type");
}

TEST_F(Command, WhatCannotBePrintedIsAnError) {
  for (const char* where : {" >/dev/full", " >&-"})
    for (const char* arguments : {"devices", "--help"}) {
      const Outcome got = run(std::string(arguments) + where);
      EXPECT_EQ(got.status, 2) << arguments << where;
      EXPECT_NE(got.err.find("standard output"), std::string::npos) << got.err;
    }
}

TEST_F(Command, OnlyFilesAreTakenForFiles) {
  const std::string sa = sa_file("test = true\n"), in = capture(2), out = path("out.pcap");
  const std::string ends = " " + in + " " + out;
  expect_refusal("protect --sa /dev/null" + ends, "is no file");
  expect_refusal("protect --sa " + dir.string() + " --insecure-key-file" + ends, "is no file");
  expect_refusal("protect --sa " + write("none.toml", "sa = []\n").string() + ends, "holds no SA");
  expect_refusal("protect --sa " + sa + " --state /dev/zero" + ends, "no regular file");
  expect_refusal("protect --sa " + sa + " " + in + " -", "give a path");
  expect_refusal("protect --sa " + sa_file() + ends, "--state FILE");
  EXPECT_FALSE(fs::exists(out)) << "a refused run leaves no file";
}

TEST_F(Command, BenchRefusesBeforeItMeasures) {
  expect_refusal("bench --sizes 64,,64", "imix");
  expect_refusal("bench --sizes imix,64 --plot " + path("x.svg"), "two sizes");
  expect_refusal("bench --packets 99999999999", "--packets takes");
  expect_refusal("bench --rounds 4294967295", "--rounds takes");
  const Outcome csim = run("bench --device csim --packets 10 --sizes 64,20000");
  EXPECT_EQ(csim.status, 2);
  EXPECT_EQ(csim.out, "") << csim.out;
}

TEST_F(Command, NamesAreWholeNames) {
  expect_refusal("protekt", "no command 'protekt'");
  for (const char* device : {"null:x", "software:x", "null:"})
    expect_refusal("selftest --device " + std::string(device), "it does not know '");
  EXPECT_EQ(run("selftest --device null").status, 1) << "it says ok, and is wrong";
}

TEST_F(Command, VectorFilesWithoutVectorsAreRefused) {
  const auto file = write("n.json", R"({"format": "ipsec-packet-vectors", "vectors": []})");
  expect_refusal("vectors --device software " + file.string(), "holds no vector");
  const auto other = write("o.json", R"({"format": "x", "vectors": [{"id": "a"}]})");
  expect_refusal("vectors --device software " + other.string(), other.string() + ": has format");
  const auto half =
      write("h.json", R"({"format": "ipsec-packet-vectors", "vectors": [{"id": "a"}]})");
  expect_refusal("vectors --device software " + half.string(), half.string() + " is no vector");
}

TEST_F(Command, ProofsLoseNoFileAndExportKeysInPrivate) {
  const std::string prove = "prove --sa " + sa_file("test = true\n") + " " + capture(2);
  expect_refusal(prove + " --metrics " + path("no/x"), "can't write");
  expect_refusal(prove + " --allow-key-export " + path("no/x"), "can't write");
  EXPECT_EQ(run(prove + " --metrics /dev/full").status, 2);
  EXPECT_EQ(run(prove + " --allow-key-export /dev/full").status, 2);
  const fs::path keys = write("esp_sa", "old\n", 0644);
  EXPECT_EQ(run(prove + " --allow-key-export " + keys.string()).status, 0);
  EXPECT_EQ(fs::status(keys).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(slurp(keys).find("old"), std::string::npos);
  fs::remove(keys);
  fs::create_symlink(path("elsewhere"), keys);
  const Outcome linked = run(prove + " --allow-key-export " + keys.string());
  EXPECT_EQ(linked.status, 2);
  EXPECT_NE(linked.err.find("private file"), std::string::npos) << linked.err;
}

TEST_F(Command, ProofsCountWhatTheyCouldNotLookAt) {
  std::string packets = slurp(capture(3));
  packets[24 + 16] = 0x41;  // a header of four octets
  const Outcome got =
      run("prove --sa " + sa_file("test = true\n") + " " + write("bad.pcap", packets).string());
  EXPECT_EQ(got.status, 0) << got.out;
  EXPECT_NE(got.out.find("not looked at: 0 frames without IP, 1 with malformed IP"),
            std::string::npos)
      << got.out;
}

}  // namespace
}  // namespace espalier::test
