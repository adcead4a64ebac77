// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/sa_file.hpp"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <toml.hpp>

#include "cli/command.hpp"
#include "cli/sa_build.hpp"
#include "espalier/driver/suite.hpp"

namespace espalier::cli {
namespace {

/// One [[sa]] table: hands out its fields, and knows which were asked for.
class Table {
 public:
  Table(const std::string& path, const toml::value& table) : path_(path), table_(table) {}

  [[noreturn]] void fail(const std::string& field, const std::string& why) const {
    const toml::value* at = find(field);
    throw Failure(
        fmt::format("{}:{}: {}: {}", path_, (at ? *at : table_).location().line(), field, why));
  }
  std::string text(const std::string& field, const char* otherwise) {
    const toml::value* v = take(field);
    if (v == nullptr) return otherwise;
    if (!v->is_string()) fail(field, "must be a string in quotes");
    return v->as_string().str;
  }
  std::string required(const std::string& field, const char* example) {
    const std::string out = text(field, "");
    if (out.empty()) fail(field, fmt::format("is missing; write e.g. {} = {}", field, example));
    return out;
  }
  bool flag(const std::string& field, bool otherwise) {
    const toml::value* v = take(field);
    if (v == nullptr) return otherwise;
    if (!v->is_boolean()) fail(field, "must be true or false");
    return v->as_boolean();
  }
  std::optional<std::uint64_t> number(const std::string& field, std::uint64_t low,
                                      std::uint64_t high) {
    const toml::value* v = take(field);
    if (v == nullptr) return std::nullopt;
    if (!v->is_integer() || v->as_integer() < 0 ||
        static_cast<std::uint64_t>(v->as_integer()) < low ||
        static_cast<std::uint64_t>(v->as_integer()) > high)
      fail(field, fmt::format("must be a number from {} to {}", low, high));
    return static_cast<std::uint64_t>(v->as_integer());
  }
  std::vector<Prefix> prefixes(const std::string& field) {
    std::vector<Prefix> out;
    const toml::value* v = take(field);
    if (v == nullptr) return out;
    if (!v->is_array()) fail(field, "must be a list, e.g. [\"10.1.0.0/16\"]");
    for (const toml::value& item : v->as_array()) {
      const auto prefix = item.is_string() ? Prefix::parse(item.as_string().str) : std::nullopt;
      if (!prefix) fail(field, "holds something that is no prefix; write e.g. \"10.1.0.0/16\"");
      out.push_back(*prefix);
    }
    return out;
  }
  std::vector<std::uint8_t> hex(const std::string& field) {
    const std::string text_value = text(field, "");
    std::vector<std::uint8_t> out;
    if (text_value.size() % 2 != 0 ||
        !std::all_of(text_value.begin(), text_value.end(),
                     [](unsigned char c) { return std::isxdigit(c) != 0; }))
      fail(field, "must be hexadecimal, two digits an octet");
    for (std::size_t i = 0; i < text_value.size(); i += 2)
      out.push_back(static_cast<std::uint8_t>(std::stoul(text_value.substr(i, 2), nullptr, 16)));
    return out;
  }
  /// After everything was read: a field nobody asked for is a mistake.
  void finish() const {
    for (const auto& [key, value] : table_.as_table())
      if (!asked_.count(key)) fail(key, "is no field of an SA; docs/sa-files.md lists them");
  }

 private:
  const toml::value* find(const std::string& field) const {
    const auto& fields = table_.as_table();
    const auto at = fields.find(field);
    return at == fields.end() ? nullptr : &at->second;
  }
  const toml::value* take(const std::string& field) {
    asked_.insert(field);
    return find(field);
  }

