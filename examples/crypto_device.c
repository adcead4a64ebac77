/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The shape of a DPDK poll mode driver that offers rte_security's lookaside protocol: sessions,
   chained mbufs with headroom, bursts, capabilities and statistics.  Types are of our own writing.
 */
#include <errno.h>
#include <espalier/espalier.h>

#include "example.h"

/* ---- the caller's side: buffers and operations */

#define ROOM 512
#define HEADROOM 128
struct mbuf {
  struct mbuf* next;
  uint16_t data_offset, data_length;
  uint8_t buffer[ROOM];
};
enum op_status { OP_NOT_PROCESSED, OP_SUCCESS, OP_ERROR };
struct session;
struct op {
  struct mbuf* mbuf;
  struct session* session;
  enum op_status status;
};

/* ---- the driver */

#define BURST 32
struct session {
  espalier_sa sa;
};
struct device {
  espalier_context* context;
};

static const char* const capabilities[] = {"aes128gcm16", "aes256gcm16", "aes128-sha256", NULL};

static int session_create(struct device* d, const struct espalier_sa_options* conf,
                          struct session* session) {
  for (const char* const* suite = capabilities; *suite != NULL; ++suite)
    if (strcmp(*suite, conf->suite) == 0)
      return espalier_sa_add(d->context, conf, &session->sa, NULL, 0);
  return -ENOTSUP;
}
static int session_destroy(struct device* d, struct session* session) {
  return espalier_sa_remove(d->context, session->sa);
}

/* One mbuf chain is one segment list, worked on in place: a single mbuf's headroom and tailroom are
   the packet's.  A chain's result goes to the chain itself, with its room. */
static void make_job(struct op* op, struct espalier_segment* segments, struct espalier_job* job) {
  uint32_t count = 0;
  for (struct mbuf* m = op->mbuf; m != NULL; m = m->next, ++count) {
    const int first = m == op->mbuf, last = m->next == NULL;
    uint8_t* begin = first ? m->buffer : m->buffer + m->data_offset;
    uint8_t* end = last ? m->buffer + ROOM : m->buffer + m->data_offset + m->data_length;
    segments[count] = (struct espalier_segment){begin, (uint32_t)(end - begin), 0};
  }
  *job = (struct espalier_job){.struct_size = sizeof *job,
                               .sa = op->session->sa,
                               .cookie = (uint64_t)(uintptr_t)op,
                               .source = segments,
                               .sources = count,
                               .l3_offset = op->mbuf->data_offset};
}

static uint16_t enqueue_burst(struct device* d, uint16_t queue, struct op** ops, uint16_t count) {
  struct espalier_segment segments[BURST][ESPALIER_MAX_SEGMENTS];
  struct espalier_job jobs[BURST];
  if (count > BURST) count = BURST;
  for (uint16_t i = 0; i < count; ++i) make_job(ops[i], segments[i], &jobs[i]);
  const int taken = espalier_submit(d->context, queue, jobs, count);
  return taken < 0 ? 0 : (uint16_t)taken;
}

/* The result of `length` octets begins `offset` octets into the chain's memory. */
static void place_result(struct mbuf* m, uint32_t offset, uint32_t length) {
  for (; m != NULL; m = m->next) {
    const uint32_t start = offset < ROOM ? offset : ROOM;
    const uint32_t end = m->next == NULL ? ROOM : (uint32_t)(m->data_offset + m->data_length);
    const uint32_t here = length < end - start ? length : end - start;
    m->data_offset = (uint16_t)start;
    m->data_length = (uint16_t)here;
    length -= here;
    offset = m->next != NULL ? m->next->data_offset : 0;
  }
}

static uint16_t dequeue_burst(struct device* d, uint16_t queue, struct op** ops, uint16_t count) {
  struct espalier_completion done[BURST];
  done[0].struct_size = sizeof done[0];
  if (count > BURST) count = BURST;
  const int got = espalier_poll(d->context, queue, done, count, 32);
  for (int i = 0; i < got; ++i) {
    ops[i] = (struct op*)(uintptr_t)done[i].cookie;
    ops[i]->status = done[i].drop == 0 ? OP_SUCCESS : OP_ERROR;
    if (done[i].drop == 0) place_result(ops[i]->mbuf, done[i].offset, done[i].length);
  }
  return got < 0 ? 0 : (uint16_t)got;
}

