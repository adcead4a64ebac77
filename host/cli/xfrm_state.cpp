// SPDX-License-Identifier: BSD-2-Clause-Patent
// What `ip xfrm state` prints, read as SAs.
//
// An SA begins with a line "src A dst B"; indented lines follow, words and values.  Lines that do
// not change the packet (marks, offload, times) are passed over.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "cli/sa_build.hpp"

namespace espalier::cli {
namespace {

using Words = std::vector<std::string>;

struct Line {
  unsigned number = 0;
  Words words;
};

/// The value behind a word of a line; empty if the word is not there.
std::string value(const Words& words, std::string_view name) {
  const auto at = std::find(words.begin(), words.end(), name);
  return at == words.end() || at + 1 == words.end() ? "" : *(at + 1);
}
bool has(const Words& words, std::string_view name) {
  return std::find(words.begin(), words.end(), name) != words.end();
}

struct Aead {
  const char* name;
  const char* suite;  ///< '%' is the key's length, '#' the ICV's in octets.
  unsigned salt;
};
constexpr Aead kAeads[] = {{"rfc4106(gcm(aes))", "aes%gcm#", 4},
                           {"rfc4309(ccm(aes))", "aes%ccm#", 3},
                           {"rfc4543(gcm(aes))", "aes%gmac", 4},
                           {"rfc7539esp(chacha20,poly1305)", "chacha20poly1305", 4}};

struct Named {
  const char* name;
  const char* suite;
  unsigned number;  ///< Ciphers: octets of salt.  Integrity: bits of the ICV.
};
constexpr Named kCiphers[] = {
    {"cbc(aes)", "aes%", 0}, {"rfc3686(ctr(aes))", "aes%ctr", 4}, {"ecb(cipher_null)", "null", 0}};
constexpr Named kIntegrities[] = {{"hmac(sha1)", "sha1", 96},      {"hmac(sha256)", "sha256", 128},
                                  {"hmac(sha384)", "sha384", 192}, {"hmac(sha512)", "sha512", 256},
                                  {"xcbc(aes)", "aesxcbc", 96},    {"cmac(aes)", "aescmac", 96}};

template <class Row, std::size_t N>
const Row& find(const TablePlace& place, const char* field, const Row (&rows)[N],
                const std::string& name) {
  for (const Row& row : rows)
    if (name == row.name) return row;
  place.fail(field, fmt::format("'{}' is not offered; docs/sa-files.md lists what is", name));
}

class State {
 public:
  State(const std::string& path, const Line& head) : path_(path), head_(head) {}

  void take(const Line& line) {
    // The replay context's own lines begin with words that name values, not options.
    if (line.words[0] == "anti-replay" || line.words[0].starts_with("seq")) {
      remember("oseq", line);
      return;
    }
    lines_[line.words[0]] = line;
  }

  FileSa build() const {
    const Line& proto = need("proto");
    const TablePlace place{path_, head_.number};
    TableSa table;
    const std::string source = value(head_.words, "src"), destination = value(head_.words, "dst");
    const std::string spi = value(proto.words, "spi"), protocol = value(proto.words, "proto");
    table.source = source;
    table.destination = destination;
    table.spi = spi;
    if (protocol != "esp" && protocol != "ah")
      at(proto).fail("proto",
                     fmt::format("'{}' is neither esp nor ah; leave this SA out", protocol));
    table.protocol = protocol == "ah" ? driver::Protocol::ah : driver::Protocol::esp;
    name_suite(table);
    return build_sa(place, table, [&](FileSa& sa) { adjust(sa, proto); });
  }

 private:
  TablePlace at(const Line& line) const { return {path_, line.number}; }
  const Line* get(const std::string& word) const {
    const auto found = lines_.find(word);
    return found == lines_.end() ? nullptr : &found->second;
  }
  const Line& need(const std::string& word) const {
    const Line* line = get(word);
    if (line == nullptr)
      TablePlace{path_, head_.number}.fail(word,
                                           "is missing; give what 'ip xfrm state' prints, as root");
    return *line;
  }
  void remember(const char* word, const Line& line) {
    if (has(line.words, word)) lines_[word] = line;
  }
  /// An algorithm's line: word, name, key and, where it says so, bits.
  const std::string& word(const Line& line, std::size_t index) const {
    if (index >= line.words.size())
      at(line).fail(line.words[0], "lacks its key or length; print it as root, without nokeys");
    return line.words[index];
  }

