/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Espalier's C API: layer L1, packets by SA.  docs/api.md tells how to use it.
 *
 * Conventions
 *   Calls that can fail return 0 or a count, or a negative errno; those that take `error` write one
 *   line there that says what is wrong and how to mend it (NULL if error_size is 0).  A call that
 *   fails changes nothing.  -EINVAL: an argument is out of its range or a pointer missing;
 *   -ENOENT: no such SA, queue or device; -E2BIG: a structure has members this library does not
 *   know, and they are not zero.
 *   Structures begin with struct_size, to be set to sizeof.  One of an older header is shorter: the
 *   members it lacks count as zero, and zero means the default.  In an array all elements have the
 *   struct_size of the first, which is the stride.  Reserved members must be zero.
 *   Addresses are 4 or 16 octets in wire order, SPIs and ports numbers in host order, lengths
 *   octets, times nanoseconds of a monotonic clock of the caller's.
 *
 * Threads
 *   A queue belongs to one caller at a time; queues are independent.  The calls of section
 *   "packets" and espalier_find take a queue.  All other calls belong to one control thread, which
 *   may run beside the queues' threads.  The library starts no thread and never blocks.
 */
#ifndef ESPALIER_ESPALIER_H
#define ESPALIER_ESPALIER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESPALIER_VERSION_MAJOR 0
#define ESPALIER_VERSION_MINOR 2
#define ESPALIER_NO_LIMIT UINT64_MAX
#define ESPALIER_ERROR_SIZE 256  /* Octets that hold any error line. */
#define ESPALIER_MAX_SEGMENTS 16 /* Of a source or a destination. */

typedef struct espalier_context espalier_context;
typedef uint64_t espalier_sa; /* Names an SA for ever; 0 is none. */

/* Major << 16 | minor of the library in use.  A library serves headers of its major version. */
uint32_t espalier_version(void);

/* ---- where keys lie */

/* Keys lie in memory that is locked against swapping where the system permits it, left out of core
   dumps, on large pages, and wiped when given back.  OpenSSL expands them once more into contexts
   of its own; this makes that memory OpenSSL's allocator too, for the whole process and its whole
   life (so do not unload the library).  To be called first thing in main(), before anything uses
   OpenSSL and on the only thread that does; the library never does by itself.  Calling again is
   nothing. 0: done and locked.  1: done, but locking is refused: raise RLIMIT_MEMLOCK (ulimit -l;
   systemd: LimitMEMLOCK).  -EBUSY: OpenSSL has allocated before, call it earlier; -ENOMEM: memory
   is short; nothing is changed then. */
int espalier_keep_openssl_memory(void);
/* Octets of that memory, and how many of them are locked; either may be NULL.  It grows by 2 MiB,
   so the limit may be met late.  Any thread. */
void espalier_key_memory(uint64_t* octets, uint64_t* locked);

/* ---- contexts */

struct espalier_context_options {
  size_t struct_size;
  const char* devices;     /* Names, comma-separated; NULL: "auto".  Software, when not named, is
                              added as what others fall back to, unless no_fallback is set. */
  uint32_t no_fallback;    /* 1: only the named devices. */
  uint32_t max_sas;        /* 0: 4096; at most 65,535. */
  uint32_t queues;         /* 0: 1; at most 16. */
  uint32_t queue_capacity; /* Jobs taken and not polled; a power of two to 32,768; 0: 1024. */
  uint32_t batch;          /* 0: 64. */
  uint32_t events;         /* Room in the event ring; a power of two; 0: 1024. */
  uint64_t batch_age_ns;   /* How long poll keeps an unfilled batch back. */
  uint32_t audit_events_per_second; /* 0: 100. */
  uint32_t shadow_per_million;      /* Packets of a card done by software too and compared;
                                       0: 1000. */
};

int espalier_open(const struct espalier_context_options* options, espalier_context** context,
                  char* error, size_t error_size);
/* Wipes every key.  No queue may be in use.  NULL is nothing. */
void espalier_close(espalier_context* context);

/* ---- SAs */