/* ---- an application */

#define PACKETS 64
static struct mbuf first[PACKETS], second[PACKETS];

/* Odd packets are chains of two mbufs, uneven. */
static void fill(unsigned i, const uint8_t* packet, uint16_t length) {
  const uint16_t cut = i % 2 ? (uint16_t)(21 + i) : length;
  first[i] = (struct mbuf){i % 2 ? &second[i] : NULL, HEADROOM, cut, {0}};
  second[i] = (struct mbuf){NULL, 0, (uint16_t)(length - cut), {0}};
  memcpy(first[i].buffer + HEADROOM, packet, cut);
  memcpy(second[i].buffer, packet + cut, (size_t)(length - cut));
}
static uint16_t read_back(const struct mbuf* m, uint8_t* out) {
  uint16_t length = 0;
  for (; m != NULL; m = m->next) {
    memcpy(out + length, m->buffer + m->data_offset, m->data_length);
    length = (uint16_t)(length + m->data_length);
  }
  return length;
}

static void run(struct device* d, struct op* ops, struct session* session) {
  struct op* burst[BURST];
  unsigned sent = 0, done = 0;
  while (done < PACKETS) {
    uint16_t n = 0;
    for (; n < BURST && sent + n < PACKETS; ++n) {
      ops[sent + n] = (struct op){&first[sent + n], session, OP_NOT_PROCESSED};
      burst[n] = &ops[sent + n];
    }
    sent += enqueue_burst(d, 0, burst, n);
    done += dequeue_burst(d, 0, burst, BURST);
    espalier_tick(d->context, 0);
  }
}

int main(void) {
  struct espalier_context_options o = {.struct_size = sizeof o};
  struct espalier_sa_options conf = {.struct_size = sizeof conf,
                                     .suite = "aes128gcm16",
                                     .direction = ESPALIER_OUTBOUND,
                                     .spi = 0x2001,
                                     .key = example_key,
                                     .key_length = sizeof example_key,
                                     .source = {192, 0, 2, 1},
                                     .destination = {192, 0, 2, 2}};
  struct espalier_device_counters stats = {.struct_size = sizeof stats};
  struct session out, in;
  struct device d;
  static struct op ops[PACKETS];
  uint8_t packet[ROOM], result[2 * ROOM];

  CHECK(espalier_open(&o, &d.context, NULL, 0) == 0, "open");
  CHECK(session_create(&d, &conf, &out) == 0, "session");
  conf.direction = ESPALIER_INBOUND;
  CHECK(session_create(&d, &conf, &in) == 0, "session");
  conf.suite = "null-sha256";
  CHECK(session_create(&d, &conf, &(struct session){0}) == -ENOTSUP, "not among the capabilities");

  for (unsigned i = 0; i < PACKETS; ++i) {
    example_packet(packet, (uint16_t)(100 + 3 * i), i);
    fill(i, packet, (uint16_t)(100 + 3 * i));
  }
  run(&d, ops, &out);
  for (unsigned i = 0; i < PACKETS; ++i) {
    CHECK(ops[i].status == OP_SUCCESS, "seal");
    CHECK(i % 2 || first[i].data_offset == HEADROOM - 20 - 16, "headroom took headers and IV");
    CHECK(first[i].buffer[first[i].data_offset + 9] == 50, "ESP");
  }
  first[7].buffer[first[7].data_offset + 45] ^= 1;
  run(&d, ops, &in);
  for (unsigned i = 0; i < PACKETS; ++i) {
    CHECK((ops[i].status == OP_SUCCESS) == (i != 7), "the one that was forged, and no other");
    if (i == 7) continue;
    example_packet(packet, (uint16_t)(100 + 3 * i), i);
    CHECK(read_back(&first[i], result) == 100 + 3 * i, "length");
    CHECK(memcmp(result, packet, 100 + 3 * i) == 0, "octets");
  }
  CHECK(espalier_device_statistics(d.context, 0, &stats) == 0 && stats.taken == 2 * PACKETS,
        "statistics");
  CHECK(session_destroy(&d, &in) == 0 && session_destroy(&d, &out) == 0, "destroy");
  espalier_close(d.context);
  printf("crypto_device: %d packets there and back in place, 1 forged one refused\n", PACKETS - 1);
  return 0;
}
