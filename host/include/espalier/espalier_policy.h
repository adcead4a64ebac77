/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Espalier's C API: layer L2, the IPsec boundary of RFC 4301 around a context.  Policies, sets of
 * SAs, fragments, path MTU, NAT traversal; boundary.hpp says more of each.  Conventions and threads
 * as in espalier.h: calls with a queue belong to its caller, all others to one control thread.
 *
 * While a boundary is open, use its calls for packets, SAs, time and events, not the context's.
 */
#ifndef ESPALIER_ESPALIER_POLICY_H
#define ESPALIER_ESPALIER_POLICY_H

#include <espalier/espalier.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espalier_boundary espalier_boundary;
typedef uint64_t espalier_set;    /* Names a set of SAs for ever; 0 is none. */
typedef uint64_t espalier_policy; /* Names a policy for ever; 0 is none. */

/* ---- boundaries */

struct espalier_boundary_options {
  size_t struct_size;
  uint32_t max_policies;       /* 0: 4096. */
  uint32_t max_sets;           /* 0: 4096. */
  uint32_t flow_cache;         /* Flows a queue remembers; a power of two; 0: 8192. */
  uint32_t buffers;            /* Of each queue; 0: 256. */
  uint32_t buffer_octets;      /* 0: 2048. */
  uint32_t reassemblies;       /* Packets each queue joins at a time; 0: 16. */
  uint16_t nat_port;           /* 0: 4500. */
  uint16_t no_nat;             /* 1: no UDP encapsulation is taken apart. */
  uint32_t reserved;           /* 0. */
  uint64_t reassembly_time_ns; /* 0: 30 s. */
};

/* The context outlives the boundary and has no packet under way. */
int espalier_boundary_open(espalier_context* context,
                           const struct espalier_boundary_options* options,
                           espalier_boundary** boundary, char* error, size_t error_size);
/* Removes its SAs.  No queue may be in use. */
void espalier_boundary_close(espalier_boundary* boundary);

struct espalier_address {
  uint32_t ipv6; /* 1: 16 octets count, else 4. */
  uint8_t octets[16];
};
/* This host's addresses; without any, every address is. */
int espalier_boundary_set_local(espalier_boundary* boundary,
                                const struct espalier_address* addresses, size_t count);

/* ---- policies */

enum espalier_way { ESPALIER_WAY_OUT = 0, ESPALIER_WAY_IN = 1, ESPALIER_WAY_FORWARD = 2 };
enum espalier_action { ESPALIER_PROTECT = 0, ESPALIER_BYPASS = 1, ESPALIER_DISCARD = 2 };

struct espalier_address_range { /* Both ends included. */
  struct espalier_address first, last;
};
struct espalier_value_range {
  uint16_t first, last;
};
/* Ranges; OPAQUE, what a packet does not show; none of both: ANY. */
struct espalier_values {
  const struct espalier_value_range* ranges;
  uint32_t count;
  uint32_t opaque;
};
struct espalier_selector { /* Lists without elements match everything. */
  const struct espalier_address_range* local;
  const struct espalier_address_range* remote;
  const struct espalier_value_range* protocols;
  uint32_t locals, remotes, protocol_count;
  uint32_t reserved; /* 0. */
  struct espalier_values local_ports, remote_ports;
  struct espalier_values types; /* ICMP: type << 8 | code; Mobility Header: type << 8. */
};
struct espalier_policy_options {
  size_t struct_size;
  uint32_t way, action;
  uint32_t priority; /* The lowest that matches wins, then the oldest. */
  uint32_t reserved; /* 0. */
  espalier_set set;  /* ESPALIER_PROTECT. */
  struct espalier_selector selector;
};

int espalier_policy_add(espalier_boundary* boundary, const struct espalier_policy_options* options,
                        espalier_policy* policy, char* error, size_t error_size);
int espalier_policy_remove(espalier_boundary* boundary, espalier_policy policy);

/* What becomes of a flow at present: is it really encrypted, by what and where?  Never keys. */
struct espalier_flow_proof {
  size_t struct_size;
  espalier_policy policy; /* 0: no policy matches, so it is discarded. */
  espalier_set set;       /* ESPALIER_PROTECT. */
  espalier_sa sa;         /* Outbound: that a packet takes now; inbound: the newest of the set.  0:
                             there is none, all that follows is 0 too. */
  uint64_t packets, bytes, number, dropped; /* As espalier_statistics, of the SA. */
  uint32_t action;                          /* espalier_action. */
  uint32_t encrypted; /* 1: sealed, or required to be, and not by NULL, GMAC or AH. */
  uint32_t sas;       /* Inbound: SAs of the set a packet may come through. */
  uint32_t spi;
  uint32_t ah, mode; /* As espalier_sa_options. */
  uint32_t path_mtu; /* 0: not known. */
  uint32_t device;   /* That did its last packet; 0xff: none yet.  espalier_device_name. */
  struct espalier_address source, destination; /* The tunnel's ends. */
  char suite[40];
};
/* Asks about a packet of the flow, which is not sent; its IP header and the four octets behind it
   are enough.  -EINVAL: that is no IP packet, or there is no such queue. */
int espalier_boundary_prove(const espalier_boundary* boundary, uint32_t way, const uint8_t* packet,
                            size_t length, uint32_t queue, struct espalier_flow_proof* proof,
                            char* error, size_t error_size);