enum espalier_direction { ESPALIER_OUTBOUND = 0, ESPALIER_INBOUND = 1 };
enum espalier_mode { ESPALIER_TUNNEL = 0, ESPALIER_TRANSPORT = 1 };
enum espalier_df { ESPALIER_DF_COPY = 0, ESPALIER_DF_SET = 1, ESPALIER_DF_CLEAR = 2 };

struct espalier_lifetime { /* 0: no limit. */
  uint64_t bytes, packets, time_ns;
};

struct espalier_sa_options {
  size_t struct_size;
  const char* suite; /* IKEv2 name in lower case, e.g. "aes256gcm16", "aes128-sha256". */
  uint32_t ah;       /* 1: AH. */
  uint32_t direction, mode;
  uint32_t spi;
  uint32_t esn;
  uint32_t udp_encapsulation;
  const uint8_t* key; /* Keying material: the key, then the salt.  Copied. */
  size_t key_length;
  const uint8_t* integrity_key; /* Copied. */
  size_t integrity_key_length;
  uint32_t ipv6; /* 1: source and destination are IPv6. */
  uint8_t source[16], destination[16];
  uint16_t source_port, destination_port; /* UDP encapsulation; 0: 4500. */
  uint32_t replay_window;                 /* Inbound; 32 to 65,536; 0: 64. */
  uint32_t no_anti_replay;                /* 1 turns it off. */
  uint64_t last_number; /* Outbound: last number used.  Inbound: highest accepted. */
  uint32_t caller_iv;   /* 1: each job brings its IV; the caller answers for its uniqueness. */
  uint32_t sender_bits, sender_id; /* RFC 6054. */
  uint32_t reserved;
  struct espalier_lifetime soft, hard;
  uint32_t set_dscp, dscp; /* set_dscp 1: outer DSCP is `dscp`; else copied or mapped. */
  uint32_t no_ecn;
  uint32_t ttl;                        /* 0: 64. */
  uint32_t df;                         /* espalier_df. */
  uint32_t set_flow_label, flow_label; /* set_flow_label 1: 20 bits; else copied. */
  uint32_t reserved2;
  const uint8_t* dscp_map; /* 64 octets: the outer DSCP of each inner one; NULL copies. */
  uint64_t number_limit;   /* Outbound: the last number to be used; 0: the algorithm's, or
                              2^40 under AES with ESN and no hard.bytes or hard.packets. */
};

/* The SA is usable at once in software; a card's slot follows (ESPALIER_EVENT_SLOT_READY). */
int espalier_sa_add(espalier_context* context, const struct espalier_sa_options* options,
                    espalier_sa* sa, char* error, size_t error_size);

struct espalier_sa_change {
  size_t struct_size;
  uint32_t set_endpoints; /* 1: ipv6, addresses and ports are the new ones (MOBIKE, NAT). */
  uint32_t ipv6;
  uint8_t source[16], destination[16];
  uint16_t source_port, destination_port; /* 0: 4500. */
  uint32_t set_udp_encapsulation, udp_encapsulation;
  uint32_t set_soft, set_hard; /* 1: the whole lifetime, counted from when the SA was added. */
  uint32_t reserved;
  struct espalier_lifetime soft, hard;
};
/* The next packet that submit takes of the SA goes by the change.  Till the packets under way are
   out, submit takes none of it, and loses none. */
int espalier_sa_update(espalier_context* context, espalier_sa sa,
                       const struct espalier_sa_change* update, char* error, size_t error_size);

/* Stops the SA at once; it is wiped when its last packet is out (ESPALIER_EVENT_SA_DRAINED). */
int espalier_sa_remove(espalier_context* context, espalier_sa sa);

struct espalier_overhead {
  size_t struct_size;
  uint32_t head;      /* Before the packet: outer header of a tunnel, UDP header. */
  uint32_t total;     /* In all, at most; TFC padding not counted. */
  uint32_t in_place;  /* Headroom for sealing in place; the rest of total is the tailroom. */
  uint32_t alignment; /* ESP pads what it protects, and 2 octets, to a multiple of this. */
};
int espalier_sa_overhead(const espalier_context* context, espalier_sa sa,
                         struct espalier_overhead* overhead);

