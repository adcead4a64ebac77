// SPDX-License-Identifier: BSD-2-Clause-Patent
// The same jobs over every device of this build: same octets, same status (D4).  A device may say
// that it does not take a job (the retryable statuses); never anything else than software says.
#include <gtest/gtest.h>

#include <iostream>

#include "../devices.hpp"
#include "../one_job.hpp"
#include "../packets.hpp"

namespace espalier::driver::test {
namespace {

constexpr Generation kGeneration{3};

class Conformance : public ::testing::Test {
 protected:
  Random random_;
  std::vector<std::unique_ptr<Device>> devices_ = open_devices();
  std::uint16_t next_slot_ = 1;
  unsigned compared_ = 0, declined_ = 0, promised_ = 0;

  void SetUp() override {
    for (const auto& device : devices_) ASSERT_NE(device, nullptr);
  }
  void TearDown() override {
    std::cout << compared_ << " answers compared, " << declined_ << " jobs declined, on "
              << devices_.size() << " devices; " << promised_ << " jobs promised to be parsed\n";
  }

  Slot install_everywhere(const SaParameters& sa) {
    const Slot slot{next_slot_++};
    for (const auto& device : devices_) {
      const Status status = install(*device, slot, kGeneration, sa);
      EXPECT_EQ(status, device->supports(sa) ? Status::ok : Status::unsupported)
          << device->capabilities().name;
    }
    return slot;
  }

  /// Runs the job on every device and expects software's answer; returns it.  Where the promise
  /// that the packet is parsed would be true, software gets the job without it and with it, the
  /// others in turn.
  Outcome run_everywhere(const SaParameters& sa, Job job, const Bytes& source,
                         std::size_t room = kMaxPacket) {
    const Outcome expected = run(*devices_[0], job, source, room);
    const bool may = may_promise(sa, job, source);
    for (std::size_t i = may ? 0 : 1; i < devices_.size(); ++i) {
      job.parsed = may && (i == 0 || compared_ % 2 == 0);
      promised_ += job.parsed;
      Device& device = *devices_[i];
      if (!device.supports(sa)) {
        ++declined_;
        continue;
      }
      const Outcome found = run(device, job, source, room);
      if (spec::info(found.status).retry && found.status != expected.status) {
        EXPECT_TRUE(found.status == Status::unsupported || found.status == Status::too_long)
            << device.capabilities().name << ": " << spec::info(found.status).name;
        ++declined_;
        continue;
      }
      EXPECT_STREQ(spec::info(found.status).name, spec::info(expected.status).name)
          << device.capabilities().name;
      EXPECT_EQ(to_hex(found.packet), to_hex(expected.packet)) << device.capabilities().name;
      EXPECT_EQ(found.next_header, expected.next_header) << device.capabilities().name;
      ++compared_;
    }
    return expected;
  }

