/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Two IKE daemons that negotiate by a handshake we leave out, each over a kernel_ipsec of its own,
   and the traffic of the networks behind them: trap, acquire, tunnel, rekey, a NAT that moves,
   limits, the end. */
#include "../example.h"
#include "kernel_ipsec.h"

enum { REQID = 7, SOFT = 4, HARD = 6 };

struct pair { /* an SA each way, as both ends know them */
  struct sa_id to_sun, to_moon;
};
struct daemon {
  struct host self;
  struct kernel_ipsec* kernel;
  unsigned acquires, soft, hard, mappings;
  struct sa_id moved; /* what the last mapping was about */
  struct host moved_to;
};

static void on_acquire(void* daemon, uint32_t reqid, const uint8_t source[4],
                       const uint8_t destination[4]) {
  CHECK(reqid == REQID && source[1] == 1 && destination[1] == 2, "acquire says for which packet");
  ++((struct daemon*)daemon)->acquires;
}
static void on_expire(void* daemon, const struct sa_id* id, int hard) {
  struct daemon* d = daemon;
  (void)id;
  ++*(hard ? &d->hard : &d->soft);
}
static void on_mapping(void* daemon, const struct sa_id* id, const struct host* peer) {
  struct daemon* d = daemon;
  ++d->mappings;
  d->moved = *id;
  d->moved_to = *peer;
}
static void start(struct daemon* d) {
  const struct listener listener = {d, on_acquire, on_expire, on_mapping};
  d->kernel = kernel_ipsec_create(d->self.address, &listener);
  CHECK(d->kernel != NULL, "create");
}

/* ---- policies: what to protect is known before there are SAs */

static const struct subnet moon_net = {{10, 1, 0, 0}, {10, 1, 255, 255}},
                           sun_net = {{10, 2, 0, 0}, {10, 2, 255, 255}};

static void add_policies(struct daemon* d, const struct subnet* own, const struct subnet* other) {
  const struct policy_data data = {REQID, 100};
  const struct policy_id policies[] = {
      {POLICY_IN, *other, *own}, {POLICY_FWD, *other, *own}, {POLICY_OUT, *own, *other}};
  for (unsigned i = 0; i < 3; ++i) CHECK(add_policy(d->kernel, &policies[i], &data) == 0, "policy");
}
static void del_policies(struct daemon* d, const struct subnet* own, const struct subnet* other) {
  const struct policy_id policies[] = {
      {POLICY_OUT, *own, *other}, {POLICY_FWD, *other, *own}, {POLICY_IN, *other, *own}};
  for (unsigned i = 0; i < 3; ++i) CHECK(del_policy(d->kernel, &policies[i]) == 0, "policy");
}

/* ---- the handshake's result: each end picks the SPI it will receive, both install all */

static void install(struct daemon* d, const struct sa_id* id, int inbound) {
  const struct sa_data data = {
      REQID, inbound, 1, 1, "aes128gcm16", example_key, sizeof example_key, 128, SOFT, HARD};
  CHECK(add_sa(d->kernel, id, &data) == 0, "SA");
}
/* Inbound first: what the other end sends by the new SA is welcome at once. */
static struct pair negotiate(struct daemon* moon, struct daemon* sun) {
  struct pair p = {{moon->self, sun->self, 0, 50}, {sun->self, moon->self, 0, 50}};
  CHECK(get_spi(moon->kernel, &p.to_moon) == 0 && get_spi(sun->kernel, &p.to_sun) == 0, "SPI");
  install(sun, &p.to_sun, 1);
  install(moon, &p.to_moon, 1);
  install(sun, &p.to_moon, 0);
  install(moon, &p.to_sun, 0);
  return p;
}

/* ---- traffic */

typedef size_t (*direction)(espalier_boundary*, uint32_t, const struct espalier_packet*, size_t);

static struct espalier_outcome pass(struct daemon* d, direction way, uint8_t* packet, size_t length,
                                    uint8_t* result, size_t room) {
  const struct espalier_packet p = {
      .source = packet, .source_length = length, .destination = result, .destination_length = room};
  struct espalier_outcome outcome;
  CHECK(way(kernel_ipsec_boundary(d->kernel), 0, &p, 1) == 1, "a packet was not taken");
  while (espalier_boundary_poll(kernel_ipsec_boundary(d->kernel), 0, &outcome, 1, 32) == 0)
    work(d->kernel, 0);
  return outcome;
}

/* Sends a packet from the network behind one end to that behind the other.  Gives its drop reason,
   0 if it arrived as it was sent.  `nat_port`: of the NAT before the sender, 0 if there is none. */
