/* keyring.h - order keys: deliveries of the same key go one by one.
 *
 * A key is held from the moment its first delivery may go until that has
 * ended or left; those that come meanwhile wait in line behind it, by
 * their numbers.
 *
 * Where there is a store the first of a key may wait there for its next
 * attempt.  Then those behind it leave as well, for the same time: the
 * store hands out by time and number, so they come back behind it.
 *
 * Keys are 64 bit hashes.  Two keys that share one keep an order that
 * nobody asked for, which does no harm.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_KEYRING_H
#define HERALD_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery.h"

struct keyring;

struct keyring *keyring_new (void);
/* Nothing may be held any more. */
void keyring_free (struct keyring *keyring);

/* Of a key's text; never 0, and the same for ever: it is kept in stores. */
uint64_t keyring_hash (const char *text);

enum keyring_answer {
  KEYRING_GO,                   /* it holds its key */
  KEYRING_WAIT,                 /* it stands in line here */
  KEYRING_LATER,                /* into the store, until due_ms */
  KEYRING_BACK                  /* into the store, as it was */
};

enum keyring_answer keyring_hold (struct keyring *keyring,
                                  struct delivery *delivery, int64_t now_ms,
                                  int64_t *ret_due_ms);

/* What follows when the holder of a key goes. */
struct keyring_next {
  struct delivery *next;        /* holds the key now and may go; or NULL */
  struct delivery *later;       /* lists by next: these leave, too, until ... */
  int64_t due_ms;
  struct delivery *back;        /* ... and these as they were */
};

/* It has ended; or (LATER, BACK) waits in the store from now on. */
void keyring_release (struct keyring *keyring,
                      const struct delivery *delivery, int64_t now_ms,
                      struct keyring_next *ret_next);
void keyring_release_later (struct keyring *keyring,
                            const struct delivery *delivery, int64_t due_ms,
                            struct keyring_next *ret_next);
void keyring_release_back (struct keyring *keyring,
                           struct delivery *delivery,
                           struct keyring_next *ret_next);
/* All that stand in line go back to the store: a list by next. */
struct delivery *keyring_drain (struct keyring *keyring);

/* It waits in the store. */
void keyring_expect (struct keyring *keyring, uint64_t seq, uint64_t hash,
                     int64_t due_ms);

#endif
