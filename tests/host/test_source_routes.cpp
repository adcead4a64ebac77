// SPDX-License-Identifier: BSD-2-Clause-Patent
// AH over source-routed packets: the ICV covers them as they will arrive (RFC 4302 3.3.3.1).
#include "espalier/driver/software.hpp"
#include "fixture.hpp"

namespace espalier::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

class SourceRoutes : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::unique_ptr<driver::Device>> devices;
    devices.push_back(driver::make_software());
    context = std::move(*Context::create({}, std::move(devices)));
  }
  SaHandle add(Family family, driver::Direction direction) {
    std::string why;
    SaConfig config;
    const auto suite = driver::parse_suite("sha256", driver::Protocol::ah, why);
    driver::apply(*suite, config.transform);
    EXPECT_EQ(driver::set_keys(*suite, {}, Bytes(32, 0x22), config.transform), "");
    config.transform.direction = direction;
    config.transform.mode = driver::Mode::transport;
    config.transform.outer = config.ends.family = family;
    config.transform.spi = kSpi;
    auto added = context->add(config);
    EXPECT_TRUE(added) << (added ? "" : added.error());
    return *added;
  }
  Completion run(SaHandle sa, Bytes& packet, Bytes& out) {
    out.assign(512, 0);
    const Segment in{packet.data(), static_cast<std::uint32_t>(packet.size())};
    const Segment to{out.data(), static_cast<std::uint32_t>(out.size())};
    Job job;
    job.sa = sa;
    job.source = {&in, 1};
    job.destination = {&to, 1};
    EXPECT_EQ(context->submit(kQueue, {&job, 1}), 1u);
    Completion done;
    EXPECT_EQ(context->poll(kQueue, {&done, 1}), 1u);
    out.resize(done.length);
    return done;
  }
  std::unique_ptr<Context> context;
};

TEST_F(SourceRoutes, Ipv4IsCoveredWithItsFinalDestination) {
  for (const std::uint8_t kind : {131, 137}) {  // loose, strict
    context.reset();
    SetUp();
    const SaHandle out = add(Family::ipv4, driver::Direction::seal);
    const SaHandle in = add(Family::ipv4, driver::Direction::open);
    Bytes clear(68), sealed, opened;
    const Bytes header = {0x47, 0, 0,  68, 0, 1, 0,    0, 64, 17, 0, 0, 10, 0,
                          0,    1, 10, 0,  0, 9, kind, 7, 4,  10, 0, 0, 2,  0};
    std::copy(header.begin(), header.end(), clear.begin());
    ASSERT_EQ(run(out, clear, sealed).drop, Drop::none);
    Bytes arrived = sealed;  // the router at 10.0.0.9 has sent it on
    std::copy_n(sealed.begin() + 23, 4, arrived.begin() + 16);
    arrived[22] = 8;
    std::copy_n(sealed.begin() + 16, 4, arrived.begin() + 23);
    EXPECT_EQ(run(in, arrived, opened).drop, Drop::none);
    ASSERT_EQ(run(out, clear, sealed).drop, Drop::none);
    Bytes elsewhere = sealed;
    std::copy_n(sealed.begin() + 23, 4, elsewhere.begin() + 16);
    elsewhere[19] ^= 1;  // another final destination
    elsewhere[22] = 8;
    EXPECT_EQ(run(in, elsewhere, opened).status, Status::icv_mismatch);
  }
}

TEST_F(SourceRoutes, Ipv6RoutingHeadersAreCoveredAsTheyArrive) {
  const SaHandle out = add(Family::ipv6, driver::Direction::seal);
  const SaHandle in = add(Family::ipv6, driver::Direction::open);
  Bytes clear(40 + 24 + 20), sealed, opened;
  clear[0] = 0x60;
  clear[5] = 44;
  clear[6] = 43;
  clear[7] = 64;
  clear[23] = 1;                    // source ::1
  clear[24] = 0xfd, clear[39] = 9;  // to the router fd::9
  clear[40] = 17, clear[41] = 2;    // routing header, type 0, one segment left
  clear[43] = 1;
  clear[48] = 0xfd, clear[63] = 2;  // then to fd::2
  ASSERT_EQ(run(out, clear, sealed).drop, Drop::none);
  Bytes arrived = sealed;
  std::swap_ranges(arrived.begin() + 24, arrived.begin() + 40, arrived.begin() + 48);
  arrived[43] = 0;
  Bytes elsewhere = arrived;
  elsewhere[39] ^= 1;
  EXPECT_EQ(run(in, elsewhere, opened).status, Status::icv_mismatch);
  EXPECT_EQ(run(in, arrived, opened).drop, Drop::none);
}

}  // namespace
}  // namespace espalier::test
