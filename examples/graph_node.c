/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The shape of a VPP ESP backend: frames of buffer indices handed over to asynchronous engines and
   dequeued as whole frames, a worker per queue.  Types are of our own writing. */
#include <errno.h>
#include <espalier/espalier.h>

#include "example.h"

/* ---- the graph's side: buffers by index, frames of them */

#define BUFFERS 256
#define BUFFER_SIZE 2048
#define FRAME 64
#define WORKERS 2
struct buffer {
  int16_t current_data; /* octets of headroom in use are before it */
  uint16_t current_length;
  uint16_t next_node;
  uint8_t data[BUFFER_SIZE];
};
enum { NODE_DROP, NODE_OUT };
struct frame {
  uint32_t indices[FRAME];
  uint16_t count, open; /* open: not yet back */
};
static struct buffer buffers[BUFFERS];

/* ---- the backend */

struct backend {
  espalier_context* context;
};

/* Hands a frame over; 0, or -EBUSY and nothing was taken: the graph drops or keeps it. */
static int enqueue(struct backend* b, uint32_t worker, struct frame* frame,
                   const espalier_sa* sas) {
  struct espalier_segment segments[FRAME];
  struct espalier_job jobs[FRAME];
  for (uint16_t i = 0; i < frame->count; ++i) {
    struct buffer* buffer = &buffers[frame->indices[i]];
    segments[i] = (struct espalier_segment){buffer->data, BUFFER_SIZE, 0};
    jobs[i] = (struct espalier_job){
        .struct_size = sizeof jobs[i],
        .sa = sas[i],
        .cookie = (uint64_t)(uintptr_t)frame << 8 | i, /* user addresses have 48 bits */
        .source = &segments[i],
        .sources = 1,
        .l3_offset = (uint32_t)buffer->current_data};
  }
  const int taken = espalier_submit(b->context, worker, jobs, frame->count);
  frame->open = (uint16_t)(taken < 0 ? 0 : taken);
  for (uint16_t i = frame->open; i < frame->count; ++i)
    buffers[frame->indices[i]].next_node = NODE_DROP;
  return frame->open == 0 ? -EBUSY : 0;
}

/* A frame all of whose packets are back, or NULL. */
static struct frame* dequeue(struct backend* b, uint32_t worker) {
  struct espalier_completion done = {.struct_size = sizeof done};
  while (espalier_poll(b->context, worker, &done, 1, 32) == 1) {
    struct frame* frame = (struct frame*)(uintptr_t)(done.cookie >> 8);
    struct buffer* buffer = &buffers[frame->indices[done.cookie & 0xff]];
    buffer->next_node = done.drop == 0 ? NODE_OUT : NODE_DROP;
    if (done.drop == 0) {
      buffer->current_data = (int16_t)done.offset;
      buffer->current_length = (uint16_t)done.length;
    }
    if (--frame->open == 0) return frame;
  }
  return NULL;
}

/* ---- a graph of two workers */

static espalier_sa add(espalier_context* context, uint32_t direction, uint32_t spi) {
  static const uint8_t integrity[32] = "example integrity key of 32 oct";
  const struct espalier_sa_options o = {.struct_size = sizeof o,
                                        .suite = "aes128-sha256",
                                        .direction = direction,
                                        .spi = spi,
                                        .key = example_key,
                                        .key_length = 16,
                                        .integrity_key = integrity,
                                        .integrity_key_length = sizeof integrity,
                                        .replay_window = 1024,
                                        .source = {192, 0, 2, 1},
                                        .destination = {192, 0, 2, 2}};
  espalier_sa sa = 0;
  char error[ESPALIER_ERROR_SIZE] = "";
  CHECK(espalier_sa_add(context, &o, &sa, error, sizeof error) == 0, error);
  return sa;
}

static void pass(struct backend* b, struct frame* frames, espalier_sa (*sas)[FRAME]) {
  for (uint32_t w = 0; w < WORKERS; ++w) CHECK(enqueue(b, w, &frames[w], sas[w]) == 0, "enqueue");
  for (uint32_t w = 0; w < WORKERS; ++w) {
    struct frame* back = NULL;
    while ((back = dequeue(b, w)) == NULL) espalier_tick(b->context, 0);
    CHECK(back == &frames[w], "frames come back to the worker that sent them");
  }
}

int main(void) {
  struct espalier_context_options o = {.struct_size = sizeof o, .queues = WORKERS};
  static struct frame frames[WORKERS];
  static espalier_sa out[WORKERS][FRAME], in[WORKERS][FRAME];
  uint8_t packet[1500];
  struct backend b;
  CHECK(espalier_open(&o, &b.context, NULL, 0) == 0, "open");
  espalier_sa seal[3], open[3];
  for (uint32_t i = 0; i < 3; ++i) {
    seal[i] = add(b.context, ESPALIER_OUTBOUND, 0x3001 + i);
    open[i] = add(b.context, ESPALIER_INBOUND, 0x3001 + i);
  }
  for (uint32_t w = 0; w < WORKERS; ++w) {
    frames[w].count = FRAME;
    for (uint32_t i = 0; i < FRAME; ++i) { /* SAs mixed within a frame, shared by the workers */
      const uint32_t index = w * FRAME + i;
      struct buffer* buffer = &buffers[index];
      frames[w].indices[i] = index;
      buffer->current_data = 128;
      buffer->current_length = (uint16_t)(64 + 11 * index);
      example_packet(buffer->data + 128, buffer->current_length, index);
      out[w][i] = seal[index % 3];
      in[w][i] = open[index % 3];
    }
  }
  pass(&b, frames, out);
  for (uint32_t i = 0; i < WORKERS * FRAME; ++i) {
    const struct buffer* buffer = &buffers[i];
    const uint8_t* wire = buffer->data + buffer->current_data;
    const uint8_t source[4] = {192, 0, 2, 1};
    const uint32_t spi = (uint32_t)wire[22] << 8 | wire[23];
    CHECK(buffer->next_node == NODE_OUT && wire[9] == 50 && spi == 0x3001 + i % 3, "sealed");
    CHECK(espalier_find(b.context, 0, spi, 50, 0, wire + 16, source) == open[i % 3], "lookup");
  }
  pass(&b, frames, in);
  for (uint32_t i = 0; i < WORKERS * FRAME; ++i) {
    const struct buffer* buffer = &buffers[i];
    example_packet(packet, (uint16_t)(64 + 11 * i), i);
    CHECK(buffer->next_node == NODE_OUT && buffer->current_length == 64 + 11 * i, "opened");
    CHECK(memcmp(buffer->data + buffer->current_data, packet, buffer->current_length) == 0,
          "octets");
  }
  pass(&b, frames, in); /* they are clear now: no worker lets one through as ESP */
  for (uint32_t i = 0; i < WORKERS * FRAME; ++i)
    CHECK(buffers[i].next_node == NODE_DROP, "what is not ESP is dropped");
  espalier_close(b.context);
  printf("graph_node: %d packets there and back over %d workers\n", WORKERS * FRAME, WORKERS);
  return 0;
}
