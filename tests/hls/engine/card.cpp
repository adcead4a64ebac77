// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "card.h"

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <tuple>

namespace espalier::test {

Card::Card() {
  nop();
  run();
  take();
}

unsigned Card::submit(const spec::Descriptor& descriptor, const Bytes& source) {
  const unsigned ticket = submitted_++ & 0xffff;
  Job job;
  std::uint8_t bytes[sizeof descriptor];
  std::memcpy(bytes, &descriptor, sizeof descriptor);
  job.descriptor = to_word<512>(bytes);
  job.ticket = ticket;
  jobs.write(job);
  Bytes padded = source;
  while (padded.size() % 64 != 0) padded.push_back(static_cast<std::uint8_t>(junk_()));
  for (std::size_t at = 0; at < padded.size(); at += 64) {
    Beat beat;
    beat.data = to_word<512>(&padded[at]);
    beat.last = at + 64 == padded.size();
    in.write(beat);
  }
  return ticket;
}

unsigned Card::install(unsigned slot, const spec::SaRecord& record) {
  Bytes bytes(sizeof record);
  std::memcpy(bytes.data(), &record, sizeof record);
  return submit(control_job(spec::Opcode::install, slot), bytes);
}
unsigned Card::remove(unsigned slot) {
  return submit(control_job(spec::Opcode::remove, slot), {});
}
unsigned Card::nop() {
  return submit(control_job(spec::Opcode::nop, 0), {});
}

void Card::reset() {
  backend_->reset();
  while (!jobs.empty()) jobs.read();
  while (!in.empty()) in.read();
  while (!results.empty()) results.read();
  while (!out.empty()) out.read();
  taken_ = submitted_;
}

std::size_t Card::run() {
  std::size_t steps = 0;
  const std::size_t patience = 100000 + 4 * in.size() + 100 * jobs.size();
  // Beats of the last packet leave in the step that gives the last result, or after.
  constexpr std::size_t kQuiet = 200;
  for (std::size_t quiet = 0; quiet < kQuiet; ++steps) {
    const auto before = std::make_tuple(in.size(), results.size(), out.size());
    step();
    const bool answered = taken_ + results.size() == submitted_;
    quiet = answered && std::make_tuple(in.size(), results.size(), out.size()) == before ? quiet + 1
                                                                                         : 0;
    if (steps > patience) throw std::runtime_error("the engine does not answer");
  }
  return steps - kQuiet;
}

Answer Card::take() {
  if (results.empty()) throw std::runtime_error("no answer to take");
  const Result result = results.read();
  ++taken_;
  Answer answer;
  answer.ticket = result.ticket.to_uint();
  answer.status = spec::status_from_code(std::uint16_t(result.status.to_uint()));
  answer.next_header = result.next_header.to_uint();
  answer.tos = result.tos.to_uint();
  const std::size_t length = result.length.to_uint();
  while (answer.data.size() < length && !out.empty()) {
    const Beat beat = out.read();
    const Bytes octets = to_bytes<512>(beat.data);
    answer.data.insert(answer.data.end(), octets.begin(), octets.end());
    EXPECT_EQ(bool(beat.last), answer.data.size() >= length) << "last marks the last beat alone";
  }
  EXPECT_GE(answer.data.size(), length) << "ceil(length / 64) beats";
  for (std::size_t i = length; i < answer.data.size(); ++i) {
    EXPECT_EQ(answer.data[i], 0) << "octet " << i << " is behind the end";
  }
  answer.data.resize(length);
  return answer;
}

std::size_t Card::bound(std::size_t octets_in, std::size_t octets_out) {
  return std::max<std::size_t>(1, (std::max(octets_in, octets_out) + 63) / 64);
}

}  // namespace espalier::test
