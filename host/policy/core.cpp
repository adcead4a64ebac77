// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/core.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "sa/sa.hpp"

namespace espalier {
namespace {

constexpr Time kSecond = std::chrono::seconds(1);
constexpr Time kSoon = std::chrono::milliseconds(1);

std::uint32_t index_of(SetHandle set) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(set));
}
std::uint32_t generation_of(SetHandle set) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(set) >> 32);
}

void next_version(std::atomic<std::uint32_t>& version) {
  if (version.fetch_add(1, std::memory_order_seq_cst) == 0xffffffffu) version.store(1);
}

void watch_fd(int epoll_fd, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

Boundary::Core::Core(const BoundaryConfig& config, Context& context)
    : common(config, context), sas_(context.config().max_sas) {
  for (std::uint32_t i = config.max_sets; i != 0; --i) free_sets_.push_back(i - 1);
  for (unsigned q = 0; q < context.config().queues; ++q)
    lanes_.push_back(std::make_unique<Lane>(common, q));
  common.audits.refill(config.audit_events_per_second);
  common.icmp_made.refill(config.icmp_per_second);
  common.icmp_noted.refill(config.icmp_per_second);
  common.fragment_id.store(std::random_device{}());
  publish(std::vector<SpdView::Entry>{});
  set_local(config.local);
  event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  watch_fd(epoll_fd_, event_fd_);
  watch_fd(epoll_fd_, context.event_fd());
}

Boundary::Core::~Core() {
  for (const auto& sa : sas_)
    if (sa != nullptr) common.context.remove(sa->handle);
  for (const Retired& r : retired_)
    if (r.sa != SaHandle::none) common.context.remove(r.sa);
  if (epoll_fd_ >= 0) close(epoll_fd_);
  if (event_fd_ >= 0) close(event_fd_);
}

// ---- taking things out of sight

void Boundary::Core::retire(std::shared_ptr<const void> thing, SaHandle sa, std::uint32_t set) {
  Retired r{{}, std::move(thing), sa, set};
  for (const auto& lane : lanes_) r.grace.note(lane->activity());
  retired_.push_back(std::move(r));
  reclaim();
}

void Boundary::Core::reclaim() noexcept {
  std::erase_if(retired_, [this](const Retired& r) {
    for (std::size_t q = 0; q < lanes_.size(); ++q)
      if (!r.grace.over(q, lanes_[q]->activity())) return false;
    if (r.sa != SaHandle::none) common.context.remove(r.sa);
    if (r.set != kNoSet) free_sets_.push_back(r.set);
    return true;
  });
}

// ---- policies

bool Boundary::Core::has(PolicyHandle policy) const noexcept {
  return std::any_of(policies_.begin(), policies_.end(),
                     [policy](const auto& e) { return e.view.handle == policy; });
}

std::string Boundary::Core::check(const PolicyConfig& policy) const {
  if (std::string why = espalier::check(policy.selector); !why.empty()) return why;
  if (policy.action == Action::protect && set(policy.set) == nullptr)
    return "protect needs a set of SAs that there is; make one with add_set()";
  if (policy.action != Action::protect && policy.set != SetHandle::none)
    return "only protect has a set of SAs; leave it out";
  return {};
}

Result<std::vector<PolicyHandle>> Boundary::Core::replace(std::span<const PolicyHandle> remove,
                                                          std::span<const PolicyConfig> add) {
  std::vector<SpdView::Entry> entries = policies_;
  for (const PolicyHandle handle : remove)
    if (std::erase_if(entries, [handle](const auto& e) { return e.view.handle == handle; }) == 0)
      return Error{"no such policy: it was removed, or never added"};
  if (entries.size() + add.size() > common.config.max_policies)
    return Error{"more than " + std::to_string(common.config.max_policies) +
                 " policies; remove some, or open the boundary with a higher max_policies"};
  std::vector<PolicyHandle> handles;
  std::uint64_t last = last_policy_;
  for (const PolicyConfig& config : add) {
    if (std::string why = check(config); !why.empty()) return Error{why};
    SpdView::Entry entry{{static_cast<PolicyHandle>(++last), config.action, 0}, config};
    if (config.action == Action::protect) entry.view.set = index_of(config.set);
    handles.push_back(entry.view.handle);
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.config.priority, a.view.handle) <
           std::pair(b.config.priority, b.view.handle);
  });
  publish(std::move(entries));
  last_policy_ = last;
  return handles;
}

