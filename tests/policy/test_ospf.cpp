// SPDX-License-Identifier: BSD-2-Clause-Patent
// OSPFv3 by manual keys (RFC 4552): transport mode, one SA for both directions and all routers of
// the link, no anti-replay.
#include "fixture.hpp"

namespace espalier {
namespace {

using namespace test;

constexpr std::uint8_t kOspf = 89;
constexpr const char* kAllRouters = "ff02::5";
constexpr const char* kRouters[] = {"fe80::1", "fe80::2"};

/// An OSPF packet: the UDP one of the fixture under another number, its checksum nobody's business.
Bytes ospf(const char* from, const char* to, std::size_t octets) {
  Bytes packet = udp(from, to, octets);
  packet[6] = kOspf;
  return packet;
}

class OspfV3 : public ::testing::TestWithParam<bool> {
 protected:
  void open(Host& router) {
    router.open();
    const SetHandle set = router.add_set();
    for (const char* to : {kAllRouters, kRouters[0], kRouters[1]}) {
      SaConfig sa = sa_config(0x1001, "::", to, "null-sha256", driver::Mode::transport);
      if (GetParam()) {
        std::string why;
        driver::apply(*driver::parse_suite("sha256", driver::Protocol::ah, why), sa.transform);
      }
      router.add_sa(set, sa);
      sa.replay_window = 0;
      router.add_sa(set, received(sa));
    }
    Selector protocol;
    protocol.protocols = {{kOspf, kOspf}};
    router.add(Way::out, Action::protect, set, protocol);
    router.add(Way::in, Action::protect, set, protocol);
  }
  void SetUp() override {
    for (Host& router : routers) open(router);
  }
  Host routers[2];
};

TEST_P(OspfV3, OneSaServesTheLinkBothWays) {
  for (const unsigned sender : {0u, 1u}) {
    Host &from = routers[sender], &to = routers[1 - sender];
    for (const char* destination : {kAllRouters, kRouters[1 - sender]}) {
      const Bytes hello = ospf(kRouters[sender], destination, 44);
      const Got sealed = from.out1(hello);
      ASSERT_EQ(sealed.verdict, Verdict::sealed) << static_cast<int>(sealed.drop);
      EXPECT_EQ(sealed.packet[6], GetParam() ? kProtocolAh : kProtocolEsp);
      for (unsigned copy = 0; copy < 2; ++copy) {  // numbers of several senders, in any order
        const Got opened = to.in1(sealed.packet);
        ASSERT_EQ(opened.verdict, Verdict::opened) << static_cast<int>(opened.drop);
        EXPECT_EQ(opened.packet, hello);
      }
      Bytes forged = sealed.packet;
      forged.back() ^= 1;
      EXPECT_EQ(to.in1(forged).drop, Drop::icv_mismatch);
    }
  }
}

TEST_P(OspfV3, UnprotectedPacketsAreDropped) {
  EXPECT_EQ(routers[0].in1(ospf(kRouters[1], kAllRouters, 44)).drop, Drop::policy_in);
  EXPECT_EQ(routers[0].in1(ospf(kRouters[1], kRouters[0], 44)).drop, Drop::policy_in);
}

INSTANTIATE_TEST_SUITE_P(Protocols, OspfV3, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "ah" : "esp"; });

}  // namespace
}  // namespace espalier