  const std::string& path_;
  const toml::value& table_;
  std::set<std::string> asked_;
};

driver::Suite read_suite(Table& table, driver::SaParameters& sa) {
  const std::string protocol = table.text("protocol", "esp");
  if (protocol != "esp" && protocol != "ah") table.fail("protocol", "must be \"esp\" or \"ah\"");
  std::string why;
  const auto suite =
      driver::parse_suite(table.required("suite", "\"aes256gcm16\""),
                          protocol == "ah" ? driver::Protocol::ah : driver::Protocol::esp, why);
  if (!suite) table.fail("suite", why);
  driver::apply(*suite, sa);
  return *suite;
}

void read_keys(Table& table, const driver::Suite& suite, driver::SaParameters& sa) {
  std::vector<std::uint8_t> key = table.hex("key"), integrity = table.hex("integrity-key");
  const std::string why = driver::set_keys(suite, key, integrity, sa);
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(integrity.data(), integrity.size());
  if (!why.empty()) table.fail(why.starts_with("integrity") ? "integrity-key" : "key", why);
}

void read_ends(Table& table, SaConfig& config) {
  const auto source = Address::parse(table.required("source", "\"192.0.2.1\""));
  const auto destination = Address::parse(table.required("destination", "\"192.0.2.2\""));
  if (!source) table.fail("source", "is no IP address");
  if (!destination || destination->family != source->family)
    table.fail("destination", "is no IP address of the source's family");
  config.ends.family = config.transform.outer = source->family;
  config.ends.source = source->octets;
  config.ends.destination = destination->octets;
  config.ends.source_port =
      static_cast<std::uint16_t>(table.number("source-port", 1, 65535).value_or(4500));
  config.ends.destination_port =
      static_cast<std::uint16_t>(table.number("destination-port", 1, 65535).value_or(4500));
}

void read_outer_header(Table& table, SaConfig& config) {
  if (const auto dscp = table.number("dscp", 0, 63)) config.dscp = static_cast<std::uint8_t>(*dscp);
  if (const auto label = table.number("flow-label", 0, 0xfffff))
    config.flow_label = static_cast<std::uint32_t>(*label);
  config.ttl = static_cast<std::uint8_t>(table.number("ttl", 1, 255).value_or(64));
  config.ecn = table.flag("ecn", true);
  const std::string df = table.text("df", "copy");
  if (df != "copy" && df != "set" && df != "clear")
    table.fail("df", "must be \"copy\", \"set\" or \"clear\"");
  config.dont_fragment = df == "copy"  ? DontFragment::copy
                         : df == "set" ? DontFragment::set
                                       : DontFragment::clear;
}

FileSa read_sa(const std::string& path, const toml::value& value) {
  Table table(path, value);
  FileSa out;
  driver::SaParameters& sa = out.config.transform;
  const driver::Suite suite = read_suite(table, sa);
  read_keys(table, suite, sa);
  const auto spi = table.number("spi", 256, 0xffffffff);
  if (!spi) table.fail("spi", "is missing; write e.g. spi = 0x1001");
  sa.spi = static_cast<std::uint32_t>(*spi);
  const std::string mode = table.text("mode", "tunnel");
  if (mode != "tunnel" && mode != "transport")
    table.fail("mode", "must be \"tunnel\" or \"transport\"");
  sa.mode = mode == "tunnel" ? driver::Mode::tunnel : driver::Mode::transport;
  sa.esn = table.flag("esn", false);
  sa.udp_encapsulation = table.flag("nat-t", false);
  read_ends(table, out.config);
  read_outer_header(table, out.config);
  out.config.replay_window =
      static_cast<std::uint32_t>(table.number("replay-window", 0, 65536).value_or(64));
  out.test = table.flag("test", false);
  out.from = table.prefixes("from");
  out.to = table.prefixes("to");
  out.name = table.text("name", "");
  if (out.name.empty()) out.name = fmt::format("sa {:#x}", sa.spi);
  driver::set_header_template(out.config.ends, sa);
  if (const std::string why = driver::check(sa); !why.empty()) table.fail("suite", why);
  out.line = static_cast<unsigned>(value.at("spi").location().line());
  table.finish();
  return out;
}

void check_permissions(const std::string& path, bool insecure) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    throw Failure("can't read " + path + "; check the path and its permissions");
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode))
    throw Failure(path + " is no file; give an SA file, docs/sa-files.md");
  if (insecure) return;
  // A group may: it is how a key file is handed to a service.
  if ((info.st_mode & (S_IROTH | S_IWOTH)) != 0)
    throw Failure(path + " holds keys and everyone may read or write it; run 'chmod o-rw " + path +
                  "', or give --insecure-key-file");
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  if (!in || out.str().empty())
    throw Failure("can't read " + path + ", or it is empty; check the path and its permissions");
  return out.str();
}

/// By toml11's own check: its parser finds out too late, and then reads outside its memory (3.7).
void refuse_unless_utf8(const std::string& path, const std::string& text) {
  const std::ptrdiff_t at = toml::detail::check_utf8_validity(text);
  if (at >= 0)
    throw Failure(fmt::format("{}:{}: is not UTF-8; save the file as UTF-8 text", path,
                              1 + std::count(text.begin(), text.begin() + at, '\n')));
}

std::vector<FileSa> read_toml(const std::string& path, const std::string& text) {
  refuse_unless_utf8(path, text);
  std::vector<FileSa> out;
  try {
    std::istringstream in(text);
    const toml::value file = toml::parse(in, path);
    for (const auto& [key, value] : file.as_table())
      if (key != "sa")
        throw Failure(fmt::format("{}:{}: {}: is no table of an SA file; write [[sa]]", path,
                                  value.location().line(), key));
    if (!file.contains("sa") || !file.at("sa").is_array() || file.at("sa").as_array().empty())
      throw Failure(path + ": holds no SA; begin each with a line [[sa]]");
    for (const toml::value& value : file.at("sa").as_array()) out.push_back(read_sa(path, value));
  } catch (const toml::syntax_error& error) {
    throw Failure(
        fmt::format("{}:{}: is not TOML; see docs/sa-files.md", path, error.location().line()));
  } catch (const toml::exception& error) {
    throw Failure(fmt::format("{}:{}: {}; see docs/sa-files.md", path, error.location().line(),
                              "is not what an SA file holds"));
  }
  return out;
}

/// By the first line that is neither empty nor a comment.
std::vector<FileSa> read_any(const std::string& path, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '"' && line.find("\",\"") != std::string::npos) return read_esp_sa(path, text);
    if (line.starts_with("src ")) return read_xfrm_state(path, text);
    break;
  }
  return read_toml(path, text);
}

}  // namespace

bool FileSa::selects(const Address& source, const Address& destination) const {
  const auto any = [](const std::vector<Prefix>& list, const Address& a) {
    return list.empty() ||
           std::any_of(list.begin(), list.end(), [&](const Prefix& p) { return p.contains(a); });
  };
  return any(from, source) && any(to, destination);
}

std::vector<FileSa> read_sa_file(const std::string& path, bool insecure) {
  check_permissions(path, insecure);
  std::string text = read_text(path);
  std::vector<FileSa> out = read_any(path, text);
  OPENSSL_cleanse(text.data(), text.size());
  std::map<std::uint32_t, unsigned> lines;
  for (const FileSa& sa : out) {
    const std::uint32_t spi = sa.config.transform.spi;
    const auto [first, fresh] = lines.emplace(spi, sa.line);
    if (!fresh)
      throw Failure(
          fmt::format("{}:{}: spi: {:#x} is taken by the SA of line {}; give each its own", path,
                      sa.line, spi, first->second));
  }
  return out;
}

}  // namespace espalier::cli