  void name_suite(TableSa& table) const {
    if (const Line* aead = get("aead")) {
      const Aead& row = find(at(*aead), "aead", kAeads, word(*aead, 1));
      table.suite = row.suite;
      table.salt_length = row.salt;
      table.key = word(*aead, 2);
      const auto bits = parse_number(at(*aead), "aead", word(*aead, 3), 1024);
      if (const std::size_t hash = table.suite.find('#'); hash != std::string::npos)
        table.suite.replace(hash, 1, std::to_string(bits / 8));
      else if (bits != 128)
        at(*aead).fail("aead", fmt::format("{} has an ICV of 128 bits, not {}", row.name, bits));
      return;
    }
    const std::string integrity = name_integrity(table);
    if (table.protocol == driver::Protocol::ah) {
      table.suite = integrity;
      return;
    }
    const Line& enc = need("enc");
    const Named& row = find(at(enc), "enc", kCiphers, word(enc, 1));
    table.suite = std::string(row.suite) + "-" + integrity;
    table.salt_length = row.number;
    if (std::string_view(row.suite) != "null") table.key = word(enc, 2);
  }

  std::string name_integrity(TableSa& table) const {
    if (const Line* bare = get("auth"))
      at(*bare).fail(
          "auth", "does not say how long the ICV is; set the SA up with auth-trunc and its bits");
    const Line& auth = need("auth-trunc");
    const Named& row = find(at(auth), "auth-trunc", kIntegrities, word(auth, 1));
    table.integrity_key = word(auth, 2);
    if (parse_number(at(auth), "auth-trunc", word(auth, 3), 1024) != row.number)
      at(auth).fail("auth-trunc",
                    fmt::format("{} is truncated to {} bits (RFC 4868, 2404, 3566), not {}",
                                row.name, row.number, word(auth, 3)));
    return row.suite;
  }

  void adjust(FileSa& sa, const Line& proto) const {
    driver::SaParameters& transform = sa.config.transform;
    const std::string mode = value(proto.words, "mode");
    if (mode != "tunnel" && mode != "transport")
      at(proto).fail("mode", fmt::format("'{}' is neither tunnel nor transport", mode));
    transform.mode = mode == "tunnel" ? driver::Mode::tunnel : driver::Mode::transport;
    if (const Line* replay = get("replay-window")) {
      transform.esn = has(replay->words, "esn");
      sa.config.ecn = transform.copy_ecn = !has(replay->words, "noecn");
    }
    if (transform.protocol == driver::Protocol::ah) transform.ah_align8 = !aligned4();
    if (const Line* encap = get("encap")) adjust_encap(sa, *encap);
    if (const Line* oseq = get("oseq")) {
      const auto half = [&](const char* name) -> std::uint64_t {
        std::string text = value(oseq->words, name);
        if (!text.empty() && text.back() == ',') text.pop_back();
        return text.empty() ? 0 : parse_number(at(*oseq), name, text, 0xffffffff);
      };
      sa.used = half("oseq-hi") << 32 | half("oseq");
    }
    if (const Line* selector = get("sel")) adjust_selector(sa, *selector);
  }

  /// AH of Linux over IPv4 is padded to 8 octets unless it has the flag.
  bool aligned4() const {
    const Line* replay = get("replay-window");
    return replay != nullptr && has(replay->words, "align4");
  }

  void adjust_encap(FileSa& sa, const Line& line) const {
    if (value(line.words, "type") != "espinudp")
      at(line).fail("encap", "is not espinudp, the one encapsulation offered (RFC 3948)");
    sa.config.transform.udp_encapsulation = true;
    const auto port = [&](const char* name) {
      return static_cast<std::uint16_t>(
          parse_number(at(line), name, value(line.words, name), 65535));
    };
    sa.config.ends.source_port = port("sport");
    sa.config.ends.destination_port = port("dport");
  }

  void adjust_selector(FileSa& sa, const Line& line) const {
    const auto prefixes = [&](const char* name, std::vector<Prefix>& out) {
      const auto prefix = Prefix::parse(value(line.words, name));
      if (!prefix) at(line).fail("sel", "holds something that is no prefix");
      if (prefix->bits != 0) out.push_back(*prefix);
    };
    if (line.words.size() > 5)
      at(line).fail("sel", "goes by more than addresses, which is not offered here");
    prefixes("src", sa.from);
    prefixes("dst", sa.to);
  }

  const std::string& path_;
  Line head_;
  std::map<std::string, Line> lines_;
};

}  // namespace

std::vector<FileSa> read_xfrm_state(const std::string& path, const std::string& text) {
  std::vector<State> states;
  std::stringstream lines(text);
  Line line;
  for (std::string whole; std::getline(lines, whole);) {
    ++line.number;
    line.words.clear();
    std::stringstream words(whole);
    for (std::string word; words >> word;) line.words.push_back(word);
    if (line.words.empty()) continue;
    if (whole.starts_with("src "))
      states.emplace_back(path, line);
    else if (!states.empty())
      states.back().take(line);
  }
  std::vector<FileSa> out;
  for (const State& state : states) out.push_back(state.build());
  return out;
}

}  // namespace espalier::cli
