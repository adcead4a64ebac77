// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "health/exam.hpp"

#include <algorithm>

namespace espalier {
namespace {

/// A device is not late before it was looked at so often: time may jump while nobody ticks.
constexpr unsigned kLeastLooks = 8;
constexpr std::uint8_t kFill = 0xa5;

}  // namespace

Exam::Exam(driver::Device& device, Errand& errand, Time patience)
    : device_(device), errand_(errand), patience_(patience) {
  const driver::Capabilities& can = device.capabilities();
  if (!can.verifiable || can.slots == 0) return;
  for (const KnownAnswer& answer : known_answers()) {
    Question q = question(answer);
    driver::SaParameters opening = q.sa;
    opening.direction = driver::Direction::open;
    if (device.supports(q.sa) && device.supports(opening)) questions_.push_back(std::move(q));
  }
}

void Exam::begin(Time now) noexcept {
  at_ = 0;
  part_ = Part::seal;
  under_way_ = true;
  enter(Stage::install, now);
}

void Exam::abandon() noexcept {
  under_way_ = false;
  while (!errand_.withdraw()) {
  }
}

Exam::Outcome Exam::step(Time now) noexcept {
  Outcome outcome = Outcome::running;
  while (advance(now, outcome)) {
  }
  if (outcome == Outcome::running && overdue(now)) outcome = Outcome::overdue;
  if (outcome == Outcome::passed) under_way_ = false;
  if (outcome > Outcome::passed) abandon();
  return outcome;
}

/// One step; false if there is nothing to be done until something happens.
bool Exam::advance(Time now, Outcome& outcome) noexcept {
  switch (stage_) {
    case Stage::install: {
      if (at_ == questions_.size()) {
        outcome = Outcome::passed;
        return false;
      }
      driver::SaParameters& sa = questions_[at_].sa;
      sa.direction = part_ == Part::seal ? driver::Direction::seal : driver::Direction::open;
      generation_ = static_cast<std::uint16_t>(generation_ == 0xffff ? 1 : generation_ + 1);
      if (device_.install(slot(), static_cast<driver::Generation>(generation_), sa) !=
          driver::Status::ok)
        return false;  // busy with other slots
      enter(Stage::fill, now);
      return true;
    }
    case Stage::fill: {
      const driver::SlotState state = device_.slot_state(slot());
      if (state == driver::SlotState::ready) enter(Stage::post, now);
      if (state == driver::SlotState::empty) stage_ = Stage::install;
      return state == driver::SlotState::ready;
    }
    case Stage::post:
      post();
      enter(Stage::wait, now);
      return false;
    case Stage::wait:
      if (errand_.state() == Errand::State::posted) enter(Stage::wait, now);  // no queue polls
      if (errand_.state() != Errand::State::answered) return false;
      if (const Outcome verdict = judge(); verdict != Outcome::passed) {
        outcome = verdict;
        return false;
      }
      if (part_ == Part::open) {
        part_ = Part::forged;
        enter(Stage::post, now);
        return true;
      }
      device_.remove(slot());
      enter(Stage::wipe, now);
      return true;
    case Stage::wipe:
      if (device_.slot_state(slot()) != driver::SlotState::empty) return false;
      if (part_ == Part::forged) ++at_;
      part_ = part_ == Part::seal ? Part::open : Part::seal;
      enter(Stage::install, now);
      return true;
  }
  return false;
}

void Exam::enter(Stage stage, Time now) noexcept {
  stage_ = stage;
  since_ = now;
  looks_ = 0;
}

bool Exam::overdue(Time now) noexcept {
  return ++looks_ > kLeastLooks && now - since_ > patience_;
}

void Exam::post() noexcept {
  const Question& q = questions_[at_];
  const auto& packet = part_ == Part::seal ? q.clear : q.sealed;
  errand_.job = part_ == Part::seal ? q.seal : q.open;
  errand_.job.slot = slot();
  errand_.job.generation = static_cast<driver::Generation>(generation_);
  std::copy(packet.begin(), packet.end(), errand_.source.begin());
  // In AH this damages the payload, which the ICV covers.
  if (part_ == Part::forged) errand_.source[packet.size() - 1] ^= 1;
  errand_.destination.fill(kFill);
  errand_.post(static_cast<std::uint32_t>(packet.size()));
}

/// passed: the answer is the known one, and of a damaged packet no octet of plaintext is there.
Exam::Outcome Exam::judge() const noexcept {
  const Question& q = questions_[at_];
  const driver::Completion& answer = errand_.completion;
  const auto& got = errand_.destination;
  if (part_ == Part::forged) {
    if (answer.status == driver::Status::ok ||
        !std::all_of(got.begin(), got.end(), [](auto o) { return o == kFill || o == 0; }))
      return Outcome::wrong;
    return answer.status == driver::Status::icv_mismatch ? Outcome::passed : Outcome::refused;
  }
  if (answer.status != driver::Status::ok) return Outcome::refused;
  const auto& wanted = part_ == Part::seal ? q.sealed : q.clear;
  return answer.length == wanted.size() && std::equal(wanted.begin(), wanted.end(), got.begin())
             ? Outcome::passed
             : Outcome::wrong;
}

}  // namespace espalier
