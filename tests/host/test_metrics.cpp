// SPDX-License-Identifier: BSD-2-Clause-Patent
// The exposition is OpenMetrics, complete, and says what happened.
#include <regex>
#include <set>
#include <sstream>

#include "espalier/metrics.hpp"
#include "fixture.hpp"

namespace espalier {
namespace {

using test::ipv4;

class Metrics : public test::Fixture {};

TEST_F(Metrics, EveryLineIsOpenMetricsAndFamiliesStayTogether) {
  open();
  add(test::outbound());
  add(test::inbound());
  const std::string text = metrics(*context);
  ASSERT_TRUE(text.ends_with("\n# EOF\n"));
  const std::regex sample(R"(([a-z_]+)(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? [0-9]+)");
  std::set<std::string> families, samples;
  std::string family, type;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && line != "# EOF";) {
    std::istringstream words(line);
    std::string hash, keyword, name;
    words >> hash >> keyword >> name;
    if (hash == "#") {
      if (keyword == "TYPE") {
        EXPECT_TRUE(families.insert(name).second) << name << " comes twice";
        family = name;
        words >> type;
      }
      EXPECT_EQ(name, family) << line;
      if (keyword == "UNIT") EXPECT_TRUE(family.ends_with("_bytes")) << line;
      continue;
    }
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(line, parts, sample)) << line;
    EXPECT_EQ(parts[1], type == "counter" ? family + "_total" : family) << line;
    EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second) << line << " comes twice";
  }
  EXPECT_GE(families.size(), 15u);
}

TEST_F(Metrics, WhatHappenedIsCountedOnceEach) {
  open();
  const SaHandle sa = add(test::outbound());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(offer(sa, ipv4(64)));
  ASSERT_TRUE(offer(sa, std::vector<std::uint8_t>(100)));
  EXPECT_EQ(poll().size(), 4u);
  context->remove(sa);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  poll();
  context->tick(Time(1));
  const std::string text = metrics(*context);
  for (const char* line : {
           "espalier_packets_total 3\n",
           "espalier_drops_total{reason=\"malformed_ip\"} 1\n",
           "espalier_drops_total{reason=\"sa_gone\"} 1\n",
           "espalier_drops_total{reason=\"replayed\"} 0\n",
           "espalier_device_taken_total{device=\"0\",name=\"card\"} 3\n",
           "espalier_device_health{device=\"0\",name=\"card\",espalier_device_health=\"ready\"} "
           "1\n",
       })
    EXPECT_NE(text.find(line), std::string::npos) << line;
  EXPECT_EQ(text.find("spi="), std::string::npos) << "the SA is gone";
}

TEST_F(Metrics, AnSaIsNamedAndItsDeviceKnown) {
  open();
  const SaHandle sa = add(test::outbound());
  ASSERT_TRUE(offer(sa, ipv4(64)));
  poll();
  EXPECT_EQ(context->statistics(sa)->last_device, 0);
  EXPECT_EQ(context->sas(), std::vector<SaHandle>{sa});
  const std::string text = metrics(*context);
  EXPECT_NE(text.find("spi=\"0x00001234\",direction=\"out\",protocol=\"esp\","
                      "suite=\"aes256gcm16\"} 1\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace espalier
