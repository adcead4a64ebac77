/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The shape of an IKE daemon's kernel interface (strongSwan's kernel_ipsec_t) on Espalier: SPIs,
   SAs that come, move and go, use counts for dead peer detection, and upcalls.  Types are of our
   own writing; policies are not here, they are layer L2's. */
#include <errno.h>
#include <espalier/espalier.h>

#include "example.h"

/* ---- what the daemon hands over: numbers in network order, keys as IKE derived them */

struct sa_id {
  uint8_t source[4], destination[4];
  uint32_t spi; /* network order */
  uint8_t protocol;
};
struct sa_data {
  const char* suite;
  const uint8_t* key; /* with the salt last */
  size_t key_length;
  uint64_t soft_packets, hard_packets;
  uint32_t replay_window;
  int inbound, esn, encap;
};
struct upcalls { /* what the daemon wants to hear */
  void (*expire)(void* daemon, const struct sa_id* id, int hard);
  void* daemon;
};

/* ---- the back end */

#define MAX_SAS 64
struct entry {
  struct sa_id id;
  espalier_sa sa; /* 0: the SPI is reserved only */
  int used;
};
struct kernel_ipsec {
  espalier_context* context;
  struct entry entries[MAX_SAS];
  uint32_t next_spi;
  struct upcalls upcalls;
};

static uint32_t swap32(uint32_t n) {
  return n >> 24 | (n >> 8 & 0xff00) | (n << 8 & 0xff0000) | n << 24;
}
static struct entry* find(struct kernel_ipsec* k, const struct sa_id* id) {
  for (int i = 0; i < MAX_SAS; ++i)
    if (k->entries[i].used && k->entries[i].id.spi == id->spi &&
        memcmp(k->entries[i].id.destination, id->destination, 4) == 0)
      return &k->entries[i];
  return NULL;
}
static struct entry* reserve(struct kernel_ipsec* k, const struct sa_id* id) {
  for (int i = 0; i < MAX_SAS; ++i)
    if (!k->entries[i].used) {
      k->entries[i] = (struct entry){*id, 0, 1};
      return &k->entries[i];
    }
  return NULL;
}

static int get_spi(struct kernel_ipsec* k, struct sa_id* id) {
  id->spi = swap32(k->next_spi++);
  return reserve(k, id) != NULL ? 0 : -1;
}

static int add_sa(struct kernel_ipsec* k, const struct sa_id* id, const struct sa_data* data) {
  struct espalier_sa_options o = {.struct_size = sizeof o};
  struct entry* entry = find(k, id); /* inbound: get_spi made it */
  char error[ESPALIER_ERROR_SIZE];
  if (entry == NULL) entry = reserve(k, id);
  if (entry == NULL || entry->sa != 0) return -1;
  o.suite = data->suite;
  o.ah = id->protocol == 51;
  o.direction = data->inbound ? ESPALIER_INBOUND : ESPALIER_OUTBOUND;
  o.mode = ESPALIER_TUNNEL;
  o.spi = swap32(id->spi);
  o.esn = (uint32_t)data->esn;
  o.udp_encapsulation = (uint32_t)data->encap;
  o.key = data->key;
  o.key_length = data->key_length;
  o.replay_window = data->replay_window;
  o.soft.packets = data->soft_packets;
  o.hard.packets = data->hard_packets;
  memcpy(o.source, id->source, 4);
  memcpy(o.destination, id->destination, 4);
  if (espalier_sa_add(k->context, &o, &entry->sa, error, sizeof error) == 0) return 0;
  fprintf(stderr, "%s\n", error);
  return -1;
}

static int update_sa(struct kernel_ipsec* k, const struct sa_id* id, const uint8_t* new_source,
                     const uint8_t* new_destination, int new_encap) {
  struct espalier_sa_change u = {.struct_size = sizeof u, .set_endpoints = 1};
  struct entry* entry = find(k, id);
  if (entry == NULL) return -1;
  memcpy(u.source, new_source, 4);
  memcpy(u.destination, new_destination, 4);
  u.set_udp_encapsulation = 1;
  u.udp_encapsulation = (uint32_t)new_encap;
  if (espalier_sa_update(k->context, entry->sa, &u, NULL, 0) != 0) return -1;
  memcpy(entry->id.source, new_source, 4);
  memcpy(entry->id.destination, new_destination, 4);
  return 0;
}

static int query_sa(struct kernel_ipsec* k, const struct sa_id* id, uint64_t* bytes,
                    uint64_t* packets) {
  struct espalier_statistics s = {.struct_size = sizeof s};
  struct entry* entry = find(k, id);
  if (entry == NULL || espalier_sa_statistics(k->context, entry->sa, &s) != 0) return -1;
  *bytes = s.bytes;
  *packets = s.packets;
  return 0;
}

