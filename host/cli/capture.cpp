// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/capture.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/command.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

constexpr std::uint16_t kIpv4Type = 0x0800, kIpv6Type = 0x86dd;
constexpr std::uint16_t kVlanType = 0x8100, kQinqType = 0x88a8;
constexpr int kSnapLength = 262144;

bool is_raw(int link_type) {
  return link_type == DLT_RAW || link_type == DLT_IPV4 || link_type == DLT_IPV6;
}

struct ClosePcap {
  void operator()(pcap_t* p) const { pcap_close(p); }
};
struct CloseDump {
  void operator()(pcap_dumper_t* d) const { pcap_dump_close(d); }
};

}  // namespace

Capture read_capture(const std::string& path) {
  char error[PCAP_ERRBUF_SIZE] = "";
  const std::unique_ptr<pcap_t, ClosePcap> in(pcap_open_offline(path.c_str(), error));
  if (!in) throw Failure(fmt::format("can't read capture {}: {}; give a pcap file", path, error));
  Capture out;
  out.link_type = pcap_datalink(in.get());
  if (!is_raw(out.link_type) && out.link_type != DLT_EN10MB) {
    const char* name = pcap_datalink_val_to_name(out.link_type);
    throw Failure(fmt::format("{} has link type {}; capture Ethernet or raw IP instead", path,
                              name != nullptr ? name : std::to_string(out.link_type)));
  }
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  int got = 0;
  while ((got = pcap_next_ex(in.get(), &header, &data)) == 1)
    out.frames.push_back({header->ts, header->len, Octets(data, data + header->caplen)});
  if (got == PCAP_ERROR)
    throw Failure(fmt::format("{} is cut off or damaged after packet {}: {}; capture it again",
                              path, out.frames.size(), pcap_geterr(in.get())));
  return out;
}

void check_writable(const std::string& path) {
  if (path.empty() || path == "-")
    throw Failure("'" + path + "' is no file to write to; give a path");
  std::error_code ignored;
  const auto type = std::filesystem::symlink_status(path, ignored).type();
  const bool made = type == std::filesystem::file_type::not_found;
  if (!std::ofstream(path, std::ios::app))
    throw Failure("can't write " + path + "; check the path and its permissions");
  if (made) std::filesystem::remove(path, ignored);
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.flush();
  if (!out) throw Failure("can't write " + path + "; check the path, permissions and room");
}

void write_private(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat info {};
  bool done = fd >= 0 && fstat(fd, &info) == 0 &&
              (!S_ISREG(info.st_mode) || (fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0));
  while (done && !text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    done = n > 0;
    if (done) text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (fd >= 0) done = close(fd) == 0 && done;
  if (!done)
    throw Failure("can't write " + path +
                  " as a private file; check the path, permissions and room");
}

void write_capture(const std::string& path, const Capture& capture) {
  const std::unique_ptr<pcap_t, ClosePcap> dead(pcap_open_dead(capture.link_type, kSnapLength));
  const std::unique_ptr<pcap_dumper_t, CloseDump> out(
      dead ? pcap_dump_open(dead.get(), path.c_str()) : nullptr);
  if (!out) throw Failure("can't write " + path + "; check the path and its permissions");
  for (const Frame& frame : capture.frames) {
    pcap_pkthdr header{};
    header.ts = frame.time;
    header.caplen = header.len = static_cast<bpf_u_int32>(frame.octets.size());
    pcap_dump(reinterpret_cast<u_char*>(out.get()), &header, frame.octets.data());
  }
  if (pcap_dump_flush(out.get()) != 0) throw Failure("can't write " + path + "; is the disk full?");
}

bool find_ip(int link_type, const Octets& frame, std::uint32_t& offset) {
  offset = 0;
  if (is_raw(link_type)) return !frame.empty();
  std::uint32_t at = 12;
  while (frame.size() >= at + 2u) {
    const std::uint16_t type = load_be16(frame.data() + at);
    if (type == kIpv4Type || type == kIpv6Type) {
      offset = at + 2;
      return frame.size() > offset;
    }
    if (type != kVlanType && type != kQinqType) return false;
    at += 4;
  }
  return false;
}

Octets reframe(int link_type, const Octets& frame, std::uint32_t offset, const Octets& packet) {
  Octets out(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(offset));
  if (!is_raw(link_type))
    store_be16(out.data() + offset - 2, packet[0] >> 4 == 4 ? kIpv4Type : kIpv6Type);
  out.insert(out.end(), packet.begin(), packet.end());
  return out;
}

}  // namespace espalier::cli