/* The inbound SA of a packet; 0 if there is none.  protocol 50 or 51. */
espalier_sa espalier_find(espalier_context* context, uint32_t queue, uint32_t spi, uint8_t protocol,
                          int ipv6, const uint8_t* destination, const uint8_t* source);

/* ---- packets */

struct espalier_segment {
  uint8_t* data;
  uint32_t length;
  uint32_t reserved;
};

enum espalier_job_flags {
  ESPALIER_JOB_DUMMY = 1 /* Outbound ESP tunnels: a dummy of tfc_length octets (RFC 4303 2.6); it
                            has no source. */
};

/* Segments are lent until the completion is polled; the source stays unmodified till then.  The job
   and its segment arrays are read during espalier_submit only. */
struct espalier_job {
  size_t struct_size;
  espalier_sa sa;
  uint64_t cookie;                            /* Comes back; never looked at. */
  const struct espalier_segment* source;      /* Octets past the packet's own IP length are
                                                 ignored; headers and ICV may straddle. */
  const struct espalier_segment* destination; /* The source, or no octet of it.  None: in place, the
                                                 payload keeps its place; see espalier_overhead. */
  uint32_t sources, destinations;             /* 1 to 16; destinations 0: in place. */
  uint32_t l3_offset;  /* Octets before the IP header in the first segment. */
  uint32_t tfc_length; /* Outbound ESP tunnels; to 65,535. */
  uint32_t flags;
  uint32_t reserved;
  const uint8_t* iv; /* With caller_iv: 8 or 16 octets, copied. */
};

struct espalier_completion {
  size_t struct_size;
  uint64_t cookie;
  uint64_t number;     /* 64-bit sequence number; 0 if there was none. */
  uint32_t offset;     /* Of the destination's octets (in place: the source's) before the result. */
  uint32_t length;     /* Of the result; 0 if dropped. */
  uint8_t status;      /* espalier_status_name(). */
  uint8_t drop;        /* 0: deliver it.  espalier_drop_name(). */
  uint8_t next_header; /* From the trailer (inbound). */
  uint8_t device;      /* 0xff if none saw it.  espalier_device_name(). */
  uint8_t refusal;     /* Why a better device did not do it, 0 if none.  espalier_refusal_name(). */
  uint8_t soft_expired;
  uint8_t reserved[2];
};

/* Takes a prefix and returns its length; fewer than all means full: poll, then offer the rest.  The
   packets of one SA in one call have consecutive numbers.  A job that can't be done is taken, and
   completes with its drop reason.  -EINVAL, and nothing is taken: no jobs, or a struct_size that
   is none; -ENOENT: no such queue. */
int espalier_submit(espalier_context* context, uint32_t queue, const struct espalier_job* jobs,
                    size_t count);
/* Hands back up to `count` jobs that are done; completions[0].struct_size says how long each is.
   Runs at most `rerun_budget` failed jobs again. */
int espalier_poll(espalier_context* context, uint32_t queue,
                  struct espalier_completion* completions, size_t count, uint32_t rerun_budget);

/* For a caller that wants to sleep.  1: do not, there is something to poll.  0: espalier_queue_fd
   becomes readable when there may be, if jobs are under way; it is espalier_tick that wakes, and
   must be called within a millisecond. */
int espalier_queue_arm(espalier_context* context, uint32_t queue);
/* The context's: do not close or read it. */
int espalier_queue_fd(const espalier_context* context, uint32_t queue);

const char* espalier_status_name(uint8_t status);
const char* espalier_drop_name(uint8_t drop);
const char* espalier_refusal_name(uint8_t refusal);
const char* espalier_device_name(const espalier_context* context, uint8_t device);

/* ---- counters, readable while traffic runs */

