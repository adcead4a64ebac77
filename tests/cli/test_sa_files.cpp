// SPDX-License-Identifier: BSD-2-Clause-Patent
// SA files in each of their forms: what is wrong is named by line and field, what is right works.
#include "fixture.hpp"

namespace espalier::test {
namespace {

TEST_F(Command, SaFileErrorsNameLineAndField) {
  const std::string in = capture(1), out = " " + in + " " + path("o.pcap");
  const std::pair<const char*, const char*> cases[] = {
      {"spi = 7\n", ":8: spi: "},
      {"mode = \"tunel\"\n", ":7: mode: "},
      {"key-length = 3\n", ":7: key-length: is no field"},
      {"replay-window = 70000\n", ":7: replay-window: "},
      {"from = [\"10.0.0.0/40\"]\n", ":7: from: "},
      {"df = 1\n", ":7: df: "},
      {"ttl = \"x", ":7: is not TOML"},
      {"'\xd2'''", ":7: is not UTF-8"},
  };
  for (const auto& [line, what] : cases) {
    std::string file = sa_file(line);
    if (std::string(line).starts_with("spi"))
      file = write("sa.toml", "\n\n\n\n[[sa]]\nsuite = \"aes128gcm16\"\nkey = \"" +
                                  std::string(40, '0') + "\"\nspi = 7\n")
                 .string();
    expect_refusal("protect --sa " + file + out, what);
  }
  expect_refusal("protect --sa " +
                     write("sa.toml", "[[sa]]\nsuite = \"aes128gcm16\"\nkey = \"00\"\n").string() +
                     out,
                 ":3: key: ");
  expect_refusal("protect --sa " + sa_file("test = true\n" + slurp(sa_file())) + out, "is taken");
  expect_refusal("protect --sa " + sa_file("test = true\n", 0644) + out, "chmod o-rw");
  expect_refusal("protect --sa " + sa_file("test = true\n", 0602) + out, "chmod o-rw");
  EXPECT_EQ(run("protect --sa " + sa_file("test = true\n", 0640) + out).status, 0) << "a group may";
  EXPECT_EQ(run("protect --insecure-key-file --sa " + sa_file("test = true\n", 0644) + out).status,
            0);
}

TEST_F(Command, WiresharksTableOpensWhatTheDemoSealed) {
  const std::string reports = path("demo"), table = path("demo/esp_sa");
  ASSERT_EQ(
      run("demo --device software --reports " + reports + " tests/vectors/captures/mixed.pcap")
          .status,
      0);
  const std::string in_out = " " + path("demo/sealed.pcap") + " " + path("clear.pcap");
  chmod(table.c_str(), 0600);
  const Outcome back = run("unprotect --sa " + table + in_out);
  EXPECT_EQ(back.status, 0) << back.err << back.out;
  EXPECT_TRUE(slurp(path("clear.pcap")).substr(24) ==
              slurp("tests/vectors/captures/mixed.pcap").substr(24));
  const auto refuse = [&](const std::string& line, const char* what) {
    expect_refusal("unprotect --sa " + write("esp_sa", "# table\n" + line + "\n").string() + in_out,
                   what);
  };
  const std::string ends = R"("IPv4","192.0.2.1","192.0.2.2","0x1001",)", key(32, '1');
  refuse(ends + R"("AES-CBC [RFC3602]","0x)" + key +
             R"(","HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]","0x11")",
         "esp_sa:2: authentication: ");
  refuse(ends + R"("AES-GCM with 16 octet ICV [RFC4106]","0x)" + key + R"(","NULL","")",
         "esp_sa:2: key: ");
  refuse(ends + R"("AES-CBC [RFC3602]","0x)" + key + R"(","NULL","")", "RFC 8221");
  refuse(R"("IPv4","192.0.2.1","*","0x1001","NULL","","HMAC-SHA-1-96 [RFC2404]","0x)" +
             std::string(40, '1') + "\"",
         "esp_sa:2: destination: '*' is no address");
}

TEST_F(Command, LinuxStatesOpenWhatItsKeysSealed) {
  const std::string gcm = "000102030405060708090a0b0c0d0e0f10111213", in = capture(3);
  ASSERT_EQ(
      run("protect --sa " + sa_file("test = true\n") + " " + in + " " + path("sealed.pcap")).status,
      0);
  const std::string head = "src 192.0.2.1 dst 192.0.2.2\n\tproto esp spi 0x00001001 reqid 1 mode ";
  const std::string state =
      head + "tunnel\n\treplay-window 64 flag af-unspec\n\taead rfc4106(gcm(aes)) 0x" + gcm +
      " 128\n\tanti-replay context: seq 0x0, oseq 0x7, bitmap 0x00000000\n"
      "\tsel src 0.0.0.0/0 dst 10.0.0.0/8 \n";
  const std::string in_out = " " + path("sealed.pcap") + " " + path("clear.pcap");
  const Outcome back = run("unprotect --sa " + write("xfrm", state).string() + in_out);
  EXPECT_EQ(back.status, 0) << back.err << back.out;
  EXPECT_TRUE(slurp(path("clear.pcap")).substr(24) == slurp(in).substr(24));
  // Sealing goes on behind the kernel's own last number.
  ASSERT_EQ(run("protect --state " + path("state") + " --sa " + path("xfrm") + " " + in + " " +
                path("more.pcap"))
                .status,
            0);
  EXPECT_EQ(slurp(path("more.pcap"))[24 + 16 + 20 + 8 + 7], 8);

  const std::string hash(64, '1'), cbc(32, '2');
  const auto refuse = [&](const std::string& text, const char* what) {
    expect_refusal("unprotect --sa " + write("xfrm", text).string() + in_out, what);
  };
  refuse(head + "tunnel\n\tauth hmac(sha256) 0x" + hash + "\n\tenc cbc(aes) 0x" + cbc + "\n",
         "xfrm:3: auth: does not say how long the ICV is");
  refuse(
      head + "tunnel\n\tauth-trunc hmac(sha256) 0x" + hash + " 96\n\tenc cbc(aes) 0x" + cbc + "\n",
      "xfrm:3: auth-trunc: ");
  refuse(
      head + "beet\n\tauth-trunc hmac(sha256) 0x" + hash + " 128\n\tenc cbc(aes) 0x" + cbc + "\n",
      "xfrm:2: mode: 'beet'");
  refuse(head + "tunnel\n\taead rfc4106(gcm(aes)) <<Keys hidden>> 128\n", "xfrm:");
  refuse(head + "tunnel\n\tauth-trunc hmac(sha256) 0x" + hash + " 128\n\tenc cbc(des3_ede) 0x" +
             cbc + "\n",
         "xfrm:4: enc: 'cbc(des3_ede)' is not offered");
  refuse(state + state, "xfrm:7: spi: 0x1001 is taken by the SA of line 1");
}

}  // namespace
}  // namespace espalier::test