void Boundary::Core::publish(std::vector<SpdView::Entry> entries) {
  if (++spd_version_ == 0) ++spd_version_;
  auto fresh = std::make_unique<const SpdView>(entries, spd_version_);
  policies_ = std::move(entries);
  common.spd.store(fresh.get(), std::memory_order_seq_cst);
  std::shared_ptr<const SpdView> old = std::move(spd_);
  spd_ = std::move(fresh);
  if (old != nullptr) retire(std::move(old));
}

void Boundary::Core::set_local(std::span<const Address> addresses) {
  auto fresh = std::make_unique<LocalView>();
  for (const Address& a : addresses) fresh->items.push_back({a.family, wide(a)});
  std::sort(fresh->items.begin(), fresh->items.end());
  common.local.store(fresh.get(), std::memory_order_seq_cst);
  std::shared_ptr<const LocalView> old = std::move(local_);
  local_ = std::move(fresh);
  if (old != nullptr) retire(std::move(old));
}

// ---- sets

SaSet* Boundary::Core::set(SetHandle handle) const noexcept {
  if (generation_of(handle) == 0 || index_of(handle) >= common.config.max_sets) return nullptr;
  SaSet& set = common.sets[index_of(handle)];
  return set.generation.load(std::memory_order_relaxed) == generation_of(handle) ? &set : nullptr;
}

Result<SetHandle> Boundary::Core::add_set() {
  reclaim();
  if (free_sets_.empty())
    return Error{"all " + std::to_string(common.config.max_sets) +
                 " sets are in use; remove some, or open the boundary with a higher max_sets"};
  const std::uint32_t index = free_sets_.back();
  free_sets_.pop_back();
  SaSet& set = common.sets[index];
  if (++set.last_generation == 0) ++set.last_generation;
  set.acquire_after.store(0, std::memory_order_relaxed);
  set.generation.store(set.last_generation, std::memory_order_relaxed);
  return make_set_handle(index, set.last_generation);
}

std::string Boundary::Core::remove_set(SetHandle handle) {
  SaSet* gone = set(handle);
  if (gone == nullptr) return "no such set: it was removed, or never added";
  if (!gone->members.empty()) return "the set has SAs; remove them first";
  if (std::any_of(policies_.begin(), policies_.end(),
                  [handle](const auto& e) { return e.config.set == handle; }))
    return "a policy names the set; remove the policy first";
  gone->generation.store(0, std::memory_order_relaxed);
  // Its number may stand in an SPD that a lane still uses: nobody gets it before that is over.
  retire(nullptr, SaHandle::none, index_of(handle));
  return {};
}

/// Makes the set's choices what its members say.
void Boundary::Core::publish(SaSet& set) {
  auto fresh = std::make_unique<SetView>();
  const auto general = [](const SetView::Choice& c) {
    return 2 * (c.queues == 0xffff) + (c.dscps == ~0ull);
  };
  for (auto sa = set.members.rbegin(); sa != set.members.rend(); ++sa) {
    if (!(*sa)->outbound) continue;
    const SetView::Choice choice{*sa, (*sa)->more->role.dscps.value_or(~0ull),
                                 (*sa)->more->role.queues.value_or(0xffff)};
    auto& choices = fresh->choices;
    choices.insert(
        std::upper_bound(choices.begin(), choices.end(), choice,
                         [&](const auto& a, const auto& b) { return general(a) < general(b); }),
        choice);
  }
  set.view.store(fresh.get(), std::memory_order_seq_cst);
  next_version(common.sets_version);
  std::shared_ptr<const SetView> old = std::move(set.owned);
  set.owned = std::move(fresh);
  if (old != nullptr) retire(std::move(old));
}

// ---- SAs

