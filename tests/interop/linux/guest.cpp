// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "guest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace espalier::interop {
namespace {

constexpr std::chrono::seconds kBoot{90};
constexpr std::chrono::seconds kEnd{20};
constexpr std::size_t kLongestFrame = 16384;
constexpr const char* kReady = "peer: ready";
constexpr const char* kDone = "peer: done";

/// One entry of a cpio archive of the kind an initramfs is made of ("newc").
std::string cpio_entry(const std::string& name, const std::string& content, unsigned mode) {
  std::string entry = "070701";
  const std::size_t fields[] = {0, mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, name.size() + 1,
                                0};
  for (const std::size_t field : fields) entry += fmt::format("{:08X}", field);
  const auto align = [&] { entry.append((4 - entry.size() % 4) % 4, '\0'); };
  entry += name;
  entry += '\0';
  align();
  entry += content;
  align();
  return entry;
}

/// The guest's own initramfs, and behind it one with the file `states`: the kernel unpacks both.
void write_initrd(const std::string& path, const std::string& base, const std::string& states) {
  std::ifstream in(base, std::ios::binary);
  std::string all((std::istreambuf_iterator<char>(in)), {});
  all.append((4 - all.size() % 4) % 4, '\0');
  all += cpio_entry("states", states, 0100644) + cpio_entry("TRAILER!!!", "", 0);
  std::ofstream(path, std::ios::binary) << all;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error("path too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

[[noreturn]] void run_qemu(const std::string& folder, const std::string& scratch, int console) {
  dup2(console, 0);
  dup2(console, 1);
  const std::string kernel = folder + "/vmlinuz";
  const std::string initrd = scratch + "/initrd";
  const std::string net = fmt::format(
      "dgram,id=n0,local.type=unix,local.path={0}/guest,remote.type=unix,remote.path={0}/host",
      scratch);
  execlp("qemu-system-x86_64", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max",
         "-m", "256", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
         "-monitor", "none", "-no-reboot", "-kernel", kernel.c_str(), "-initrd", initrd.c_str(),
         "-append", "console=ttyS0 quiet loglevel=1 panic=-1 mitigations=off random.trust_cpu=on",
         "-netdev", net.c_str(), "-device",
         "virtio-net-pci,netdev=n0,mac=02:00:00:00:00:02,host_mtu=9000,romfile=",
         static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

Guest::Guest(const std::string& folder, const std::string& states) {
  char name[] = "/tmp/espalier-peer-XXXXXX";
  if (mkdtemp(name) == nullptr) throw std::runtime_error("no scratch folder under /tmp");
  scratch_ = name;
  write_initrd(scratch_ + "/initrd", folder + "/initrd", states);
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = unix_address(scratch_ + "/host");
  if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("can't bind " + scratch_ + "/host");
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error("no socket pair");
  console_ = ends[0];
  qemu_ = fork();
  if (qemu_ == 0) run_qemu(folder, scratch_, ends[1]);
  close(ends[1]);
  read_console(kReady, kBoot);
}

Guest::~Guest() {
  if (qemu_ > 0) {
    kill(qemu_, SIGKILL);
    waitpid(qemu_, nullptr, 0);
  }
  if (socket_ >= 0) close(socket_);
  if (console_ >= 0) close(console_);
  std::error_code ignored;
  std::filesystem::remove_all(scratch_, ignored);
}

void Guest::read_console(const std::string& until, std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (said_.find(until) == std::string::npos) {
    pollfd wait{console_, POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    char text[4096];
    ssize_t n = 0;
    if (left.count() > 0 && poll(&wait, 1, static_cast<int>(left.count())) == 1)
      n = read(console_, text, sizeof text);
    if (n <= 0)
      throw std::runtime_error("the guest did not say '" + until + "'; its console:\n" + said_);
    said_.append(text, static_cast<std::size_t>(n));
  }
}

void Guest::send(std::span<const std::uint8_t> frame) {
  const sockaddr_un address = unix_address(scratch_ + "/guest");
  const ssize_t n = sendto(socket_, frame.data(), frame.size(), 0,
                           reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (n != static_cast<ssize_t>(frame.size()))
    throw std::runtime_error(std::string("the guest took no frame: ") + std::strerror(errno));
}

std::optional<Frame> Guest::receive(std::chrono::milliseconds patience) {
  pollfd wait{socket_, POLLIN, 0};
  if (poll(&wait, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
  Frame frame(kLongestFrame);
  const ssize_t n = recv(socket_, frame.data(), frame.size(), 0);
  if (n < 0) return std::nullopt;
  frame.resize(static_cast<std::size_t>(n));
  return frame;
}

std::string Guest::shut_down() {
  if (write(console_, "end\n", 4) == 4) read_console(kDone, kEnd);
  return said_;
}

}  // namespace espalier::interop
