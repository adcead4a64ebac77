/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* From nothing to a sealed packet: the smallest program that embeds Espalier. */
#include <espalier/espalier.h>
#include <stdio.h>

int main(void) {
  char error[ESPALIER_ERROR_SIZE];
  espalier_context* context;
  struct espalier_context_options options = {.struct_size = sizeof options};
  if (espalier_open(&options, &context, error, sizeof error) != 0) return puts(error), 1;

  static const uint8_t key[20] = {1, 2, 3}; /* 16 octets of key, 4 of salt: an example only */
  struct espalier_sa_options sa_options = {
      .struct_size = sizeof sa_options, .suite = "aes128gcm16", .direction = ESPALIER_OUTBOUND,
      .spi = 0x1001, .key = key, .key_length = sizeof key,
      .source = {192, 0, 2, 1}, .destination = {192, 0, 2, 2}};
  espalier_sa sa;
  if (espalier_sa_add(context, &sa_options, &sa, error, sizeof error) != 0) return puts(error), 1;

  uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17}, sealed[256];
  const struct espalier_segment source = {packet, sizeof packet, 0},
                                room = {sealed, sizeof sealed, 0};
  const struct espalier_job job = {
      .struct_size = sizeof job, .sa = sa,
      .source = &source, .sources = 1, .destination = &room, .destinations = 1};
  struct espalier_completion done = {.struct_size = sizeof done};
  if (espalier_submit(context, 0, &job, 1) != 1) return 1;
  while (espalier_poll(context, 0, &done, 1, 32) == 0) espalier_tick(context, 0);
  printf("%s: %u octets, number %llu, by %s\n", espalier_drop_name(done.drop), done.length,
         (unsigned long long)done.number, espalier_device_name(context, done.device));
  espalier_close(context);
  return done.drop;
}
