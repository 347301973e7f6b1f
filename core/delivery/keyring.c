/* keyring.c - order keys: deliveries of the same key go one by one.
 *
 * SPDX-License-Identifier: MIT
 */

#include "keyring.h"

#include <stdlib.h>

#include "base/memory.h"
#include "waiting.h"

enum {
  KEYRING_SLOTS = 4096,         /* a lane holds about as many deliveries */
  KEYRING_BACK_MS = 2000,       /* the store takes something back so soon */
  KEYRING_MISSES = 6,           /* 1 + 2 + 4 + ... s past its time, or ... */
  KEYRING_LOST_MS = 600000      /* so long: it won't come any more */
};

struct key {
  struct key *chain;            /* in its slot */
  uint64_t hash;
  const struct delivery *holder;
  struct delivery *first, *last;        /* in line, by seq */
};

struct keyring {
  size_t n_keys;
  struct waiting *waiting;
  struct key *slots[KEYRING_SLOTS];
};

struct keyring *
keyring_new (void)
{
  struct keyring *keyring = memory_zeroed (1, sizeof *keyring);

  keyring->waiting = waiting_new ();
  return keyring;
}

void
keyring_free (struct keyring *keyring)
{
  if (keyring == NULL)
    return;
  waiting_free (keyring->waiting);
  free (keyring);
}

uint64_t
keyring_hash (const char *text)
{
  uint64_t hash = 14695981039346656037u;

  for (const char *p = text; *p != '\0'; p++)
    hash = (hash ^ (unsigned char) *p) * 1099511628211u;
  return hash != 0 ? hash : 1;
}

static struct key **
keyring_find (struct keyring *keyring, uint64_t hash)
{
  struct key **link = &keyring->slots[(hash >> 20) % KEYRING_SLOTS];

  while (*link != NULL && (*link)->hash != hash)
    link = &(*link)->chain;
  return link;
}

static void
keyring_drop (struct keyring *keyring, struct key **link)
{
  struct key *key = *link;

  *link = key->chain;
  keyring->n_keys--;
  free (key);
}

/* Mostly it belongs at the end. */
static void
key_line_up (struct key *key, struct delivery *delivery)
{
  struct delivery **link = &key->first;

  if (key->last != NULL && key->last->seq <= delivery->seq)
    link = &key->last->next;
  else
    while (*link != NULL && (*link)->seq <= delivery->seq)
      link = &(*link)->next;
  delivery->next = *link;
  *link = delivery;
  if (delivery->next == NULL)
    key->last = delivery;
}

/* Must whoever has this number make way for one that waits in the store?
 * One whose time has come is on its way here: the store hands it out before
 * anything behind it.  But it may be a moment until the store has it, and
 * it may be gone (forgotten, purged), so nobody waits for it for ever. */
static enum keyring_answer
keyring_ask (struct keyring *keyring, uint64_t hash, uint64_t seq,
             int64_t now_ms, int64_t *ret_due_ms)
{
  struct wait *first;

  while ((first = waiting_first (keyring->waiting, hash)) != NULL
         && first->seq < seq) {
    int64_t late_ms = now_ms - (int64_t) first->due_ms;

    *ret_due_ms = (int64_t) first->due_ms;
    if (!first->is_back && late_ms < 0)
      return KEYRING_LATER;
    if (first->is_back && late_ms < KEYRING_BACK_MS)
      return KEYRING_BACK;
    if (late_ms < KEYRING_LOST_MS && first->misses < KEYRING_MISSES) {
      *ret_due_ms = now_ms + (1000LL << first->misses++);
      first->due_ms = (uint64_t) *ret_due_ms;
      first->is_back = false;
      return KEYRING_LATER;
    }
    waiting_remove (keyring->waiting, hash, first->seq);
  }
  return KEYRING_GO;
}