std::string Boundary::Core::check(const SaSet& set, const SaConfig& config,
                                  const SaRole& role) const {
  const driver::SaParameters& t = config.transform;
  const bool outbound = t.direction == driver::Direction::seal;
  const bool tunnel = t.mode == driver::Mode::tunnel;
  const bool esp_tunnel = outbound && tunnel && t.protocol == driver::Protocol::esp;
  const std::uint32_t least = config.ends.family == Family::ipv4 ? 576 : 1280;
  if (role.dscps == 0u || role.queues == std::uint16_t{0})
    return "an SA for no DSCP or no queue is never used; leave the member empty for all";
  if (role.path_mtu != 0 && (role.path_mtu < least || role.path_mtu > SaView::kMaxOctets))
    return "path MTU " + std::to_string(role.path_mtu) + " is not between " +
           std::to_string(least) + " and 65535";
  if ((role.tfc_multiple > 1 || role.dummy_interval != Time{0}) && !esp_tunnel)
    return "TFC padding and dummy packets are for outbound ESP tunnels (RFC 4303 2.6, 2.7)";
  if (role.keepalive_interval != Time{0} && !(outbound && t.udp_encapsulation))
    return "keepalives are for outbound SAs with UDP encapsulation (RFC 3948 4)";
  const bool original = role.original_source || role.original_destination;
  if (original && (outbound || tunnel || !t.udp_encapsulation || !role.original_source ||
                   !role.original_destination))
    return "original addresses, both, are for inbound transport mode with UDP encapsulation "
           "(RFC 3948 3.1.2)";
  if (role.selector && outbound) return "an SA's own selector is for inbound; policies choose it";
  if (role.selector)
    if (std::string why = espalier::check(*role.selector); !why.empty()) return why;
  // RFC 3948 5.2: packets for one client must not take the way to another.
  for (const SaView* other : set.members)
    if (outbound && !tunnel && t.udp_encapsulation && other->outbound && other->udp &&
        other->more->config.ends.destination == config.ends.destination &&
        other->more->config.ends.destination_port != config.ends.destination_port)
      return "another client behind the same NAT has this set (RFC 3948 5.2); use tunnel mode, or "
             "a policy with other selectors and a set of its own";
  return {};
}

Result<SaHandle> Boundary::Core::add_sa(SetHandle set_handle, const SaConfig& config,
                                        const SaRole& role) {
  SaSet* into = set(set_handle);
  if (into == nullptr) return Error{"no such set: it was removed, or never added"};
  if (std::string why = check(*into, config, role); !why.empty()) return Error{why};
  reclaim();
  auto added = common.context.add(config);
  if (!added) return added;
  auto view =
      make_view(*added, index_of(set_handle), config, *driver::suite_of(config.transform), role);
  into->members.push_back(view.get());
  if (view->watched) watched_.push_back(view->handle);
  show(std::move(view));
  return added;
}

std::unique_ptr<SaView> Boundary::Core::make_view(SaHandle handle, std::uint32_t set,
                                                  const SaConfig& config,
                                                  const driver::Suite& suite,
                                                  const SaRole& role) const {
  auto view = std::make_unique<SaView>();
  SaView& sa = *view;
  sa.more = std::make_unique<SaDetails>();
  sa.handle = handle;
  sa.set = set;
  sa.more->role = role;
  sa.more->suite = suite;
  sa.more->config = config;
  driver::SaParameters& t = sa.more->config.transform;
  t.cipher_key.wipe();
  t.integrity_key.wipe();
  t.salt = {};
  driver::set_header_template(config.ends, t);
  sa.spi = t.spi;
  sa.outbound = t.direction == driver::Direction::seal;
  sa.tunnel = t.mode == driver::Mode::tunnel;
  sa.udp = t.udp_encapsulation;
  sa.pads = role.tfc_multiple > 1;
  sa.watched = role.keepalive_interval != Time{0} || role.dummy_interval != Time{0};
  sa.outer = config.ends.family;
  sa.dont_fragment = config.dont_fragment;
  sa.overhead = overhead_of(plan_of(sa.more->config, suite));
  sa.fixes_checksums = role.original_source.has_value();
  sa.selects = role.selector.has_value();
  if (role.path_mtu != 0) sa.path_mtu.store(role.path_mtu, std::memory_order_relaxed);
  sa.last_sent.store(common.time().count(), std::memory_order_relaxed);
  if (role.selector) {
    const Selector* one = &*sa.more->role.selector;
    sa.more->selector = std::make_unique<const Classifier>(std::span(&one, 1));
  }
  return view;
}

