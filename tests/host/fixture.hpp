// SPDX-License-Identifier: BSD-2-Clause-Patent
// A context over fake devices, SAs and packets to feed it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "espalier/context.hpp"
#include "fake_device.hpp"
#include "packet/octets.hpp"

namespace espalier::test {

inline constexpr std::uint32_t kSpi = 0x1234;
inline constexpr QueueId kQueue{0};

inline SaConfig config_for(const std::string& suite_name, driver::Direction direction) {
  std::string why;
  const auto suite = driver::parse_suite(suite_name, driver::Protocol::esp, why);
  EXPECT_TRUE(suite) << why;
  SaConfig config;
  driver::apply(*suite, config.transform);
  config.transform.direction = direction;
  config.transform.spi = kSpi;
  const std::vector<std::uint8_t> key(suite->cipher_key_length + suite->salt_length, 0x11);
  const std::vector<std::uint8_t> auth(suite->integrity_key_length, 0x22);
  EXPECT_EQ(driver::set_keys(*suite, key, auth, config.transform), "");
  config.ends.source = {10, 0, 0, 1};
  config.ends.destination = {10, 0, 0, 2};
  return config;
}
inline SaConfig outbound() {
  return config_for("aes256gcm16", driver::Direction::seal);
}
inline SaConfig inbound() {
  return config_for("aes256gcm16", driver::Direction::open);
}

/// An IPv4 packet of `length` octets and `protocol`; what the parser looks at is right.
inline std::vector<std::uint8_t> ipv4(std::uint16_t length, std::uint8_t protocol = 17) {
  std::vector<std::uint8_t> p(length);
  p[0] = 0x45;
  store_be16(p.data() + 2, length);
  p[8] = 64;
  p[9] = protocol;
  return p;
}
/// An ESP packet as the parser sees it; its ICV is whatever the device says of it.
inline std::vector<std::uint8_t> esp(std::uint32_t sequence, std::uint32_t spi = kSpi) {
  std::vector<std::uint8_t> p = ipv4(100, 50);
  store_be32(p.data() + 20, spi);
  store_be32(p.data() + 24, sequence);
  return p;
}

class Fixture : public ::testing::Test {
 protected:
  void open(ContextConfig config = {}, bool with_card = true) {
    std::vector<std::unique_ptr<driver::Device>> devices;
    auto soft = std::make_unique<FakeDevice>("software", 0, 4096, config.queues);
    software = soft.get();
    devices.push_back(std::move(soft));
    if (with_card) {
      auto c = std::make_unique<FakeDevice>("card", 10, 64, config.queues);
      card = c.get();
      devices.push_back(std::move(c));
    }
    auto made = Context::create(config, std::move(devices));
    ASSERT_TRUE(made) << made.error();
    context = std::move(*made);
  }
  SaHandle add(const SaConfig& config) {
    auto handle = context->add(config);
    EXPECT_TRUE(handle) << (handle ? "" : handle.error());
    return handle ? *handle : SaHandle::none;
  }
  /// Offers one packet; its buffers live as long as the fixture.  False: the queue was full.
  bool offer(SaHandle sa, std::vector<std::uint8_t> packet, std::uint64_t cookie = 0,
             QueueId queue = kQueue) {
    buffers.push_back(std::move(packet));
    buffers.emplace_back(2048);
    std::vector<std::uint8_t>& source = buffers[buffers.size() - 2];
    std::vector<std::uint8_t>& destination = buffers.back();
    const Segment in{source.data(), static_cast<std::uint32_t>(source.size())};
    const Segment out{destination.data(), static_cast<std::uint32_t>(destination.size())};
    Job job;
    job.sa = sa;
    job.cookie = cookie;
    job.source = {&in, 1};
    job.destination = {&out, 1};
    return context->submit(queue, {&job, 1}) == 1;
  }
  std::vector<Completion> poll(QueueId queue = kQueue) {
    std::vector<Completion> out(4096);
    out.resize(context->poll(queue, out));
    return out;
  }
  std::vector<Event> events() {
    std::vector<Event> out;
    for (Event e; context->next_event(e);) out.push_back(e);
    return out;
  }
  std::size_t count(EventKind kind) {
    const auto all = events();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const Event& e) { return e.kind == kind; }));
  }

  std::deque<std::vector<std::uint8_t>> buffers;
  std::unique_ptr<Context> context;
  FakeDevice* card = nullptr;
  FakeDevice* software = nullptr;
};

}  // namespace espalier::test
