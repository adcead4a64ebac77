/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The shape of an IKE daemon's kernel interface (strongSwan's kernel_ipsec_t and its listener) on
   Espalier's layer L2.  Types are of our own writing.  Addresses and SPIs are in network order,
   ports in host order.  One thread, the daemon's; packets have their own. */
#ifndef ESPALIER_EXAMPLES_KERNEL_IPSEC_H
#define ESPALIER_EXAMPLES_KERNEL_IPSEC_H

#include <espalier/espalier_policy.h>

struct host {
  uint8_t address[4];
  uint16_t port; /* Of UDP encapsulation. */
};

/* ---- what names things */

struct sa_id {
  struct host source, destination;
  uint32_t spi;
  uint8_t protocol; /* 50: ESP, 51: AH. */
};
enum policy_direction { POLICY_IN, POLICY_OUT, POLICY_FWD };
struct subnet {
  uint8_t first[4], last[4];
};
struct policy_id {
  enum policy_direction direction;
  struct subnet source, destination; /* As in the packet. */
};

/* ---- what the daemon hands over */

struct sa_data {
  uint32_t reqid; /* Ties SAs to policies. */
  int inbound, esn, encap;
  const char* suite;
  const uint8_t* key; /* As IKE derived it, the salt last. */
  size_t key_length;
  uint32_t replay_window;
  uint64_t soft_packets, hard_packets;
};
struct policy_data {
  uint32_t reqid;
  uint32_t priority; /* The lowest wins. */
};

/* ---- what the daemon wants to hear */

struct listener {
  void* daemon;
  /* A packet needs an SA that is not there. */
  void (*acquire)(void* daemon, uint32_t reqid, const uint8_t source[4],
                  const uint8_t destination[4]);
  void (*expire)(void* daemon, const struct sa_id* id, int hard);
  /* The peer of this inbound SA is elsewhere now: a NAT has moved it. */
  void (*mapping)(void* daemon, const struct sa_id* id, const struct host* peer);
};

/* ---- the back end; calls give 0, or -1 after a line on stderr */

struct kernel_ipsec;

/* `local`: this host's address.  The boundary is the packet path's to use. */
struct kernel_ipsec* kernel_ipsec_create(const uint8_t local[4], const struct listener* listener);
void kernel_ipsec_destroy(struct kernel_ipsec* k);
espalier_boundary* kernel_ipsec_boundary(struct kernel_ipsec* k);

/* An inbound SPI of our own choice, kept for the add_sa() that follows. */
int get_spi(struct kernel_ipsec* k, struct sa_id* id);
int add_sa(struct kernel_ipsec* k, const struct sa_id* id, const struct sa_data* data);
/* MOBIKE, a NAT's new mapping; `id` names it by its old hosts.  No packet is lost. */
int update_sa(struct kernel_ipsec* k, const struct sa_id* id, const struct host* source,
              const struct host* destination);
/* For dead peer detection: what it has carried, and when it was last seen to carry more. */
int query_sa(struct kernel_ipsec* k, const struct sa_id* id, uint64_t* bytes, uint64_t* packets,
             uint64_t* used_at);
int del_sa(struct kernel_ipsec* k, const struct sa_id* id);

/* The same policy may be added again, as a rekey does; it goes when it was removed as often. */
int add_policy(struct kernel_ipsec* k, const struct policy_id* id, const struct policy_data* data);
int del_policy(struct kernel_ipsec* k, const struct policy_id* id);
/* Everything. */
void flush(struct kernel_ipsec* k);

/* When espalier_boundary_event_fd() is readable or the returned time has come; nanoseconds of any
   steady clock. */
uint64_t work(struct kernel_ipsec* k, uint64_t now);

#endif
