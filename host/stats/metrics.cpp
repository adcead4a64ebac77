// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/metrics.hpp"

#include <cstdio>
#include <utility>
#include <vector>

#include "espalier/driver/suite.hpp"

namespace espalier {
namespace {

using Labels = std::vector<std::pair<const char*, std::string>>;

/// Writes metric families in order; samples of one follow its head.
class Exposition {
 public:
  void family(const char* name, const char* type, const char* help, const char* unit = nullptr) {
    name_ = name;
    counter_ = std::string(type) == "counter";
    line("# TYPE ", type);
    if (unit != nullptr) line("# UNIT ", unit);
    line("# HELP ", help);
  }
  void sample(const Labels& labels, std::uint64_t value) {
    text_ += name_;
    if (counter_) text_ += "_total";
    char mark = '{';
    for (const auto& [label, of] : labels) {
      text_ += mark;
      text_ += label;
      text_ += "=\"";
      escape(of);
      text_ += '"';
      mark = ',';
    }
    if (mark == ',') text_ += '}';
    text_ += ' ' + std::to_string(value) + '\n';
  }
  std::string finish() { return std::move(text_ += "# EOF\n"); }

 private:
  void line(const char* head, const char* rest) {
    text_ += head;
    text_ += name_;
    text_ += ' ';
    text_ += rest;
    text_ += '\n';
  }
  void escape(const std::string& value) {
    for (const char c : value) {
      if (c == '\\' || c == '"') text_ += '\\';
      c == '\n' ? text_ += "\\n" : text_ += c;
    }
  }

  std::string text_, name_;
  bool counter_ = false;
};

const char* drop_name(unsigned reason) {
  return spec::kDrops[reason].name;
}

void write_totals(const Context& context, Exposition& out) {
  const Totals totals = context.totals();
  out.family("espalier_packets", "counter", "Packets sealed or opened.");
  out.sample({}, totals.packets);
  out.family("espalier_bytes", "counter", "Of those, octets given to the algorithm.", "bytes");
  out.sample({}, totals.bytes);
  out.family("espalier_drops", "counter", "Packets dropped, each under one reason.");
  for (unsigned r = 1; r < spec::kDropCount; ++r)
    out.sample({{"reason", drop_name(r)}}, totals.drops[r]);
  out.family("espalier_lost_events", "counter", "Events and audit records that found no room.");
  out.sample({}, context.lost_events());
}

struct Named {
  SaStatistics statistics;
  Labels labels;
};

void write_sas(const Context& context, Exposition& out) {
  std::vector<Named> sas;
  for (const SaHandle handle : context.sas()) {
    const auto about = context.describe(handle);
    const auto statistics = context.statistics(handle);
    if (!about || !statistics) continue;
    char spi[16];
    std::snprintf(spi, sizeof spi, "0x%08x", about->spi);
    sas.push_back({*statistics,
                   {{"sa", std::to_string(static_cast<std::uint64_t>(handle))},
                    {"spi", spi},
                    {"direction", about->direction == driver::Direction::seal ? "out" : "in"},
                    {"protocol", about->protocol == driver::Protocol::ah ? "ah" : "esp"},
                    {"suite", about->suite}}});
  }
  out.family("espalier_sa_packets", "counter", "Packets of the SA sealed or opened.");
  for (const Named& sa : sas) out.sample(sa.labels, sa.statistics.packets);
  out.family("espalier_sa_bytes", "counter", "Of those, octets given to the algorithm.", "bytes");
  for (const Named& sa : sas) out.sample(sa.labels, sa.statistics.bytes);
  out.family("espalier_sa_number", "gauge", "Last number given out, or highest accepted.");
  for (const Named& sa : sas) out.sample(sa.labels, sa.statistics.number);
  out.family("espalier_sa_drops", "counter", "Packets of the SA dropped, by reason.");
  for (const Named& sa : sas)
    for (unsigned r = 1; r < spec::kDropCount; ++r) {
      if (sa.statistics.drops[r] == 0) continue;
      Labels labels = sa.labels;
      labels.emplace_back("reason", drop_name(r));
      out.sample(labels, sa.statistics.drops[r]);
    }
}

struct Counter {
  const char* name;
  const char* help;
  std::uint64_t DeviceCounters::*value;
};
constexpr Counter kCounters[] = {
    {"espalier_device_taken", "Jobs given to the device, second runs included.",
     &DeviceCounters::taken},
    {"espalier_device_failed", "Jobs it failed on, run again elsewhere.", &DeviceCounters::failed},
    {"espalier_device_verified", "Packets compared with software's result.",
     &DeviceCounters::verified},
    {"espalier_device_rechecked", "Drop verdicts software was asked about.",
     &DeviceCounters::rechecked},
    {"espalier_device_mismatches", "Comparisons and rechecks that disagreed.",
     &DeviceCounters::mismatches},
};

void write_devices(const Context& context, Exposition& out) {
  const auto count = static_cast<unsigned>(context.devices().size());
  const auto labels = [&](unsigned d) {
    return Labels{{"device", std::to_string(d)},
                  {"name", std::string(context.devices()[d]->capabilities().name)}};
  };
  const auto with = [&](unsigned d, const char* label, std::string value) {
    Labels all = labels(d);
    all.emplace_back(label, std::move(value));
    return all;
  };
  out.family("espalier_device_health", "stateset", "State of the device as dispatch sees it.");
  for (unsigned d = 0; d < count; ++d)
    for (const auto state : {driver::Health::ready, driver::Health::suspect,
                             driver::Health::quarantined, driver::Health::gone})
      out.sample(with(d, "espalier_device_health", driver::name(state)),
                 context.device_state(d).health == state);
  for (const Counter& counter : kCounters) {
    out.family(counter.name, "counter", counter.help);
    for (unsigned d = 0; d < count; ++d) out.sample(labels(d), context.counters(d).*counter.value);
  }
  out.family("espalier_device_staged", "counter",
             "Jobs whose memory it does not reach, and had to copy.");
  for (unsigned d = 0; d < count; ++d) out.sample(labels(d), context.devices()[d]->staged_jobs());
  out.family("espalier_device_refusals", "counter", "Packets the device was not given, by reason.");
  for (unsigned d = 0; d < count; ++d)
    for (unsigned r = 1; r < kRefusalCount; ++r)
      out.sample(with(d, "reason", name(static_cast<Refusal>(r))), context.counters(d).refusals[r]);
  out.family("espalier_device_quarantines", "counter", "Times it was taken out of service.");
  for (unsigned d = 0; d < count; ++d) out.sample(labels(d), context.device_state(d).quarantines);
  out.family("espalier_device_tests", "counter", "Rounds of known-answer tests, by result.");
  for (unsigned d = 0; d < count; ++d) {
    out.sample(with(d, "result", "passed"), context.device_state(d).tests_passed);
    out.sample(with(d, "result", "failed"), context.device_state(d).tests_failed);
  }
}

}  // namespace

std::string metrics(const Context& context) {
  Exposition out;
  write_totals(context, out);
  write_sas(context, out);
  write_devices(context, out);
  return out.finish();
}

}  // namespace espalier