static int del_sa(struct kernel_ipsec* k, const struct sa_id* id) {
  struct entry* entry = find(k, id);
  if (entry == NULL) return -1;
  entry->used = 0;
  return entry->sa == 0 ? 0 : espalier_sa_remove(k->context, entry->sa);
}

/* From the daemon's loop: when espalier_event_fd is readable or the returned time has come. */
static uint64_t work(struct kernel_ipsec* k, uint64_t now) {
  struct espalier_event event = {.struct_size = sizeof event};
  const uint64_t next = espalier_tick(k->context, now);
  while (espalier_next_event(k->context, &event) == 1) {
    if (event.kind != ESPALIER_EVENT_SOFT_EXPIRY && event.kind != ESPALIER_EVENT_HARD_EXPIRY)
      continue;
    for (int i = 0; i < MAX_SAS; ++i)
      if (k->entries[i].used && k->entries[i].sa == event.sa)
        k->upcalls.expire(k->upcalls.daemon, &k->entries[i].id,
                          event.kind == ESPALIER_EVENT_HARD_EXPIRY);
  }
  return next;
}

/* ---- the daemon, and a packet path beside it */

static unsigned soft_expiries, hard_expiries;
static void on_expire(void* daemon, const struct sa_id* id, int hard) {
  (void)daemon;
  (void)id;
  ++*(hard ? &hard_expiries : &soft_expiries);
}

static struct espalier_completion pass(struct kernel_ipsec* k, espalier_sa sa, uint8_t* from,
                                       uint32_t length, uint8_t* to, uint32_t room) {
  const struct espalier_segment in = {from, length, 0}, out = {to, room, 0};
  const struct espalier_job job = {.struct_size = sizeof job,
                                   .sa = sa,
                                   .source = &in,
                                   .sources = 1,
                                   .destination = &out,
                                   .destinations = 1};
  struct espalier_completion done = {.struct_size = sizeof done};
  CHECK(espalier_submit(k->context, 0, &job, 1) == 1, "a packet was not taken");
  while (espalier_poll(k->context, 0, &done, 1, 32) == 0) work(k, 0);
  return done;
}

int main(void) {
  struct kernel_ipsec k = {.next_spi = 0xc0000001, .upcalls = {on_expire, NULL}};
  struct espalier_context_options o = {.struct_size = sizeof o};
  struct sa_id in = {{192, 0, 2, 1}, {192, 0, 2, 2}, 0, 50}, out;
  struct sa_data data = {"aes128gcm16", example_key, sizeof example_key, 3, 5, 128, 1, 1, 0};
  static const uint8_t moved[4] = {198, 51, 100, 7};
  uint8_t clear[200], sealed[512], opened[512];
  uint64_t bytes, packets;

  CHECK(espalier_open(&o, &k.context, NULL, 0) == 0, "open");
  CHECK(get_spi(&k, &in) == 0 && add_sa(&k, &in, &data) == 0, "inbound SA");
  out = in;
  memset(out.destination, 9, 4); /* the peer's entry is another one of this table */
  data.inbound = 0;
  CHECK(add_sa(&k, &out, &data) == 0, "outbound SA");
  CHECK(add_sa(&k, &out, &data) != 0, "an SA that is there already is refused");

  for (unsigned i = 1; i <= 6; ++i) {
    if (i == 4) { /* the NAT moved: MOBIKE or a new mapping */
      CHECK(update_sa(&k, &out, moved, out.destination, 1) == 0, "update");
      CHECK(update_sa(&k, &in, in.source, in.destination, 1) == 0, "update inbound");
    }
    example_packet(clear, sizeof clear, i);
    struct espalier_completion done =
        pass(&k, find(&k, &out)->sa, clear, sizeof clear, sealed, sizeof sealed);
    work(&k, i);
    if (i == 6) {
      CHECK(done.drop != 0, "the hard limit is five packets");
      break;
    }
    CHECK(done.drop == 0 && done.number == i, espalier_drop_name(done.drop));
    CHECK(sealed[9] == (i < 4 ? 50 : 17), "UDP encapsulation from the update on");
    CHECK((sealed[12] == 198) == (i >= 4), "the new address from the update on");
    done = pass(&k, find(&k, &in)->sa, sealed, done.length, opened, sizeof opened);
    CHECK(done.drop == 0 && done.length == sizeof clear && memcmp(opened, clear, sizeof clear) == 0,
          espalier_drop_name(done.drop));
  }
  CHECK(query_sa(&k, &in, &bytes, &packets) == 0 && packets == 5 && bytes > 1000, "use counts");
  CHECK(soft_expiries == 2 && hard_expiries == 1, "upcalls: each SA once");
  CHECK(del_sa(&k, &in) == 0 && del_sa(&k, &out) == 0 && query_sa(&k, &in, &bytes, &packets) != 0,
        "deleted");
  work(&k, 10);
  espalier_close(k.context);
  puts("daemon: 5 packets there and back, 2 soft and 1 hard expiry");
  return 0;
}