struct espalier_statistics {
  size_t struct_size;
  uint64_t packets, bytes; /* Completed well; bytes as lifetimes count them. */
  uint64_t number;         /* Last given out, or highest accepted; 0 of all SAs. */
  uint64_t dropped;        /* Packets not delivered, all reasons. */
};
/* Of one SA; of all there are and were, and of packets without one, if sa is 0. */
int espalier_sa_statistics(const espalier_context* context, espalier_sa sa,
                           struct espalier_statistics* statistics);
/* The same by reason: counts[r] is of drop reason r.  Writes at most `count`, returns how many
   reasons there are. */
int espalier_sa_drops(const espalier_context* context, espalier_sa sa, uint64_t* counts,
                      size_t count);

enum espalier_health {
  ESPALIER_HEALTH_READY = 0,
  ESPALIER_HEALTH_SUSPECT = 1,
  ESPALIER_HEALTH_QUARANTINED = 2,
  ESPALIER_HEALTH_GONE = 3
};
struct espalier_device_counters {
  size_t struct_size;
  uint32_t health;
  uint32_t priority;
  uint64_t taken;       /* Jobs given to it. */
  uint64_t failed;      /* Of those, jobs run again elsewhere. */
  uint64_t refused;     /* Packets it was not given, all reasons. */
  uint64_t verified;    /* Packets compared with software's result. */
  uint64_t mismatches;  /* Of those, those that differed. */
  uint64_t quarantines; /* Times it was taken out of service. */
  uint64_t staged;      /* Jobs whose memory it does not reach, and had to copy. */
};
/* By falling priority, as completions number them. */
uint32_t espalier_device_count(const espalier_context* context);
int espalier_device_statistics(const espalier_context* context, uint32_t device,
                               struct espalier_device_counters* statistics);

#define ESPALIER_METRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
/* All counters as OpenMetrics text, no keys.  Writes at most `size` octets, the closing NUL among
   them, and returns how many the whole text has without it, or a negative errno; so call it with
   size 0 first, and leave some room: numbers grow.  Text that was cut is of no use.  -ENOMEM:
   memory is short. */
int64_t espalier_metrics(const espalier_context* context, char* text, size_t size);

/* ---- time, events, memory */

/* Lifetimes, slots, health.  Returns when it wants to be called next, UINT64_MAX for never. */
uint64_t espalier_tick(espalier_context* context, uint64_t now_ns);

enum espalier_event_kind {
  ESPALIER_EVENT_SOFT_EXPIRY = 0,
  ESPALIER_EVENT_HARD_EXPIRY = 1,
  ESPALIER_EVENT_SEQUENCE_OVERFLOW = 2,
  ESPALIER_EVENT_SLOT_READY = 3,
  ESPALIER_EVENT_SA_DRAINED = 4,
  ESPALIER_EVENT_DEVICE_STATE = 5,
  ESPALIER_EVENT_AUDIT = 6
};
struct espalier_event {
  size_t struct_size;
  uint32_t kind;
  uint32_t spi;
  espalier_sa sa;
  uint64_t value; /* AUDIT: the packet's number.  DEVICE_STATE: espalier_health. */
  uint8_t drop;   /* AUDIT. */
  uint8_t device; /* SLOT_READY, DEVICE_STATE. */
  uint8_t reserved[6];
};
/* 1 and the oldest event, or 0. */
int espalier_next_event(espalier_context* context, struct espalier_event* event);
/* Readable while events wait, as of the last espalier_tick.  The context's: do not close it. */
int espalier_event_fd(const espalier_context* context);
/* Events and audit records that found no room or were over the rate. */
uint64_t espalier_lost_events(const espalier_context* context);

/* Memory the best device reads and writes without a copy; 64-byte aligned, zeroed; NULL if there is
   none left.  Give it back before espalier_close. */
void* espalier_mem_alloc(espalier_context* context, size_t bytes);
void espalier_mem_free(espalier_context* context, void* memory, size_t bytes);
/* Whether the best device uses this memory of the caller's without a copy: 0 if so; -EOPNOTSUPP if
   packets in it will be staged, which works, but costs a copy each. */
int espalier_mem_register(espalier_context* context, void* memory, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