  struct Pair {
    SaParameters sa;
    Slot seal, open;
  };
  /// An SA and its two slots on every device.
  Pair make_pair(std::string_view suite_name, bool esn = false, bool copy_ecn = true) {
    Pair pair{make_sa(suite(suite_name), random_), {}, {}};
    pair.sa.esn = esn;
    pair.sa.copy_ecn = copy_ecn;
    pair.seal = install_everywhere(pair.sa);
    pair.sa.direction = Direction::open;
    pair.open = install_everywhere(pair.sa);
    return pair;
  }
  Job seal_of(const Pair& pair, const Bytes& clear) {
    Job job = seal_job(pair.sa, clear, random_);
    job.slot = pair.seal;
    job.generation = kGeneration;
    return job;
  }
  Job open_of(const Pair& pair, const Job& sealed_by) {
    Job job = open_job(pair.sa, sealed_by);
    job.slot = pair.open;
    return job;
  }
  /// Seals a packet of the given payload; also says by which job.
  std::pair<Job, Bytes> sealed(const Pair& pair, std::size_t payload) {
    const Bytes clear = make_packet(Family::ipv4, payload, random_);
    const Job job = seal_of(pair, clear);
    return {job, run(*devices_[0], job, clear).packet};
  }
};

TEST_F(Conformance, EverySizeSealsAndOpensTheSame) {
  for (const char* name : {"aes128gcm16", "aes192gcm12", "aes256gcm8", "aes256gcm16"}) {
    const Pair pair = make_pair(name, name[3] == '2');
    for (std::size_t payload = 0; payload < 300; payload += 1 + random_.below(5)) {
      SCOPED_TRACE(std::string(name) + " payload " + std::to_string(payload) + ", " +
                   random_.replay());
      const Bytes clear = make_packet(Family::ipv4, payload, random_);
      const Job job = seal_of(pair, clear);
      const Outcome out = run_everywhere(pair.sa, job, clear);
      ASSERT_EQ(out.status, Status::ok);
      ASSERT_EQ(run_everywhere(pair.sa, open_of(pair, job), out.packet).packet, clear);
    }
  }
  EXPECT_GE(promised_, compared_ / 2) << "seals and opens alike";
}

TEST_F(Conformance, LargePackets) {
  const Pair pair = make_pair("aes256gcm16");
  for (const std::size_t payload : {1480u, 1481u, 8980u, 9180u, 9300u, 20000u, 65400u}) {
    SCOPED_TRACE(payload);
    const Bytes clear = make_packet(Family::ipv4, payload, random_);
    const Job job = seal_of(pair, clear);
    const Outcome out = run_everywhere(pair.sa, job, clear);
    ASSERT_EQ(out.status, Status::ok);
    ASSERT_EQ(run_everywhere(pair.sa, open_of(pair, job), out.packet).packet, clear);
  }
}

TEST_F(Conformance, AnyPadLength) {
  const Pair pair = make_pair("aes128gcm16");
  const Bytes clear = make_packet(Family::ipv4, 30, random_);
  for (unsigned pad = 0; pad < 256; ++pad) {
    SCOPED_TRACE(pad);
    Job job = seal_of(pair, clear);
    job.pad_length = static_cast<std::uint8_t>(pad);
    const Outcome out = run_everywhere(pair.sa, job, clear);
    if ((clear.size() + pad + 2) % 4 != 0) {
      EXPECT_EQ(out.status, Status::bad_length);
      continue;
    }
    ASSERT_EQ(out.status, Status::ok);
    EXPECT_EQ(run_everywhere(pair.sa, open_of(pair, job), out.packet).packet, clear);
  }
}

TEST_F(Conformance, TruncationAtEveryOctet) {
  const Pair pair = make_pair("aes128gcm16");
  const auto [job, packet] = sealed(pair, 40);
  const Job open = open_of(pair, job);
  for (std::size_t length = 0; length < packet.size(); ++length) {
    SCOPED_TRACE(length);
    Bytes cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(run_everywhere(pair.sa, open, cut).status, Status::bad_header)
        << "the IP length says more";
    if (length < 28) continue;  // below, the header would have to be mended too
    cut[2] = static_cast<std::uint8_t>(length >> 8);
    cut[3] = static_cast<std::uint8_t>(length);
    EXPECT_NE(run_everywhere(pair.sa, open, cut).status, Status::ok);
  }
}

TEST_F(Conformance, EveryBitOfAShortPacketCounts) {
  const Pair pair = make_pair("aes256gcm12", true);
  const auto [job, packet] = sealed(pair, 3);
  const Job open = open_of(pair, job);
  unsigned accepted = 0;
  for (std::size_t bit = 0; bit < 8 * packet.size(); ++bit) {
    SCOPED_TRACE("octet " + std::to_string(bit / 8) + " bit " + std::to_string(bit % 8));
    Bytes flipped = packet;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const Status status = run_everywhere(pair.sa, open, flipped).status;
    accepted += status == Status::ok;
    if (bit >= 8 * 20) {
      EXPECT_NE(status, Status::ok) << "nothing behind the IP header may change";
    }
  }
  EXPECT_GT(accepted, 0u) << "TTL, TOS, identification and addresses may change";
}

TEST_F(Conformance, OctetsBehindThePacketAreIgnored) {
  const Pair pair = make_pair("aes128gcm16");
  const auto [job, packet] = sealed(pair, 40);
  for (std::size_t more = 1; more < 80; ++more) {
    Bytes longer = packet;
    longer.resize(packet.size() + more, 0x5a);
    EXPECT_EQ(run_everywhere(pair.sa, open_of(pair, job), longer).status, Status::ok) << more;
  }
}

TEST_F(Conformance, HeadersThatDoNotFit) {
  const Pair pair = make_pair("aes128gcm16");
  const auto [job, packet] = sealed(pair, 40);
  const Job open = open_of(pair, job);
  const auto with = [&, &p = packet](std::size_t at, std::uint8_t value) {
    Bytes changed = p;
    changed[at] = value;
    return run_everywhere(pair.sa, open, changed).status;
  };
  for (unsigned first = 0; first < 256; ++first) {
    if (first != 0x45) {
      EXPECT_EQ(with(0, static_cast<std::uint8_t>(first)), Status::bad_header) << first;
    }
  }
  EXPECT_EQ(with(9, 51), Status::bad_header) << "AH for an ESP SA";
  EXPECT_EQ(with(6, 0x20), Status::fragment) << "more fragments";
  EXPECT_EQ(with(7, 1), Status::fragment) << "an offset";
  EXPECT_EQ(with(20, static_cast<std::uint8_t>(packet[20] ^ 0x80)), Status::spi_mismatch);
  EXPECT_EQ(with(27, static_cast<std::uint8_t>(packet[27] ^ 1)), Status::bad_header)
      << "another number than the job's";
}

TEST_F(Conformance, ReceivedHeadersWithOptions) {
  const Pair pair = make_pair("aes256gcm16");
  const auto [job, packet] = sealed(pair, 50);
  for (unsigned words = 6; words <= 15; ++words) {
    Bytes longer(packet.begin(), packet.begin() + 20);
    longer.insert(longer.end(), 4 * (words - 5), 1);  // NOPs
    longer.insert(longer.end(), packet.begin() + 20, packet.end());
    longer[0] = static_cast<std::uint8_t>(0x40 | words);
    longer[3] = static_cast<std::uint8_t>(longer.size());
    Job open = open_of(pair, job);
    open.header_length = static_cast<std::uint16_t>(4 * words);
    EXPECT_EQ(run_everywhere(pair.sa, open, longer).status, Status::ok) << words;
  }
}

/// Makes packets whose ICV is right and whose content is not: sealed as a payload of the test's
/// choice under NULL framing rules of its own.
class Malformed : public Conformance {
 protected:
  /// What the SA opens when the sender put `body` (padding and trailer included) into ESP.
  Outcome open_body(const Pair& pair, const Bytes& body) {
    // A sealed job of the same body length, whose plaintext is then replaced: GCM is a stream
    // cipher under a fixed IV, so the ciphertext follows; the ICV is made by sealing in software
    // with a transport-mode twin of the SA, which takes any payload.
    SaParameters twin = pair.sa;
    twin.direction = Direction::seal;
    twin.mode = Mode::transport;
    set_header_template(Endpoints{}, twin);
    const Slot slot{next_slot_++};
    EXPECT_EQ(install(*devices_[0], slot, kGeneration, twin), Status::ok);
    Bytes carrier = from_hex("4500000000000000400000000a0200020a020001");
    const std::uint8_t pad = body[body.size() - 2];
    carrier[9] = body.back();
    Bytes payload(body.begin(),
                  body.end() - 2 - std::min<std::ptrdiff_t>(pad, std::ssize(body) - 2));
    const std::size_t kept = body.size() - 2 - payload.size();
    if (kept != pad) ADD_FAILURE() << "a body whose padding does not fit needs raw_body()";
    carrier.insert(carrier.end(), payload.begin(), payload.end());
    carrier[2] = static_cast<std::uint8_t>(carrier.size() >> 8);
    carrier[3] = static_cast<std::uint8_t>(carrier.size());
    Job job = seal_job(twin, carrier, random_);
    job.slot = slot;
    job.generation = kGeneration;
    job.pad_length = pad;
    const Outcome out = run(*devices_[0], job, carrier);
    EXPECT_EQ(out.status, Status::ok);
    return run_everywhere(pair.sa, open_of(pair, job), out.packet);
  }
  static Bytes inner(std::uint8_t first, std::uint16_t total, std::size_t size) {
    Bytes packet(size, 0);
    packet[0] = first;
    packet[2] = static_cast<std::uint8_t>(total >> 8);
    packet[3] = static_cast<std::uint8_t>(total);
    return packet;
  }
  static Bytes with_trailer(Bytes packet, std::uint8_t next) {
    const auto pad = static_cast<std::uint8_t>((4 - (packet.size() + 2) % 4) % 4);
    for (std::uint8_t i = 1; i <= pad; ++i) packet.push_back(i);
    packet.push_back(pad);
    packet.push_back(next);
    return packet;
  }
};

TEST_F(Malformed, InnerPacketsAndNextHeaders) {
  const Pair pair = make_pair("aes128gcm16");
  const struct {
    const char* what;
    Bytes body;
    Status expected;
  } cases[] = {
      {"right", with_trailer(inner(0x45, 40, 40), 4), Status::ok},
      {"TFC padding", with_trailer(inner(0x45, 40, 140), 4), Status::ok},
      {"dummy", with_trailer(inner(0x45, 40, 40), 59), Status::dummy},
      {"no IP at all", with_trailer(inner(0x45, 40, 40), 255), Status::bad_next_header},
      {"version 6 said 4", with_trailer(inner(0x65, 40, 40), 4), Status::bad_inner},
      {"IHL 4", with_trailer(inner(0x44, 40, 40), 4), Status::bad_inner},
      {"length below header", with_trailer(inner(0x46, 20, 40), 4), Status::bad_inner},
      {"length zero", with_trailer(inner(0x45, 0, 40), 4), Status::bad_inner},
      {"length beyond payload", with_trailer(inner(0x45, 41, 40), 4), Status::bad_inner},
      {"shorter than a header", with_trailer(inner(0x45, 16, 16), 4), Status::bad_inner},
      {"nothing but a trailer", Bytes{1, 2, 2, 4}, Status::bad_inner},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const Outcome out = open_body(pair, c.body);
    EXPECT_STREQ(spec::info(out.status).name, spec::info(c.expected).name);
  }
}

TEST_F(Malformed, EcnAtTunnelEgress) {  // RFC 6040 4.2, all sixteen, with and without
  for (const bool copy_ecn : {true, false}) {
    const Pair pair = make_pair("aes128gcm16", false, copy_ecn);
    for (unsigned inner_ecn = 0; inner_ecn < 4; ++inner_ecn)
      for (unsigned outer_ecn = 0; outer_ecn < 4; ++outer_ecn) {
        SCOPED_TRACE(std::to_string(inner_ecn) + " in " + std::to_string(outer_ecn));
        Bytes clear = make_packet(Family::ipv4, 33, random_);
        clear[1] = static_cast<std::uint8_t>(clear[1] | inner_ecn);
        Job job = seal_of(pair, clear);
        job.tos = static_cast<std::uint8_t>(job.tos | outer_ecn);
        const Outcome out = run_everywhere(pair.sa, job, clear);
        ASSERT_EQ(out.status, Status::ok);
        const Outcome back = run_everywhere(pair.sa, open_of(pair, job), out.packet);
        EXPECT_EQ(back.status,
                  copy_ecn && inner_ecn == 0 && outer_ecn == 3 ? Status::congested : Status::ok);
      }
  }
}

TEST_F(Conformance, RoomToTheOctet) {
  const Pair pair = make_pair("aes128gcm16");
  const Bytes clear = make_packet(Family::ipv4, 77, random_);
  const Job job = seal_of(pair, clear);
  const Bytes packet = run(*devices_[0], job, clear).packet;
  for (const std::size_t room : {std::size_t{0}, packet.size() - 1, packet.size()}) {
    EXPECT_EQ(run_everywhere(pair.sa, job, clear, room).status,
              room < packet.size() ? Status::no_room : Status::ok);
  }
  for (const std::size_t room : {std::size_t{0}, clear.size() - 1, clear.size()}) {
    EXPECT_EQ(run_everywhere(pair.sa, open_of(pair, job), packet, room).status,
              room < clear.size() ? Status::no_room : Status::ok);
  }
}

TEST_F(Conformance, SlotsGenerationsAndDirections) {
  const Pair pair = make_pair("aes128gcm16");
  const Bytes clear = make_packet(Family::ipv4, 20, random_);
  Job job = seal_of(pair, clear);
  const Bytes packet = run(*devices_[0], job, clear).packet;
  Job open = open_of(pair, job);

  Job stale = job;
  stale.generation = Generation{4};
  EXPECT_EQ(run_everywhere(pair.sa, stale, clear).status, Status::sa_gone);
  Job nowhere = job;
  nowhere.slot = Slot{999};
  EXPECT_EQ(run_everywhere(pair.sa, nowhere, clear).status, Status::sa_gone);
  Job other_way = job;
  other_way.slot = pair.open;
  EXPECT_EQ(run_everywhere(pair.sa, other_way, clear).status, Status::sa_gone);

  EXPECT_EQ(devices_[0]->install(pair.seal, kGeneration, pair.sa), Status::no_room) << "in use";
  for (const auto& device : devices_) remove(*device, pair.open);
  EXPECT_EQ(run_everywhere(pair.sa, open, packet).status, Status::sa_gone);
}

TEST_F(Conformance, ClearPacketsThatAreNoIpv4) {
  const Pair pair = make_pair("aes128gcm16");
  const Bytes good = make_packet(Family::ipv4, 44, random_);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes changed = good;
    changed[at] = value;
    return run_everywhere(pair.sa, seal_of(pair, changed), changed).status;
  };
  EXPECT_EQ(with(0, 0x44), Status::bad_header);
  EXPECT_EQ(with(0, 0x05), Status::bad_header);
  EXPECT_EQ(with(0, 0xf5), Status::bad_header);
  EXPECT_EQ(with(3, static_cast<std::uint8_t>(good.size() - 1)), Status::bad_header);
  EXPECT_EQ(with(3, static_cast<std::uint8_t>(good.size() + 1)), Status::bad_header);
  for (const std::size_t length : {1u, 19u}) {
    const Bytes stub(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(run_everywhere(pair.sa, seal_of(pair, stub), stub).status, Status::bad_header);
  }
}

TEST_F(Conformance, DummyAndTfcPackets) {  // a device may leave these to software
  const Pair pair = make_pair("aes128gcm16");
  Job job = seal_of(pair, {});
  job.tfc_length = 50;
  job.pad_length = 0;
  const Outcome dummy = run_everywhere(pair.sa, job, {});
  ASSERT_EQ(dummy.status, Status::ok);
  EXPECT_EQ(run_everywhere(pair.sa, open_of(pair, job), dummy.packet).status, Status::dummy);

  const Bytes clear = make_packet(Family::ipv4, 40, random_);
  job = seal_of(pair, clear);
  job.tfc_length = 100;
  const Outcome padded = run_everywhere(pair.sa, job, clear);
  ASSERT_EQ(padded.status, Status::ok);
  EXPECT_EQ(run_everywhere(pair.sa, open_of(pair, job), padded.packet).packet, clear);
}

/// Mixed traffic in batches: a device may hold many jobs, and answers each once and in order.
TEST_F(Conformance, BatchesOfMixedTraffic) {
  std::vector<Pair> pairs;
  for (const char* name : {"aes128gcm16", "aes192gcm8", "aes256gcm16", "aes256gcm12"})
    pairs.push_back(make_pair(name, random_.below(2) != 0));
  constexpr unsigned kJobs = 150;
  std::vector<Bytes> sources;
  std::vector<Job> jobs;
  for (std::uint64_t i = 0; i < kJobs; ++i) {
    const Pair& pair = pairs[random_.below(pairs.size())];
    const Bytes clear = make_packet(Family::ipv4, random_.below(700), random_);
    Job job = seal_of(pair, clear);
    Bytes source = clear;
    if (random_.below(2) != 0) {
      source = run(*devices_[0], job, clear).packet;
      job = open_of(pair, job);
      if (random_.below(8) == 0) source.back() ^= 1;
    }
    job.cookie = i;
    jobs.push_back(job);
    sources.push_back(source);
  }
  std::vector<Outcome> expected;
  for (unsigned i = 0; i < kJobs; ++i) expected.push_back(run(*devices_[0], jobs[i], sources[i]));
  for (std::size_t d = 1; d < devices_.size(); ++d) {
    Device& device = *devices_[d];
    std::vector<Bytes> results(kJobs, Bytes(1024));
    std::vector<Segment> in, out;
    for (unsigned i = 0; i < kJobs; ++i) {
      in.push_back({sources[i].data(), static_cast<std::uint32_t>(sources[i].size())});
      out.push_back({results[i].data(), 1024});
    }
    for (unsigned i = 0; i < kJobs; ++i) {
      jobs[i].source = {&in[i], 1};
      jobs[i].destination = {&out[i], 1};
    }
    std::size_t sent = 0;
    for (unsigned i = 0; i < kJobs; ++i) {
      sent += submit_all(device, QueueId{0}, std::span(jobs).subspan(sent));
      const Completion completion = wait_for(device);
      ASSERT_EQ(completion.cookie, i) << device.capabilities().name << random_.replay();
      ASSERT_EQ(completion.status, expected[i].status) << device.capabilities().name;
      results[i].resize(completion.length);
      ASSERT_EQ(results[i], expected[i].packet) << device.capabilities().name;
      ++compared_;
    }
    EXPECT_EQ(sent, kJobs);
  }
}

TEST_F(Conformance, ResetAbortsAndWipes) {
  const Pair pair = make_pair("aes128gcm16");
  const Bytes clear = make_packet(Family::ipv4, 20, random_);
  const Job job = seal_of(pair, clear);
  for (const auto& device : devices_) {
    EXPECT_TRUE(device->reset()) << device->capabilities().name;
    // A card first wipes its slots, and then calls itself suspect for a while.
    for (unsigned i = 0; i < kPatience && device->health() == Health::quarantined; ++i)
      device->tick(Time{0});
    EXPECT_EQ(device->slot_state(pair.seal), SlotState::empty);
    EXPECT_EQ(run(*device, job, clear).status, Status::sa_gone) << device->capabilities().name;
    EXPECT_LE(device->health(), Health::suspect);
  }
}

}  // namespace
}  // namespace espalier::driver::test