enum keyring_answer
keyring_hold (struct keyring *keyring, struct delivery *delivery,
              int64_t now_ms, int64_t *ret_due_ms)
{
  struct key **link = keyring_find (keyring, delivery->order_hash), *key;
  enum keyring_answer answer;
  int64_t due_ms = now_ms;

  if (waiting_count (keyring->waiting) > 0)
    waiting_remove (keyring->waiting, delivery->order_hash, delivery->seq);
  if (*link != NULL) {
    key_line_up (*link, delivery);
    return KEYRING_WAIT;
  }
  if (waiting_count (keyring->waiting) > 0) {
    answer = keyring_ask (keyring, delivery->order_hash, delivery->seq,
                          now_ms, &due_ms);
    if (answer != KEYRING_GO) {
      *ret_due_ms = due_ms;
      waiting_put (keyring->waiting, delivery->order_hash, delivery->seq,
                   due_ms, answer == KEYRING_BACK);
      return answer;
    }
  }
  key = memory_zeroed (1, sizeof *key);
  key->hash = delivery->order_hash;
  key->holder = delivery;
  *link = key;
  keyring->n_keys++;
  return KEYRING_GO;
}

/* The key is nobody's any more: its line leaves for the store. */
static void
keyring_dissolve (struct keyring *keyring, struct key **link,
                  struct keyring_next *next)
{
  struct key *key = *link;

  for (struct delivery *d = key->first; d != NULL; d = d->next)
    waiting_put (keyring->waiting, key->hash, d->seq, next->due_ms,
                 next->how == KEYRING_BACK);
  next->leaving = key->first;
  keyring_drop (keyring, link);
}

void
keyring_release (struct keyring *keyring, const struct delivery *delivery,
                 int64_t now_ms, struct keyring_next *ret_next)
{
  struct key **link = keyring_find (keyring, delivery->order_hash);
  struct key *key = *link;

  *ret_next = (struct keyring_next) { .how = KEYRING_GO, .due_ms = now_ms };
  if (key == NULL || key->holder != delivery)
    return;
  if (key->first == NULL) {
    keyring_drop (keyring, link);
    return;
  }
  if (waiting_count (keyring->waiting) > 0)
    ret_next->how = keyring_ask (keyring, key->hash, key->first->seq, now_ms,
                                 &ret_next->due_ms);
  if (ret_next->how != KEYRING_GO) {
    keyring_dissolve (keyring, link, ret_next);
    return;
  }
  ret_next->next = key->first;
  key->holder = key->first;
  key->first = key->first->next;
  if (key->first == NULL)
    key->last = NULL;
  ret_next->next->next = NULL;
}

static void
keyring_release_as (struct keyring *keyring, const struct delivery *delivery,
                    enum keyring_answer how, int64_t due_ms,
                    struct keyring_next *ret_next)
{
  struct key **link = keyring_find (keyring, delivery->order_hash);

  *ret_next = (struct keyring_next) { .how = how, .due_ms = due_ms };
  waiting_put (keyring->waiting, delivery->order_hash, delivery->seq, due_ms,
               how == KEYRING_BACK);
  if (*link != NULL && (*link)->holder == delivery)
    keyring_dissolve (keyring, link, ret_next);
}

void
keyring_release_later (struct keyring *keyring,
                       const struct delivery *delivery, int64_t due_ms,
                       struct keyring_next *ret_next)
{
  keyring_release_as (keyring, delivery, KEYRING_LATER, due_ms, ret_next);
}

void
keyring_release_back (struct keyring *keyring,
                      const struct delivery *delivery, int64_t now_ms,
                      struct keyring_next *ret_next)
{
  keyring_release_as (keyring, delivery, KEYRING_BACK, now_ms, ret_next);
}

struct delivery *
keyring_drain (struct keyring *keyring, int64_t now_ms)
{
  struct delivery *list = NULL, **end = &list;

  for (size_t i = 0; keyring->n_keys > 0 && i < KEYRING_SLOTS; i++)
    for (struct key *key = keyring->slots[i]; key != NULL; key = key->chain) {
      *end = key->first;
      for (; *end != NULL; end = &(*end)->next)
        waiting_put (keyring->waiting, key->hash, (*end)->seq, now_ms, true);
      key->first = key->last = NULL;
    }
  return list;
}

void
keyring_expect (struct keyring *keyring, uint64_t seq, uint64_t hash,
                int64_t due_ms)
{
  if (hash != 0)
    waiting_put (keyring->waiting, hash, seq, due_ms, false);
}

void
keyring_expect_not (struct keyring *keyring, uint64_t seq, uint64_t hash)
{
  waiting_remove (keyring->waiting, hash, seq);
}
