/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the examples share: a packet to send, and an end with a reason. */
#ifndef ESPALIER_EXAMPLE_H
#define ESPALIER_EXAMPLE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition, what)                                    \
  do {                                                            \
    if (!(condition)) {                                           \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, (what)); \
      exit(1);                                                    \
    }                                                             \
  } while (0)

/* 20 octets of AES-128-GCM keying material: an example, never a key. */
static const uint8_t example_key[20] = "example key, no key";

/* An IPv4/UDP packet of `length` octets from 10.1.0.1 to 10.2.0.1, its payload depending on `seed`.
   The header checksum is right, since peers look at it. */
static inline void example_packet(uint8_t* packet, uint16_t length, unsigned seed) {
  static const uint8_t header[20] = {0x45, 0, 0,  0, 0, 1, 0,  0, 64, 17,
                                     0,    0, 10, 1, 0, 1, 10, 2, 0,  1};
  uint32_t sum = 0;
  for (unsigned i = 20; i < length; ++i) packet[i] = (uint8_t)(seed * 31 + i);
  memcpy(packet, header, sizeof header);
  packet[2] = (uint8_t)(length >> 8);
  packet[3] = (uint8_t)length;
  for (unsigned i = 0; i < 20; i += 2) sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
  packet[10] = (uint8_t)(sum >> 8);
  packet[11] = (uint8_t)sum;
}

#endif
