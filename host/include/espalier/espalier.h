/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Espalier's C API: layer L1, packets by SA.
 *
 * Conventions
 *   Calls that can fail return 0, or a negative errno with one line in `error` that says what is
 *   wrong and how to mend it; `error` may be NULL if `error_size` is 0.
 *   Structures that grow begin with struct_size, to be set to sizeof; members beyond what the
 *   caller knows are zero, and zero means the default.
 *   Addresses are 4 or 16 octets in wire order, SPIs and ports numbers in host order, times
 *   nanoseconds of a monotonic clock of the caller's.
 *
 * Threads
 *   A queue belongs to one caller at a time; queues are independent.  espalier_submit,
 *   espalier_poll and espalier_find take a queue.  All other calls belong to one control thread,
 *   which may run beside the queues' threads.  The library starts no thread and never blocks.
 */
#ifndef ESPALIER_ESPALIER_H
#define ESPALIER_ESPALIER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESPALIER_VERSION_MAJOR 0
#define ESPALIER_VERSION_MINOR 1
#define ESPALIER_NO_LIMIT UINT64_MAX
#define ESPALIER_ERROR_SIZE 256 /* Octets that hold any error line. */

typedef struct espalier_context espalier_context;
typedef uint64_t espalier_sa; /* Names an SA for ever; 0 is none. */

/* Major << 16 | minor of the library in use. */
uint32_t espalier_version(void);

/* ---- contexts */

struct espalier_context_options {
  size_t struct_size;
  const char* devices;     /* Names, comma-separated; NULL: "auto".  Software, when not named, is
                              added as what others fall back to, unless no_fallback is set. */
  uint32_t no_fallback;    /* 1: only the named devices. */
  uint32_t max_sas;        /* 0: 4096. */
  uint32_t queues;         /* 0: 1; at most 16. */
  uint32_t queue_capacity; /* Jobs taken and not polled; a power of two; 0: 1024. */
  uint32_t batch;          /* 0: 64. */
  uint64_t batch_age_ns;   /* How long poll keeps an unfilled batch back. */
};

int espalier_open(const struct espalier_context_options* options, espalier_context** context,
                  char* error, size_t error_size);
/* Wipes every key.  No queue may be in use. */
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
  uint32_t replay_window;                 /* Inbound; 0: 64. */
  uint32_t no_anti_replay;                /* 1 turns it off. */
  uint64_t last_number; /* Outbound: last number used.  Inbound: highest accepted. */
  uint32_t caller_iv;   /* 1: each job brings its IV; the caller answers for its uniqueness. */
  uint32_t sender_bits, sender_id; /* RFC 6054. */
  struct espalier_lifetime soft, hard;
  uint32_t set_dscp, dscp; /* set_dscp 1: outer DSCP is `dscp`; else copied. */
  uint32_t no_ecn;
  uint32_t ttl; /* 0: 64. */
  uint32_t df;  /* espalier_df. */
};

int espalier_sa_add(espalier_context* context, const struct espalier_sa_options* options,
                    espalier_sa* sa, char* error, size_t error_size);
/* Stops the SA at once; it is wiped when its last packet is out (ESPALIER_EVENT_SA_DRAINED).
   -ENOENT if there is no such SA. */
int espalier_sa_remove(espalier_context* context, espalier_sa sa);

/* What sealing adds at most: `head` octets before the packet, `total` in all; TFC not counted. */
int espalier_sa_overhead(const espalier_context* context, espalier_sa sa, uint32_t* head,
                         uint32_t* total);

struct espalier_sa_statistics {
  size_t struct_size;
  uint64_t packets, bytes; /* Completed well; bytes as lifetimes count them. */
  uint64_t number;         /* Last given out, or highest accepted. */
  uint64_t dropped;        /* Packets not delivered, all reasons. */
};
int espalier_sa_statistics(const espalier_context* context, espalier_sa sa,
                           struct espalier_sa_statistics* statistics);

/* The inbound SA of a packet; 0 if there is none.  protocol 50 or 51. */
espalier_sa espalier_find(espalier_context* context, uint32_t queue, uint32_t spi, uint8_t protocol,
                          int ipv6, const uint8_t* destination, const uint8_t* source);

/* ---- packets */

struct espalier_segment {
  uint8_t* data;
  uint32_t length;
};

/* Segments are lent until the completion is polled; the source stays unmodified till then.  The job
   and its segment arrays are read during espalier_submit only. */
struct espalier_job {
  espalier_sa sa;
  uint64_t cookie;
  const struct espalier_segment* source;      /* 1 to 16 segments; octets past the packet's own IP
                                                 length are ignored. */
  const struct espalier_segment* destination; /* 1 to 16 segments; the source, or no octet of it. */
  uint32_t sources, destinations;
  uint32_t l3_offset;  /* Octets before the IP header in the first source segment. */
  uint32_t tfc_length; /* Outbound ESP tunnels. */
  const uint8_t* iv;   /* With caller_iv: 8 or 16 octets. */
};

struct espalier_completion {
  uint64_t cookie;
  uint64_t number;     /* 64-bit sequence number; 0 if there was none. */
  uint32_t length;     /* Octets of the result, from the destination's first; 0 if dropped. */
  uint8_t status;      /* espalier_status_name(). */
  uint8_t drop;        /* 0: deliver it.  espalier_drop_name(). */
  uint8_t next_header; /* From the trailer (inbound). */
  uint8_t device;      /* 0xff if none saw it.  espalier_device_name(). */
  uint8_t refusal;     /* Why a better device did not do it, 0 if none.  espalier_refusal_name(). */
  uint8_t soft_expired;
};

/* Takes a prefix and returns its length; fewer than all means full: poll, then offer the rest. */
size_t espalier_submit(espalier_context* context, uint32_t queue, const struct espalier_job* jobs,
                       size_t count);
/* Hands back up to `count` jobs that are done.  Runs at most `rerun_budget` failed jobs again. */
size_t espalier_poll(espalier_context* context, uint32_t queue,
                     struct espalier_completion* completions, size_t count, uint32_t rerun_budget);

const char* espalier_status_name(uint8_t status);
const char* espalier_drop_name(uint8_t drop);
const char* espalier_refusal_name(uint8_t refusal);
const char* espalier_device_name(const espalier_context* context, uint8_t device);

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
  uint64_t value; /* AUDIT: the packet's number.  DEVICE_STATE: 0 ready, 1 suspect, 2 quarantined,
                     3 gone. */
  uint8_t drop;   /* AUDIT. */
  uint8_t device; /* SLOT_READY, DEVICE_STATE. */
};
/* 1 and the oldest event, or 0. */
int espalier_next_event(espalier_context* context, struct espalier_event* event);
/* Readable while events wait, as of the last espalier_tick.  The context's: do not close it. */
int espalier_event_fd(const espalier_context* context);

/* Memory the best device reads and writes without a copy; 64-byte aligned, zeroed; NULL if there is
   none left.  Give it back before espalier_close. */
void* espalier_mem_alloc(espalier_context* context, size_t bytes);
void espalier_mem_free(espalier_context* context, void* memory, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