/// Lets the lanes see an SA, in place of an earlier view of it if there is one.
void Boundary::Core::show(std::unique_ptr<SaView> view) {
  SaView& sa = *view;
  const std::uint32_t index = index_of(sa.handle);
  std::shared_ptr<SaView> old = std::move(sas_[index]);
  sas_[index] = std::move(view);
  common.sas[index].store(&sa, std::memory_order_seq_cst);
  if (sa.outbound) {
    if (old != nullptr) common.peers.unlink(*old);
    common.peers.link(sa);
    publish(common.sets[sa.set]);
  } else {
    next_version(common.sad_version);
  }
  if (old != nullptr) retire(std::move(old));
}

std::string Boundary::Core::update_sa(SaHandle handle, const SaUpdate& update) {
  SaView* old = common.sa(handle);
  if (old == nullptr) return "no such SA: it was removed, or never added";
  SaConfig config = old->more->config;
  if (update.ends) config.ends = *update.ends;
  if (update.udp_encapsulation) config.transform.udp_encapsulation = *update.udp_encapsulation;
  if (update.soft) config.soft = *update.soft;
  if (update.hard) config.hard = *update.hard;
  if (old->more->role.keepalive_interval != Time{0} && !config.transform.udp_encapsulation)
    return "its keepalives need UDP encapsulation; add another SA without them";
  if (std::string why = common.context.update(handle, update); !why.empty()) return why;
  auto view = make_view(handle, old->set, config, old->more->suite, old->more->role);
  if (!update.ends) {
    view->path_mtu.store(old->path_mtu.load(std::memory_order_relaxed), std::memory_order_relaxed);
    view->learned_at.store(old->learned_at.load(std::memory_order_relaxed),
                           std::memory_order_relaxed);
  }
  auto& members = common.sets[old->set].members;
  std::replace(members.begin(), members.end(), old, view.get());
  show(std::move(view));
  return {};
}

bool Boundary::Core::remove_sa(SaHandle handle) {
  SaView* sa = common.sa(handle);
  if (sa == nullptr) return false;
  SaSet& from = common.sets[sa->set];
  std::erase(from.members, sa);
  std::shared_ptr<SaView> view = std::move(sas_[index_of(handle)]);
  if (view->outbound) {
    publish(from);
    common.peers.unlink(*view);
    std::erase(watched_, handle);
  } else {
    common.context.remove(handle);
  }
  common.sas[index_of(handle)].store(nullptr, std::memory_order_seq_cst);
  if (!view->outbound) next_version(common.sad_version);
  const bool outbound = view->outbound;
  retire(std::move(view), outbound ? handle : SaHandle::none);
  return true;
}

bool Boundary::Core::ask(SaHandle handle, Errand::Kind kind) noexcept {
  const SaView* sa = common.sa(handle);
  if (sa == nullptr || !sa->outbound) return false;
  if (kind == Errand::Kind::dummy &&
      (!sa->tunnel || sa->more->config.transform.protocol != driver::Protocol::esp))
    return false;
  const unsigned queue =
      sa->more->role.queues ? static_cast<unsigned>(std::countr_zero(*sa->more->role.queues)) : 0;
  return queue < lanes_.size() && lanes_[queue]->ask({kind, handle});
}

bool Boundary::Core::set_path_mtu(SaHandle handle, std::uint32_t octets) noexcept {
  SaView* sa = common.sa(handle);
  if (sa == nullptr || !sa->outbound || octets > SaView::kMaxOctets) return false;
  if (octets != 0 && octets < (sa->outer == Family::ipv4 ? 576u : 1280u)) return false;
  sa->more->role.path_mtu = octets;
  sa->learned_at.store(0, std::memory_order_relaxed);
  sa->path_mtu.store(octets == 0 ? SaView::kMaxOctets : octets, std::memory_order_relaxed);
  return true;
}

