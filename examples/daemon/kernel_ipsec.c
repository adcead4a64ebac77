/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "kernel_ipsec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAS 64
#define MAX_POLICIES 64
#define MAX_REQIDS 32

struct sa_entry {
  struct sa_id id;
  espalier_sa sa; /* 0: the SPI is reserved only */
  uint32_t reqid;
  uint64_t packets, used_at;
  int used;
};
struct policy_entry {
  struct policy_id id;
  espalier_policy policy;
  uint32_t reqid;
  unsigned count;
};
struct reqid_entry {
  uint32_t reqid;
  espalier_set set; /* 0: the entry is free */
};
struct kernel_ipsec {
  espalier_context* context;
  espalier_boundary* boundary;
  struct listener listener;
  struct sa_entry sas[MAX_SAS];
  struct policy_entry policies[MAX_POLICIES];
  struct reqid_entry reqids[MAX_REQIDS];
  uint32_t next_spi;
  uint64_t now;
  char error[ESPALIER_ERROR_SIZE];
};

static int fail(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  return -1;
}
static uint32_t swap32(uint32_t n) {
  return n >> 24 | (n >> 8 & 0xff00) | (n << 8 & 0xff0000) | n << 24;
}

/* ---- opening and closing */

struct kernel_ipsec* kernel_ipsec_create(const uint8_t local[4], const struct listener* listener) {
  struct espalier_context_options c = {.struct_size = sizeof c};
  struct espalier_boundary_options b = {.struct_size = sizeof b};
  struct espalier_address address = {0, {0}};
  struct kernel_ipsec* k = calloc(1, sizeof *k);
  if (k == NULL) return NULL;
  memcpy(address.octets, local, 4);
  k->listener = *listener;
  k->next_spi = 0xc0000001;
  if (espalier_open(&c, &k->context, k->error, sizeof k->error) == 0 &&
      espalier_boundary_open(k->context, &b, &k->boundary, k->error, sizeof k->error) == 0 &&
      espalier_boundary_set_local(k->boundary, &address, 1) == 0)
    return k;
  fail("open", k->error);
  kernel_ipsec_destroy(k);
  return NULL;
}

void kernel_ipsec_destroy(struct kernel_ipsec* k) {
  espalier_boundary_close(k->boundary); /* its SAs go with it */
  espalier_close(k->context);           /* wipes every key */
  free(k);
}

espalier_boundary* kernel_ipsec_boundary(struct kernel_ipsec* k) {
  return k->boundary;
}

/* ---- a reqid is a set of SAs: policies name it, a rekey adds to it */

static espalier_set set_of(struct kernel_ipsec* k, uint32_t reqid) {
  struct reqid_entry* unused = NULL;
  for (int i = 0; i < MAX_REQIDS; ++i) {
    if (k->reqids[i].set == 0)
      unused = &k->reqids[i];
    else if (k->reqids[i].reqid == reqid)
      return k->reqids[i].set;
  }
  if (unused == NULL || espalier_set_add(k->boundary, &unused->set, k->error, sizeof k->error) != 0)
    return 0;
  unused->reqid = reqid;
  return unused->set;
}
/* The set stays while an SA or a policy is left. */
static void leave(struct kernel_ipsec* k, uint32_t reqid) {
  for (int i = 0; i < MAX_REQIDS; ++i)
    if (k->reqids[i].set != 0 && k->reqids[i].reqid == reqid &&
        espalier_set_remove(k->boundary, k->reqids[i].set, NULL, 0) == 0)
      k->reqids[i].set = 0;
}

/* ---- SAs */

static struct sa_entry* find_sa(struct kernel_ipsec* k, const struct sa_id* id) {
  for (int i = 0; i < MAX_SAS; ++i)
    if (k->sas[i].used && k->sas[i].id.spi == id->spi && k->sas[i].id.protocol == id->protocol &&
        memcmp(k->sas[i].id.destination.address, id->destination.address, 4) == 0)
      return &k->sas[i];
  return NULL;
}
static struct sa_entry* reserve(struct kernel_ipsec* k, const struct sa_id* id) {
  for (int i = 0; i < MAX_SAS; ++i)
    if (!k->sas[i].used) {
      k->sas[i] = (struct sa_entry){.id = *id, .used = 1};
      return &k->sas[i];
    }
  return NULL;
}

