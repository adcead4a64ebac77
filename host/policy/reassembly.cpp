// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/reassembly.hpp"

#include <algorithm>
#include <cstring>

#include "packet/checksum.hpp"
#include "packet/octets.hpp"

namespace espalier {
namespace {

constexpr std::uint8_t kEcn = 3, kCe = 3;

/// Where the Next Header field stands that names the header at `fragment`.
std::uint32_t next_header_field(const std::uint8_t* packet, std::uint32_t fragment) {
  std::uint32_t at = 40, field = 6;
  while (at < fragment) {
    field = at;
    at += (packet[at + 1] + 1u) * 8u;
  }
  return field;
}

}  // namespace

Reassembler::Assembly* Reassembler::find(const Key& key) noexcept {
  for (Assembly& a : contexts_)
    if (a.used && a.key == key) return &a;
  return nullptr;
}

/// A context with a buffer; the oldest ones give way.  Null only if all buffers are elsewhere.
Reassembler::Assembly* Reassembler::make(const Key& key, Time now, Lost& evicted) noexcept {
  Assembly* place = nullptr;
  Assembly* oldest = nullptr;
  for (Assembly& a : contexts_) {
    if (!a.used) {
      place = &a;
    } else if (oldest == nullptr || a.deadline < oldest->deadline) {
      oldest = &a;
    }
  }
  if ((place == nullptr || large_.available() == 0) && oldest != nullptr) {
    evicted = end(*oldest, Drop::reassembly_limit);
    place = oldest;
  }
  if (place == nullptr) return nullptr;
  const std::uint32_t lease = large_.take();
  if (lease == 0) return nullptr;
  place->used = true;
  place->spoilt = place->ce = false;
  place->key = key;
  place->deadline = now + patience_;
  place->lease = lease;
  place->fragments = place->header = place->total = 0;
  place->ranges = 0;
  next_deadline_ = std::min(next_deadline_, place->deadline);
  return place;
}

Reassembler::Lost Reassembler::end(Assembly& a, Drop drop) noexcept {
  const Lost lost{drop, a.fragments};
  held_ -= a.fragments;
  if (a.lease != 0) large_.give_back(a.lease);
  a.lease = 0;
  a.fragments = 0;
  a.used = false;
  return lost;
}

Reassembler::Result Reassembler::spoil(Assembly& a, Drop drop) noexcept {
  const Lost lost = end(a, drop);
  a.used = a.spoilt = true;
  Result out;
  out.drop = drop;
  out.fragments = lost.fragments;
  return out;
}

/// Ranges stay sorted and apart; neighbours are merged.
Drop Reassembler::insert(Assembly& a, Range range) noexcept {
  unsigned i = 0;
  while (i < a.ranges && a.range[i].end <= range.first) ++i;
  if (i < a.ranges && a.range[i].first < range.end) return Drop::reassembly_overlap;
  const bool joins_left = i > 0 && a.range[i - 1].end == range.first;
  const bool joins_right = i < a.ranges && a.range[i].first == range.end;
  if (joins_left && joins_right) {
    a.range[i - 1].end = a.range[i].end;
    std::copy(a.range.begin() + i + 1, a.range.begin() + a.ranges, a.range.begin() + i);
    --a.ranges;
  } else if (joins_left) {
    a.range[i - 1].end = range.end;
  } else if (joins_right) {
    a.range[i].first = range.first;
  } else {
    if (a.ranges == kMaxRanges) return Drop::reassembly_limit;
    std::copy_backward(a.range.begin() + i, a.range.begin() + a.ranges,
                       a.range.begin() + a.ranges + 1);
    a.range[i] = range;
    ++a.ranges;
  }
  return Drop::none;
}

Reassembler::Result Reassembler::add(std::span<const std::uint8_t> packet, const IpHeader& ip,
                                     Time now, Lost& evicted) noexcept {
  const Fragment f = fragment_of(packet.data(), ip);
  const std::uint32_t octets = ip.length - ip.header_length;
  Result failed;
  failed.drop = Drop::malformed_ip;
  if (octets == 0 || (f.more && octets % 8 != 0)) return failed;

  Key key;
  key.source = wide(ip.family, ip.source);
  key.destination = wide(ip.family, ip.destination);
  key.id = f.id;
  key.family = ip.family;
  if (ip.family == Family::ipv4) key.protocol = f.protocol;
  Assembly* a = find(key);
  if (a == nullptr) a = make(key, now, evicted);
  failed.drop = Drop::reassembly_limit;
  if (a == nullptr) return failed;
  failed.drop = Drop::reassembly_overlap;
  if (a->spoilt) return failed;

  const Range range{f.offset, f.offset + octets};
  const std::uint32_t header = ip.family == Family::ipv4 ? ip.header_length : f.header;
  const std::uint32_t longest = 65535 - header + (ip.family == Family::ipv4 ? 0 : 40);
  if (range.end > longest) return spoil(*a, Drop::malformed_ip);
  // Past the end, a second end, or an end before what has come.
  const bool past = a->total != 0 && (!f.more || range.end > a->total);
  const bool before = !f.more && a->ranges != 0 && a->range[a->ranges - 1].end > range.end;
  if (past || before) return spoil(*a, Drop::reassembly_overlap);
  if (const Drop drop = insert(*a, range); drop != Drop::none) return spoil(*a, drop);

  std::memcpy(large_[a->lease].data() + kHeaderRoom + f.offset, packet.data() + ip.header_length,
              octets);
  if (!f.more) a->total = range.end;
  if (f.offset == 0) {
    a->header = header;
    a->protocol = f.protocol;
    std::memcpy(a->head.data(), packet.data(), header);
    if (ip.family == Family::ipv6) a->next_at = next_header_field(packet.data(), header);
  }
  a->ce = a->ce || (ip.tos & kEcn) == kCe;
  if (a->total != 0 && a->ranges == 1 && a->range[0].first == 0 && a->range[0].end == a->total)
    return finish(*a);
  ++a->fragments;
  ++held_;
  return {};
}

/// Writes the first fragment's header, made whole, before the payload.
Reassembler::Result Reassembler::finish(Assembly& a) noexcept {
  Result out;
  const std::uint32_t length = a.header + a.total;
  if (length - (a.key.family == Family::ipv4 ? 0 : 40) > 65535) return spoil(a, Drop::malformed_ip);
  std::uint8_t* p = large_[a.lease].data() + kHeaderRoom - a.header;
  std::memcpy(p, a.head.data(), a.header);
  if (a.key.family == Family::ipv4) {
    if (a.ce && (p[1] & kEcn) != 0) p[1] |= kCe;
    store_be16(p + 2, static_cast<std::uint16_t>(length));
    store_be16(p + 6, static_cast<std::uint16_t>(load_be16(p + 6) & 0x4000));
    store_be16(p + 10, 0);
    store_be16(p + 10, static_cast<std::uint16_t>(~checksum_fold(checksum_add({p, a.header}, 0))));
  } else {
    if (a.ce && (p[1] & kEcn << 4) != 0) p[1] |= kCe << 4;
    store_be16(p + 4, static_cast<std::uint16_t>(length - 40));
    p[a.next_at] = a.protocol;
  }
  out.complete = true;
  out.lease = a.lease;
  out.packet = {p, length};
  a.lease = 0;
  out.fragments = end(a, Drop::none).fragments;
  return out;
}

Reassembler::Lost Reassembler::expire(Time now) noexcept {
  if (now < next_deadline_) return {};
  next_deadline_ = Time::max();
  Assembly* due = nullptr;
  for (Assembly& a : contexts_) {
    if (!a.used) continue;
    if (a.deadline <= now && due == nullptr) {
      due = &a;
    } else {
      next_deadline_ = std::min(next_deadline_, a.deadline);
    }
  }
  return due == nullptr ? Lost{} : end(*due, Drop::reassembly_timeout);
}

}  // namespace espalier