// ---- time

Time Boundary::Core::tick(Time now) noexcept {
  common.now.store(now.count(), std::memory_order_relaxed);
  Time next = common.context.tick(now);
  if (now - refilled_ >= kSecond) {
    refilled_ = now;
    common.audits.refill(common.config.audit_events_per_second);
    common.icmp_made.refill(common.config.icmp_per_second);
    common.icmp_noted.refill(common.config.icmp_per_second);
    forget_path_mtus(now);
  }
  reclaim();
  next = std::min(next, send_what_is_due(now));
  if (!event_signalled_ && !common.events.empty())
    event_signalled_ = eventfd_write(event_fd_, 1) == 0;
  if (!retired_.empty()) next = std::min(next, now + kSoon);
  return next;
}

/// Keepalives and dummies of SAs that were silent.  Returns when the next one may be due.
Time Boundary::Core::send_what_is_due(Time now) noexcept {
  Time next = Time::max();
  for (const SaHandle handle : watched_) {
    SaView& sa = *common.sa(handle);
    const Time silent_since{sa.last_sent.load(std::memory_order_relaxed)};
    for (const auto& [interval, kind] :
         {std::pair{sa.more->role.dummy_interval, Errand::Kind::dummy},
          {sa.more->role.keepalive_interval, Errand::Kind::keepalive}}) {
      if (interval == Time{0}) continue;
      if (now - silent_since < interval) {
        next = std::min(next, silent_since + interval);
      } else if (ask(handle, kind)) {
        sa.last_sent.store(now.count(), std::memory_order_relaxed);
        next = std::min(next, now + interval);
        break;
      }
    }
  }
  return next;
}

/// Paths change: what ICMP said is forgotten after a while (RFC 4301 8.2.2).
void Boundary::Core::forget_path_mtus(Time now) noexcept {
  for (const auto& sa : sas_) {
    if (sa == nullptr) continue;
    const Time::rep learned = sa->learned_at.load(std::memory_order_relaxed);
    if (learned == 0 || now.count() - learned < common.config.path_mtu_age.count()) continue;
    sa->learned_at.store(0, std::memory_order_relaxed);
    sa->path_mtu.store(sa->more->role.path_mtu == 0 ? SaView::kMaxOctets : sa->more->role.path_mtu,
                       std::memory_order_relaxed);
  }
}

// ---- events and counters

bool Boundary::Core::next_event(BoundaryEvent& event) noexcept {
  if (common.events.pop(event)) return true;
  if (event_signalled_) {
    eventfd_t ignored;
    event_signalled_ = eventfd_read(event_fd_, &ignored) != 0;
  }
  event = {};
  while (common.context.next_event(event.event)) {
    if (event.event.kind == EventKind::audit) continue;  // the lanes tell more
    event.kind = BoundaryEventKind::sa;
    event.sa = event.event.sa;
    event.spi = event.event.spi;
    event.at = common.time();
    return true;
  }
  return false;
}

std::uint64_t Boundary::Core::lost_events() const noexcept {
  return common.events.lost() + common.audits.refused() + common.context.lost_events();
}

BoundaryCounters Boundary::Core::counters() const noexcept {
  BoundaryCounters out;
  const auto read = [](const std::atomic<std::uint64_t>& c) {
    return c.load(std::memory_order_relaxed);
  };
  for (const auto& lane : lanes_) {
    const LaneCounters& c = lane->counters();
    out.offered += read(c.offered);
    for (unsigned i = 0; i < kVerdictCount; ++i) out.verdicts[i] += read(c.verdicts[i]);
    for (unsigned i = 0; i < spec::kDropCount; ++i) out.drops[i] += read(c.drops[i]);
    out.fragments_sent += read(c.fragments_sent);
    out.fragments_held += read(c.fragments_held);
    out.fragments_joined += read(c.fragments_joined);
    out.icmp_noted += read(c.icmp_noted);
  }
  return out;
}

}  // namespace espalier