static uint8_t cross(struct daemon* from, struct daemon* to, uint16_t nat_port, uint64_t now) {
  uint8_t clear[200], sealed[512], opened[512];
  struct espalier_outcome outcome;
  example_packet(clear, sizeof clear, (unsigned)now);
  if (from->self.address[3] == 2) { /* sun's answers go the other way */
    clear[13] = 2;
    clear[17] = 1;
  }
  outcome = pass(from, espalier_outbound, clear, sizeof clear, sealed, sizeof sealed);
  work(from->kernel, now);
  if (outcome.verdict != ESPALIER_SEALED) return outcome.drop;
  CHECK(outcome.packet[9] == 17 && outcome.packet[19] == to->self.address[3],
        "the tunnel's header");
  if (nat_port != 0) {
    outcome.packet[20] = (uint8_t)(nat_port >> 8);
    outcome.packet[21] = (uint8_t)nat_port;
  }
  outcome = pass(to, espalier_inbound, outcome.packet, outcome.length, opened, sizeof opened);
  work(to->kernel, now);
  if (outcome.verdict != ESPALIER_OPENED) return outcome.drop;
  CHECK(outcome.length == sizeof clear && memcmp(outcome.packet, clear, sizeof clear) == 0,
        "what arrives is what was sent");
  return 0;
}

/* ---- what happens */

static void rekey(struct daemon* moon, struct daemon* sun, struct pair* pair, uint64_t* now) {
  const struct pair old = *pair;
  *pair = negotiate(moon, sun);
  add_policies(moon, &moon_net, &sun_net); /* as IKE daemons do: once more for the new child SA */
  CHECK(cross(moon, sun, 0, ++*now) == 0 && cross(sun, moon, 0, ++*now) == 0, "new SAs carry");
  CHECK(del_sa(moon->kernel, &old.to_sun) == 0 && del_sa(sun->kernel, &old.to_moon) == 0 &&
            del_sa(sun->kernel, &old.to_sun) == 0 && del_sa(moon->kernel, &old.to_moon) == 0,
        "old SAs go, outbound first");
  del_policies(moon, &moon_net, &sun_net);
  CHECK(cross(moon, sun, 0, ++*now) == 0, "nothing was lost");
}

static void follow_nat(struct daemon* moon, struct daemon* sun, struct pair* pair, uint64_t* now) {
  struct host seen;
  CHECK(cross(moon, sun, 5501, ++*now) == 0 && sun->mappings == 1, "sun notices the NAT");
  seen = sun->moved_to;
  CHECK(sun->moved.spi == pair->to_sun.spi && seen.port == 5501, "and says where moon is now");
  CHECK(update_sa(sun->kernel, &pair->to_sun, &seen, &sun->self) == 0 &&
            update_sa(sun->kernel, &pair->to_moon, &sun->self, &seen) == 0,
        "sun follows");
  CHECK(cross(moon, sun, 5501, ++*now) == 0 && sun->mappings == 1, "and is content");
}

int main(void) {
  struct daemon moon = {.self = {{192, 0, 2, 1}, 4500}}, sun = {.self = {{192, 0, 2, 2}, 4500}};
  uint64_t bytes, packets, used_at, now = 0;
  struct pair pair;
  start(&moon);
  start(&sun);
  add_policies(&moon, &moon_net, &sun_net);
  add_policies(&sun, &sun_net, &moon_net);

  CHECK(cross(&moon, &sun, 0, ++now) != 0 && moon.acquires == 1, "the first packet asks for SAs");
  pair = negotiate(&moon, &sun);
  while (moon.soft == 0) CHECK(cross(&moon, &sun, 0, ++now) == 0, "packets pass");
  CHECK(query_sa(sun.kernel, &pair.to_sun, &bytes, &packets, &used_at) == 0 && packets == SOFT &&
            bytes > SOFT * 200u && used_at == now,
        "use counts");

  rekey(&moon, &sun, &pair, &now);
  follow_nat(&moon, &sun, &pair, &now);
  while (moon.hard == 0)
    if (cross(&moon, &sun, 5501, ++now) != 0) break;
  CHECK(moon.hard == 1 && query_sa(moon.kernel, &pair.to_sun, &bytes, &packets, &used_at) == 0 &&
            packets == HARD,
        "the hard limit is exact");

  flush(moon.kernel);
  CHECK(cross(&moon, &sun, 0, ++now) != 0 && moon.acquires == 1, "without a policy nothing passes");
  printf("daemon: %u acquire, %u soft and %u hard expiry, %u mapping; nothing lost by the rekey\n",
         moon.acquires, moon.soft, moon.hard, sun.mappings);
  kernel_ipsec_destroy(moon.kernel);
  kernel_ipsec_destroy(sun.kernel);
  return 0;
}
