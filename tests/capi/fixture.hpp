// SPDX-License-Identifier: BSD-2-Clause-Patent
// A context through the C API, and packets through it.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "espalier/espalier.h"

namespace espalier::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes packet(std::uint16_t length) {
  Bytes p(length);
  for (std::size_t i = 20; i < length; ++i) p[i] = static_cast<std::uint8_t>(i * 7);
  const std::array<std::uint8_t, 20> header = {0x45, 0, 0,  0, 0, 0, 0,  0, 64, 17,
                                               0,    0, 10, 1, 0, 1, 10, 2, 0,  1};
  std::copy(header.begin(), header.end(), p.begin());
  p[2] = static_cast<std::uint8_t>(length >> 8);
  p[3] = static_cast<std::uint8_t>(length);
  p[10] = 0x66;  // whatever the checksum is, it comes back
  return p;
}

class CApi : public ::testing::Test {
 protected:
  void SetUp() override { open(nullptr); }
  void TearDown() override { espalier_close(context); }

  /// A context of these devices, those by default if null, instead of the one there is.
  void open(const char* devices) {
    espalier_close(context);
    context = nullptr;
    espalier_context_options o{};
    o.struct_size = sizeof o;
    o.queues = 2;
    o.devices = devices;
    ASSERT_EQ(espalier_open(&o, &context, error, sizeof error), 0) << error;
    suite("aes128gcm16");
  }
  void suite(const char* name) {
    options = {};
    options.struct_size = sizeof options;
    options.suite = name;
    options.spi = 0x1001;
    options.key = key;
    options.key_length = std::strstr(name, "gcm") != nullptr ? 20 : 16;
    options.integrity_key = key;
    options.integrity_key_length = std::strstr(name, "gcm") != nullptr ? 0 : 32;
    options.source[0] = options.destination[0] = 10;
    options.destination[3] = 1;
  }
  espalier_sa add(std::uint32_t direction) {
    options.direction = direction;
    espalier_sa sa = 0;
    EXPECT_EQ(espalier_sa_add(context, &options, &sa, error, sizeof error), 0) << error;
    return sa;
  }
  static espalier_job job_for(espalier_sa sa) {
    espalier_job job{};
    job.struct_size = sizeof job;
    job.sa = sa;
    return job;
  }
  espalier_completion run(const espalier_job& job) {
    EXPECT_EQ(espalier_submit(context, 0, &job, 1), 1);
    espalier_completion done{};
    done.struct_size = sizeof done;
    for (int i = 0; i < 100 && espalier_poll(context, 0, &done, 1, 32) == 0; ++i)
      espalier_tick(context, 0);
    return done;
  }
  espalier_completion run(espalier_sa sa, const std::vector<espalier_segment>& source,
                          const std::vector<espalier_segment>& destination,
                          std::uint32_t l3_offset = 0) {
    espalier_job job = job_for(sa);
    job.source = source.data();
    job.sources = static_cast<std::uint32_t>(source.size());
    job.destination = destination.data();
    job.destinations = static_cast<std::uint32_t>(destination.size());
    job.l3_offset = l3_offset;
    return run(job);
  }

  espalier_context* context = nullptr;
  char error[ESPALIER_ERROR_SIZE] = "";
  std::uint8_t key[32] = {1, 2, 3};
  espalier_sa_options options{};
};

/// `bytes` in segments of the given lengths, the last taking the rest.
inline std::vector<espalier_segment> cut(Bytes& bytes, const std::vector<std::uint32_t>& lengths) {
  std::vector<espalier_segment> out;
  std::uint32_t at = 0;
  for (const std::uint32_t length : lengths) {
    out.push_back({bytes.data() + at, length, 0});
    at += length;
  }
  out.push_back({bytes.data() + at, static_cast<std::uint32_t>(bytes.size()) - at, 0});
  return out;
}

}  // namespace espalier::test
