// SPDX-License-Identifier: BSD-2-Clause-Patent
// AH: [IP header][AH: next, length, 0, SPI, number, IV of GMAC, ICV, padding][payload].
#include "ah.hpp"

#include <algorithm>
#include <cstring>

#include "bytes.hpp"
#include "tunnel.hpp"

namespace espalier::driver::software {
namespace {

constexpr unsigned kMaxAh = kAhHeader + 8 + kMaxIcv + 4;

/// What the ICV covers: the masked IP header, AH with its ICV field as zero, the payload, and the
/// number's high half with ESN (RFC 4302 3.3.3).
class Covered {
 public:
  /// `header` is masked and must outlive this; `ah` is copied.
  Covered(const SaShape& sa, const Job& job, Octets header, Octets ah, Octets payload) noexcept
      : count_(sa.esn ? 4 : 3) {
    std::memcpy(ah_, ah.data(), ah.size());
    // The ICV field is IV and tag of AES-GMAC (RFC 4543 4).  The padding behind it counts.
    std::memset(ah_ + kAhHeader, 0, std::size_t{sa.iv_length} + sa.icv_length);
    store32(high_, sa.sequence_high(job));
    parts_[0] = header;
    parts_[1] = {ah_, ah.size()};
    parts_[2] = payload;
    parts_[3] = high_;
  }
  std::span<const Octets> parts() const noexcept { return {parts_, count_}; }