int get_spi(struct kernel_ipsec* k, struct sa_id* id) {
  id->spi = swap32(k->next_spi++);
  return reserve(k, id) != NULL ? 0 : fail("get_spi", "no room for more SAs");
}

int add_sa(struct kernel_ipsec* k, const struct sa_id* id, const struct sa_data* data) {
  struct espalier_sa_options o = {.struct_size = sizeof o};
  struct sa_entry* entry = find_sa(k, id); /* inbound: get_spi() made it */
  const espalier_set set = set_of(k, data->reqid);
  if (entry == NULL) entry = reserve(k, id);
  if (entry == NULL || set == 0) return fail("add_sa", "no room for more SAs");
  if (entry->sa != 0) return fail("add_sa", "it is there already");
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
  memcpy(o.source, id->source.address, 4);
  memcpy(o.destination, id->destination.address, 4);
  o.source_port = id->source.port;
  o.destination_port = id->destination.port;
  if (espalier_boundary_sa_add(k->boundary, set, &o, NULL, &entry->sa, k->error, sizeof k->error) !=
      0) {
    entry->used = 0;
    return fail("add_sa", k->error);
  }
  entry->reqid = data->reqid;
  return 0;
}

int update_sa(struct kernel_ipsec* k, const struct sa_id* id, const struct host* source,
              const struct host* destination) {
  struct espalier_sa_change change = {.struct_size = sizeof change, .set_endpoints = 1};
  struct sa_entry* entry = find_sa(k, id);
  if (entry == NULL || entry->sa == 0) return fail("update_sa", "no such SA");
  memcpy(change.source, source->address, 4);
  memcpy(change.destination, destination->address, 4);
  change.source_port = source->port;
  change.destination_port = destination->port;
  if (espalier_boundary_sa_update(k->boundary, entry->sa, &change, k->error, sizeof k->error) != 0)
    return fail("update_sa", k->error);
  entry->id.source = *source;
  entry->id.destination = *destination;
  return 0;
}

/* Looks whether the SA has carried more since the last look. */
static int look_at(struct kernel_ipsec* k, struct sa_entry* entry,
                   struct espalier_statistics* statistics) {
  statistics->struct_size = sizeof *statistics;
  if (espalier_sa_statistics(k->context, entry->sa, statistics) != 0) return -1;
  if (statistics->packets != entry->packets) entry->used_at = k->now;
  entry->packets = statistics->packets;
  return 0;
}

int query_sa(struct kernel_ipsec* k, const struct sa_id* id, uint64_t* bytes, uint64_t* packets,
             uint64_t* used_at) {
  struct espalier_statistics statistics;
  struct sa_entry* entry = find_sa(k, id);
  if (entry == NULL || look_at(k, entry, &statistics) != 0) return fail("query_sa", "no such SA");
  *bytes = statistics.bytes;
  *packets = statistics.packets;
  *used_at = entry->used_at;
  return 0;
}

static void drop_sa(struct kernel_ipsec* k, struct sa_entry* entry) {
  if (entry->sa != 0) espalier_boundary_sa_remove(k->boundary, entry->sa);
  entry->used = 0;
  leave(k, entry->reqid);
}
int del_sa(struct kernel_ipsec* k, const struct sa_id* id) {
  struct sa_entry* entry = find_sa(k, id);
  if (entry == NULL) return fail("del_sa", "no such SA");
  drop_sa(k, entry);
  return 0;
}

/* ---- policies */

static struct policy_entry* find_policy(struct kernel_ipsec* k, const struct policy_id* id) {
  for (int i = 0; i < MAX_POLICIES; ++i)
    if (k->policies[i].count != 0 && k->policies[i].id.direction == id->direction &&
        memcmp(&k->policies[i].id.source, &id->source, sizeof id->source) == 0 &&
        memcmp(&k->policies[i].id.destination, &id->destination, sizeof id->destination) == 0)
      return &k->policies[i];
  return NULL;
}
static struct policy_entry* unused_policy(struct kernel_ipsec* k) {
  for (int i = 0; i < MAX_POLICIES; ++i)
    if (k->policies[i].count == 0) return &k->policies[i];
  return NULL;
}
static struct espalier_address_range range_of(const struct subnet* subnet) {
  struct espalier_address_range range = {{0, {0}}, {0, {0}}};
  memcpy(range.first.octets, subnet->first, 4);
  memcpy(range.last.octets, subnet->last, 4);
  return range;
}