/* ---- SAs, by sets */

int espalier_set_add(espalier_boundary* boundary, espalier_set* set, char* error,
                     size_t error_size);
/* -EBUSY while it has SAs or a policy names it; `error` says which. */
int espalier_set_remove(espalier_boundary* boundary, espalier_set set, char* error,
                        size_t error_size);

struct espalier_sa_role {
  size_t struct_size;
  uint64_t dscps;                 /* Bit d: packets of DSCP d; 0: all. */
  uint32_t queues;                /* Bit q: packets of queue q; 0: all. */
  uint32_t path_mtu;              /* 0: not known. */
  uint32_t fragment_after;        /* 1: cut after sealing where that may be; else before. */
  uint32_t tfc_multiple;          /* 0: no TFC padding. */
  uint32_t dummy_octets;          /* 0: 64. */
  uint32_t reserved;              /* 0. */
  uint64_t dummy_interval_ns;     /* 0: never. */
  uint64_t keepalive_interval_ns; /* 0: never. */
  const struct espalier_selector* selector;       /* Inbound: narrower than its policy, or NULL. */
  const struct espalier_address* original_source; /* Transport mode behind a NAT, or NULL. */
  const struct espalier_address* original_destination;
};

/* `role` may be NULL. */
int espalier_boundary_sa_add(espalier_boundary* boundary, espalier_set set,
                             const struct espalier_sa_options* options,
                             const struct espalier_sa_role* role, espalier_sa* sa, char* error,
                             size_t error_size);
/* Make before break: add the new SA, then remove the old one. */
int espalier_boundary_sa_remove(espalier_boundary* boundary, espalier_sa sa);
int espalier_boundary_sa_update(espalier_boundary* boundary, espalier_sa sa,
                                const struct espalier_sa_change* change, char* error,
                                size_t error_size);

/* ---- packets */

struct espalier_packet { /* Lent until its last outcome was polled. */
  uint64_t cookie;
  uint8_t* source; /* From its IP header on. */
  size_t source_length;
  uint8_t* destination; /* Begins where the source does, or holds no octet of it. */
  size_t destination_length;
  /* In place of `source`: 1 to 16 pieces, joined in `destination`, which needs room for all of them
     and may begin where the first does.  What comes of it is in one piece; a list that can't be is
     dropped as malformed_ip.  The destination of a packet that is not taken may be written. */
  const struct espalier_segment* segments;
  size_t segment_count; /* 0: there are none. */
};

enum espalier_verdict {
  ESPALIER_BYPASSED = 0,
  ESPALIER_SEALED = 1,
  ESPALIER_OPENED = 2,
  ESPALIER_IKE = 3,
  ESPALIER_ABSORBED = 4,
  ESPALIER_DISCARDED = 5,
  ESPALIER_REPLY = 6,
  ESPALIER_GENERATED = 7
};

struct espalier_outcome {
  uint64_t cookie;
  uint8_t* packet;
  size_t length;
  espalier_sa sa;
  espalier_policy policy;
  uint64_t number;
  uint32_t lease; /* Not 0: give it back with espalier_boundary_release. */
  uint8_t verdict, drop, way;
  uint8_t last; /* 1: the packet's own memory is the caller's again. */
  uint8_t device, soft_expired;
  uint8_t reserved[6];
};

/* Take a prefix and return its length. */
size_t espalier_outbound(espalier_boundary* boundary, uint32_t queue,
                         const struct espalier_packet* packets, size_t count);
size_t espalier_inbound(espalier_boundary* boundary, uint32_t queue,
                        const struct espalier_packet* packets, size_t count);
size_t espalier_boundary_poll(espalier_boundary* boundary, uint32_t queue,
                              struct espalier_outcome* outcomes, size_t count,
                              uint32_t rerun_budget);
void espalier_boundary_release(espalier_boundary* boundary, uint32_t queue, uint32_t lease);
const char* espalier_verdict_name(uint8_t verdict);

/* ---- time and events */

/* In place of espalier_tick. */
uint64_t espalier_boundary_tick(espalier_boundary* boundary, uint64_t now_ns);

enum espalier_boundary_event_kind {
  ESPALIER_BOUNDARY_EVENT_SA = 0, /* `event` is the context's. */
  ESPALIER_BOUNDARY_EVENT_ACQUIRE = 1,
  ESPALIER_BOUNDARY_EVENT_MAPPING_CHANGED = 2,
  ESPALIER_BOUNDARY_EVENT_PATH_MTU = 3,
  ESPALIER_BOUNDARY_EVENT_AUDIT = 4
};
struct espalier_boundary_event {
  size_t struct_size;
  struct espalier_event event;
  espalier_policy policy;
  espalier_set set;
  espalier_sa sa;
  uint64_t number; /* Sequence number, or path MTU. */
  uint64_t at_ns;
  uint32_t kind;
  uint32_t spi;
  struct espalier_address local, remote;
  uint16_t local_port, remote_port;
  uint8_t protocol, way, drop;
  uint8_t reserved;
};
/* 1 and the oldest event, or 0. */
int espalier_boundary_next_event(espalier_boundary* boundary,
                                 struct espalier_boundary_event* event);
/* Readable while events wait, as of the last tick; the context's events too. */
int espalier_boundary_event_fd(const espalier_boundary* boundary);

#ifdef __cplusplus
}
#endif
#endif