 private:
  std::uint8_t ah_[kMaxAh];
  std::uint8_t high_[4];
  Octets parts_[4];
  std::size_t count_;
};

struct SealPlan {
  Status status = Status::ok;
  IpHeader header;
  std::uint8_t next = 0;
  std::size_t head = 0, text_offset = 0, total = 0;
};

SealPlan make_plan(const SaShape& sa, const Job& job, const Linear& io) noexcept {
  SealPlan plan;
  if (sa.mode == Mode::tunnel) {
    plan.next = tunnel_next_header(io.source);
    // AH has no dummy packets.
    if (plan.next == 0 || plan.next == kNoNext) plan.status = Status::bad_header;
    plan.head = sa.header_length;
  } else {
    plan.header = parse_header(io.source, sa.outer, job.header_length);
    plan.status = plan.header.status;
    plan.next = plan.header.next;
    if (plan.status != Status::bad_header && plan.header.total != io.source.size())
      plan.status = Status::bad_header;
    plan.head = plan.text_offset = job.header_length;
  }
  if (plan.status != Status::ok) return plan;
  plan.total = plan.head + sa.ah_length + io.source.size() - plan.text_offset;
  if (job.tfc_length != 0 || job.pad_length != 0)
    plan.status = Status::bad_descriptor;
  else if (plan.total > kMaxPacket)
    plan.status = Status::too_long;
  else if (plan.total > io.destination.size())
    plan.status = Status::no_room;
  return plan;
}

/// Copies the header into scratch memory and masks it there.
Octets masked(std::span<const std::uint8_t> header, Family family,
              const Scratch& scratch) noexcept {
  const auto copy = scratch.header.first(header.size());
  std::copy(header.begin(), header.end(), copy.begin());
  return mask_mutable_fields(copy, family) ? Octets(copy) : Octets();
}

struct OpenPlan {
  Status status = Status::ok;
  IpHeader header;
  std::size_t text_offset = 0;
};

/// AH's length for the suite, padded to 4 or to 8 octets: some peers do either on IPv4.
bool length_is_sound(const SaShape& sa, std::size_t length) noexcept {
  const std::size_t bare = std::size_t{kAhHeader} + sa.iv_length + sa.icv_length;
  const std::size_t by8 = (bare + 7) / 8 * 8;
  return length == by8 || (sa.outer == Family::ipv4 && length == (bare + 3) / 4 * 4);
}

OpenPlan make_open_plan(const SaShape& sa, const Job& job, const Linear& io) noexcept {
  OpenPlan plan;
  plan.header = parse_header(io.source, sa.outer, job.header_length);
  plan.status = plan.header.status;
  if (plan.status != Status::bad_header && plan.header.next != kAh)
    plan.status = Status::bad_header;
  if (plan.status != Status::ok) return plan;
  const std::size_t left = plan.header.total - job.header_length;
  const std::uint8_t* ah = io.source.data() + job.header_length;
  plan.status = Status::bad_length;
  if (left < kAhHeader) return plan;
  const std::size_t length = 4 * (ah[1] + std::size_t{2});
  plan.text_offset = job.header_length + length;
  if (load32(ah + 4) != sa.spi)
    plan.status = Status::spi_mismatch;
  else if (load32(ah + 8) != static_cast<std::uint32_t>(job.sequence_number))
    plan.status = Status::bad_header;
  else if (length_is_sound(sa, length) && length <= left)
    plan.status = Status::ok;
  return plan;
}

/// Verifies the packet where it stands.
Status verify(const SaShape& sa, Mac& mac, const Job& job, const Linear& io, const OpenPlan& plan,
              const Scratch& scratch) noexcept {
  const Octets header = masked(io.source.first(job.header_length), sa.outer, scratch);
  if (header.empty()) return Status::bad_header;
  const Octets ah = io.source.subspan(job.header_length, plan.text_offset - job.header_length);
  const Covered covered(sa, job, header, ah, io.source.subspan(plan.text_offset));
  const std::uint8_t* iv = ah.data() + kAhHeader;
  return mac.verify(covered.parts(), iv, iv + sa.iv_length) ? Status::ok : Status::icv_mismatch;
}

Answer ah_seal(const SaShape& sa, Mac& mac, const Job& job, const Linear& io,
               const Scratch& scratch) noexcept {
  const SealPlan plan = make_plan(sa, job, io);
  if (plan.status != Status::ok) return {plan.status};
  std::uint8_t* out = io.destination.data();
  std::uint8_t* ah = out + plan.head;
  if (sa.mode == Mode::tunnel) {
    write_outer(sa, job, plan.total, out);
  } else {
    std::memmove(out, io.source.data(), plan.head);
    rewrite_header(out, sa.outer, plan.head, plan.total, plan.header.next_offset, kAh);
  }
  const Octets text = io.source.subspan(plan.text_offset);
  if (text.data() != ah + sa.ah_length && !text.empty())
    std::memcpy(ah + sa.ah_length, text.data(), text.size());
  std::memset(ah, 0, sa.ah_length);
  ah[0] = plan.next;
  ah[1] = static_cast<std::uint8_t>(sa.ah_length / 4 - 2);
  store32(ah + 4, sa.spi);
  store32(ah + 8, static_cast<std::uint32_t>(job.sequence_number));
  const Octets header = masked({out, plan.head}, sa.outer, scratch);
  Status status = Status::bad_header;
  if (!header.empty()) {
    const Covered covered(sa, job, header, {ah, sa.ah_length}, {ah + sa.ah_length, text.size()});
    std::memcpy(ah + kAhHeader, job.iv.data(), sa.iv_length);
    status = mac.compute(covered.parts(), job.iv.data(), ah + kAhHeader + sa.iv_length)
                 ? Status::ok
                 : Status::internal_error;
  }
  if (status != Status::ok) {
    std::memset(out, 0, plan.total);
    return {status};
  }
  return {Status::ok, kAh, static_cast<std::uint32_t>(plan.total)};
}

Answer ah_open(const SaShape& sa, Mac& mac, const Job& job, const Linear& given,
               const Scratch& scratch) noexcept {
  const OpenPlan plan = make_open_plan(sa, job, given);
  if (plan.status != Status::ok) return {plan.status};
  const Linear io(given.source.first(plan.header.total), given.destination);
  const Status status = verify(sa, mac, job, io, plan, scratch);
  if (status != Status::ok) return {status};

  Answer answer{Status::ok, io.source[job.header_length], 0};
  const Octets text = io.source.subspan(plan.text_offset);
  const std::size_t head = sa.mode == Mode::tunnel ? 0 : job.header_length;
  const std::uint8_t outer_class = traffic_class(io.source.data(), sa.outer);
  answer.length = static_cast<std::uint32_t>(head + text.size());
  std::uint8_t* out = io.destination.data();
  const bool direct = answer.length <= io.destination.size();
  if (!direct) out = scratch.destination.data();
  if (!text.empty()) std::memmove(out + head, text.data(), text.size());
  if (sa.mode == Mode::tunnel)
    answer.status =
        leave_tunnel(sa, answer.next_header, outer_class, {out, text.size()}, answer.length);
  if (answer.status == Status::ok && answer.length > io.destination.size())
    answer.status = Status::no_room;
  if (answer.status != Status::ok) {
    std::memset(out, 0, head + text.size());
    return {answer.status};
  }
  if (!direct) std::memcpy(io.destination.data(), out, answer.length);
  if (head != 0) {
    std::memmove(io.destination.data(), io.source.data(), head);
    rewrite_header(io.destination.data(), sa.outer, head, answer.length, plan.header.next_offset,
                   answer.next_header);
  }
  return answer;
}

class AhSa final : public KeyedSa {
 public:
  AhSa(const SaParameters& sa, const SaShape& shape) : KeyedSa(shape), mac_(make_mac(sa)) {}
  bool ready() const { return mac_ != nullptr; }

  Answer process(const Job& job, const Scratch& scratch) noexcept override {
    const Linear io(job);
    return shape().direction == Direction::seal ? ah_seal(shape(), *mac_, job, io, scratch)
                                                : ah_open(shape(), *mac_, job, io, scratch);
  }

 private:
  std::unique_ptr<Mac> mac_;
};

}  // namespace

std::unique_ptr<KeyedSa> make_ah(const SaParameters& sa, const SaShape& shape) {
  return if_ready(std::make_unique<AhSa>(sa, shape));
}

}  // namespace espalier::driver::software