int add_policy(struct kernel_ipsec* k, const struct policy_id* id, const struct policy_data* data) {
  static const uint32_t ways[] = {[POLICY_IN] = ESPALIER_WAY_IN,
                                  [POLICY_OUT] = ESPALIER_WAY_OUT,
                                  [POLICY_FWD] = ESPALIER_WAY_FORWARD};
  const struct espalier_address_range source = range_of(&id->source),
                                      destination = range_of(&id->destination);
  const int out = id->direction == POLICY_OUT; /* local is the protected side */
  struct espalier_policy_options o = {.struct_size = sizeof o};
  struct policy_entry* entry = find_policy(k, id);
  if (entry != NULL) return ++entry->count, 0;
  entry = unused_policy(k);
  o.set = set_of(k, data->reqid);
  if (entry == NULL || o.set == 0) return fail("add_policy", "no room for more policies");
  o.way = ways[id->direction];
  o.action = ESPALIER_PROTECT;
  o.priority = data->priority;
  o.selector.local = out ? &source : &destination;
  o.selector.remote = out ? &destination : &source;
  o.selector.locals = o.selector.remotes = 1;
  if (espalier_policy_add(k->boundary, &o, &entry->policy, k->error, sizeof k->error) != 0)
    return fail("add_policy", k->error);
  entry->id = *id;
  entry->reqid = data->reqid;
  entry->count = 1;
  return 0;
}

static void drop_policy(struct kernel_ipsec* k, struct policy_entry* entry) {
  entry->count = 0;
  espalier_policy_remove(k->boundary, entry->policy);
  leave(k, entry->reqid);
}
int del_policy(struct kernel_ipsec* k, const struct policy_id* id) {
  struct policy_entry* entry = find_policy(k, id);
  if (entry == NULL) return fail("del_policy", "no such policy");
  if (entry->count > 1)
    --entry->count;
  else
    drop_policy(k, entry);
  return 0;
}

void flush(struct kernel_ipsec* k) {
  for (int i = 0; i < MAX_POLICIES; ++i)
    if (k->policies[i].count != 0) drop_policy(k, &k->policies[i]);
  for (int i = 0; i < MAX_SAS; ++i)
    if (k->sas[i].used) drop_sa(k, &k->sas[i]);
}

/* ---- events */

static struct sa_entry* entry_of(struct kernel_ipsec* k, espalier_sa sa) {
  for (int i = 0; i < MAX_SAS; ++i)
    if (k->sas[i].used && k->sas[i].sa == sa) return &k->sas[i];
  return NULL;
}

static void tell(struct kernel_ipsec* k, const struct espalier_boundary_event* event) {
  const struct listener* l = &k->listener;
  if (event->kind == ESPALIER_BOUNDARY_EVENT_ACQUIRE) {
    for (int i = 0; i < MAX_REQIDS; ++i)
      if (k->reqids[i].set != 0 && k->reqids[i].set == event->set)
        l->acquire(l->daemon, k->reqids[i].reqid, event->local.octets, event->remote.octets);
  } else if (event->kind == ESPALIER_BOUNDARY_EVENT_MAPPING_CHANGED) {
    const struct sa_entry* entry = entry_of(k, event->sa);
    struct host peer = {{0}, event->remote_port};
    memcpy(peer.address, event->remote.octets, 4);
    if (entry != NULL) l->mapping(l->daemon, &entry->id, &peer);
  } else if (event->kind == ESPALIER_BOUNDARY_EVENT_SA &&
             (event->event.kind == ESPALIER_EVENT_SOFT_EXPIRY ||
              event->event.kind == ESPALIER_EVENT_HARD_EXPIRY)) {
    const struct sa_entry* entry = entry_of(k, event->event.sa);
    if (entry != NULL)
      l->expire(l->daemon, &entry->id, event->event.kind == ESPALIER_EVENT_HARD_EXPIRY);
  }
}

uint64_t work(struct kernel_ipsec* k, uint64_t now) {
  struct espalier_boundary_event event = {.struct_size = sizeof event};
  struct espalier_statistics statistics;
  uint64_t next;
  k->now = now;
  next = espalier_boundary_tick(k->boundary, now);
  for (int i = 0; i < MAX_SAS; ++i)
    if (k->sas[i].used && k->sas[i].sa != 0) look_at(k, &k->sas[i], &statistics);
  while (espalier_boundary_next_event(k->boundary, &event) == 1) tell(k, &event);
  return next;
}
