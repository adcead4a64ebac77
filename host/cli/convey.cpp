// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/convey.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "cli/command.hpp"

namespace espalier::cli {
namespace {

constexpr QueueId kQueue{0};
constexpr std::size_t kBurst = 64;
constexpr std::uint32_t kMostOverhead = 256;  ///< Of any suite and mode, padding included.
constexpr std::uint32_t kBeat = 64;
constexpr auto kPatience = std::chrono::seconds(120);

Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

class Conveyor {
 public:
  Conveyor(Context& context, std::span<Parcel> parcels) : context_(context), parcels_(parcels) {
    buffers_.resize(parcels.size());
  }
  ~Conveyor() {
    for (const Buffers& buffers : buffers_) give_back(buffers);
  }
  Conveyor(const Conveyor&) = delete;
  Conveyor& operator=(const Conveyor&) = delete;

  /// Offers up to a burst of parcels; true if all that were left are taken.
  bool offer() {
    std::vector<Job>& jobs = burst_;
    while (jobs.size() < kBurst && next_ < parcels_.size()) {
      if (parcels_[next_].sa != SaHandle::none) jobs.push_back(job(next_));
      ++next_;
    }
    const std::size_t taken = context_.submit(kQueue, jobs);
    jobs.erase(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(taken));
    return jobs.empty() && next_ == parcels_.size();
  }

  /// Takes what is done; returns how much that was.
  std::size_t collect() {
    Completion done[kBurst];
    const std::uint64_t before = cycle();
    const std::size_t n = context_.poll(kQueue, done);
    for (std::size_t i = 0; i < n; ++i) finish(done[i]);
    meter({done, n}, before);
    const Time time = now();
    if (n != 0 || last_sign_ == Time{}) last_sign_ = time;
    if (n == 0) context_.tick(time);
    if (time - last_sign_ > kPatience)
      throw Failure("the device gave no answer within 120 s; see 'espalier devices'");
    return n;
  }

  bool waits() const { return context_.outstanding(kQueue) != 0; }
  const Flow& flow() const { return flow_; }

 private:
  /// Memory of the best device's own where it has any, so that it need not stage; lent while the
  /// parcel is under way.
  struct Buffers {
    std::span<std::uint8_t> lent;  ///< Room for source and result, in this order, 64-byte aligned.
    Segment source, destination;
  };

  Job job(std::size_t i) {
    Parcel& parcel = parcels_[i];
    Buffers& buffers = buffers_[i];
    const std::size_t octets = parcel.source.size(), room = octets + kMostOverhead;
    const std::size_t start = (octets + kBeat - 1) / kBeat * kBeat;
    buffers.lent = context_.allocate(start + room);
    // A source segment is only read; the type is shared with destinations.
    std::uint8_t* source = const_cast<std::uint8_t*>(parcel.source.data());
    std::uint8_t* destination = nullptr;
    if (buffers.lent.empty()) {
      parcel.result.resize(room);
      destination = parcel.result.data();
    } else {
      std::ranges::copy(parcel.source, buffers.lent.begin());
      source = buffers.lent.data();
      destination = source + start;
    }
    buffers.source = {source, static_cast<std::uint32_t>(octets)};
    buffers.destination = {destination, static_cast<std::uint32_t>(room)};
    Job job;
    job.sa = parcel.sa;
    job.cookie = i;
    job.source = {&buffers.source, 1};
    job.destination = {&buffers.destination, 1};
    return job;
  }

  void give_back(const Buffers& buffers) {
    if (!buffers.lent.empty()) context_.release(buffers.lent);
  }

  void finish(const Completion& done) {
    Parcel& parcel = parcels_[done.cookie];
    Buffers& buffers = buffers_[done.cookie];
    if (buffers.lent.empty())
      parcel.result.resize(done.length);
    else
      parcel.result.assign(buffers.destination.data, buffers.destination.data + done.length);
    give_back(buffers);
    buffers.lent = {};
    parcel.drop = done.drop;
    parcel.device = done.device;
    parcel.refusal = done.refusal;
  }

  std::uint64_t cycle() const { return context_.devices()[0]->simulated_cost().cycles; }

  /// A poll lets many cycles pass, `before` is when it began: the first completions are taken to
  /// have come then, the last ones now, so that no flow looks faster than it is.
  void meter(std::span<const Completion> done, std::uint64_t before) {
    const bool any = std::any_of(done.begin(), done.end(), [](auto& d) { return d.device == 0; });
    if (!any) return;
    if (!metering_) first_cycle_ = before;
    flow_.cycles = cycle() - first_cycle_;
    for (const Completion& d : done) {
      if (!metering_ || d.device != 0) continue;
      const std::size_t source = parcels_[d.cookie].source.size();
      ++flow_.packets;
      flow_.source_octets += source;
      flow_.result_octets += d.length;
      flow_.beats += (std::max<std::size_t>(source, d.length) + kBeat - 1) / kBeat;
    }
    metering_ = true;
  }

  Context& context_;
  std::span<Parcel> parcels_;
  std::vector<Buffers> buffers_;
  std::vector<Job> burst_;
  std::size_t next_ = 0;
  Time last_sign_{};
  Flow flow_;
  bool metering_ = false;
  std::uint64_t first_cycle_ = 0;
};

}  // namespace

Flow convey(Context& context, std::span<Parcel> parcels,
            const std::function<void(std::size_t)>& progress) {
  Conveyor conveyor(context, parcels);
  std::size_t done = 0;
  for (bool all = false; !all || conveyor.waits();) {
    if (!all) all = conveyor.offer();
    done += conveyor.collect();
    if (progress) progress(done);
  }
  return conveyor.flow();
}

void Tally::count_drop(const std::string& reason) {
  ++packets;
  ++dropped;
  ++drops[reason];
}

void Tally::count(const Context& context, const Parcel& parcel) {
  if (parcel.drop != Drop::none) return count_drop(spec::info(parcel.drop).name);
  ++packets;
  ++done;
  octets += parcel.result.size();
  ++devices[std::string(context.devices()[parcel.device]->capabilities().name)];
  if (parcel.refusal != Refusal::none) ++fallbacks[name(parcel.refusal)];
}

}  // namespace espalier::cli
