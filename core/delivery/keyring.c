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
  KEYRING_MISSES = 6,           /* with 1, 2, 4 ... s in between */
  KEYRING_BACK_MISSES = 20,     /* of one that was given back, and ... */
  KEYRING_BACK_MS = 5000        /* ... for so long */
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

/* It is here, and waits in the store no more. */
static void
keyring_meet (struct keyring *keyring, struct delivery *delivery)
{
  if (waiting_count (keyring->waiting) > 0)
    waiting_remove (keyring->waiting, delivery->order_hash, delivery->seq,
                    &delivery->waited_ms);
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

/* Its time has come, and something behind it is here before it.  It is on
 * its way: what comes behind leaves for a moment.  Or it is gone (forgotten,
 * purged), so it is not waited for for ever.
 *
 * The store hands out what has no time last.  So what comes behind such a
 * one must get no time, and goes back as it was. */
static enum keyring_answer
wait_miss (struct wait *wait, int64_t now_ms, int64_t *ret_due_ms)
{
  if (!wait->is_back) {
    if (wait->misses == KEYRING_MISSES)
      return KEYRING_GO;
    wait->due_ms = (uint64_t) now_ms + (1000u << wait->misses++);
    *ret_due_ms = (int64_t) wait->due_ms;
    return KEYRING_LATER;
  }
  if (wait->misses == 0)
    wait->due_ms = (uint64_t) now_ms;
  if (wait->misses < KEYRING_BACK_MISSES)
    wait->misses++;
  else if (now_ms - (int64_t) wait->due_ms > KEYRING_BACK_MS)
    return KEYRING_GO;
  return KEYRING_BACK;
}

/* Must whoever has this number make way for one that waits in the
 * store? */
static enum keyring_answer
keyring_ask (struct keyring *keyring, uint64_t hash, uint64_t seq,
             int64_t now_ms, int64_t *ret_due_ms)
{
  enum keyring_answer answer;
  struct wait *first;
  int64_t gone_ms;

  while ((first = waiting_first (keyring->waiting, hash)) != NULL
         && first->seq < seq) {
    if (!first->is_back && (int64_t) first->due_ms > now_ms) {
      *ret_due_ms = (int64_t) first->due_ms;
      return KEYRING_LATER;
    }
    answer = wait_miss (first, now_ms, ret_due_ms);
    if (answer != KEYRING_GO)
      return answer;
    waiting_remove (keyring->waiting, hash, first->seq, &gone_ms);
  }
  return KEYRING_GO;
}

/* Into the store it goes, LATER or BACK.  What comes behind one without a
 * time gets none. */
static enum keyring_answer
keyring_put (struct keyring *keyring, const struct delivery *delivery,
             enum keyring_answer how, int64_t due_ms)
{
  const struct wait *before = waiting_before (
    keyring->waiting, delivery->order_hash, delivery->seq);

  if (before != NULL && before->is_back)
    how = KEYRING_BACK;
  waiting_put (keyring->waiting, delivery->order_hash, delivery->seq,
               how == KEYRING_BACK ? delivery->waited_ms : due_ms);
  return how;
}

enum keyring_answer
keyring_hold (struct keyring *keyring, struct delivery *delivery,
              int64_t now_ms, int64_t *ret_due_ms)
{
  struct key **link = keyring_find (keyring, delivery->order_hash), *key;
  enum keyring_answer answer;

  keyring_meet (keyring, delivery);
  if (*link != NULL) {
    key_line_up (*link, delivery);
    return KEYRING_WAIT;
  }
  if (waiting_count (keyring->waiting) > 0) {
    answer = keyring_ask (keyring, delivery->order_hash, delivery->seq,
                          now_ms, ret_due_ms);
    if (answer != KEYRING_GO)
      return keyring_put (keyring, delivery, answer, *ret_due_ms);
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
                  enum keyring_answer how, struct keyring_next *next)
{
  struct delivery **later = &next->later, **back = &next->back;

  for (struct delivery *d = (*link)->first; d != NULL; d = d->next)
    if (keyring_put (keyring, d, how, next->due_ms) == KEYRING_LATER) {
      *later = d;
      later = &d->next;
    } else {
      *back = d;
      back = &d->next;
    }
  *later = *back = NULL;
  keyring_drop (keyring, link);
}

void
keyring_release (struct keyring *keyring, const struct delivery *delivery,
                 int64_t now_ms, struct keyring_next *ret_next)
{
  struct key **link = keyring_find (keyring, delivery->order_hash);
  enum keyring_answer answer = KEYRING_GO;
  struct key *key = *link;

  *ret_next = (struct keyring_next) { .due_ms = now_ms };
  if (key == NULL || key->holder != delivery)
    return;
  if (key->first == NULL) {
    keyring_drop (keyring, link);
    return;
  }
  if (waiting_count (keyring->waiting) > 0)
    answer = keyring_ask (keyring, key->hash, key->first->seq, now_ms,
                          &ret_next->due_ms);
  if (answer != KEYRING_GO) {
    keyring_dissolve (keyring, link, answer, ret_next);
    return;
  }
  ret_next->next = key->first;
  key->holder = key->first;
  key->first = key->first->next;
  if (key->first == NULL)
    key->last = NULL;
  ret_next->next->next = NULL;
}

void
keyring_release_later (struct keyring *keyring,
                       const struct delivery *delivery, int64_t due_ms,
                       struct keyring_next *ret_next)
{
  struct key **link = keyring_find (keyring, delivery->order_hash);

  *ret_next = (struct keyring_next) { .due_ms = due_ms };
  waiting_put (keyring->waiting, delivery->order_hash, delivery->seq, due_ms);
  if (*link != NULL && (*link)->holder == delivery)
    keyring_dissolve (keyring, link, KEYRING_LATER, ret_next);
}

void
keyring_release_back (struct keyring *keyring, struct delivery *delivery,
                      struct keyring_next *ret_next)
{
  struct key **link = keyring_find (keyring, delivery->order_hash);

  *ret_next = (struct keyring_next) { .next = NULL };
  keyring_meet (keyring, delivery);
  waiting_put (keyring->waiting, delivery->order_hash, delivery->seq,
               delivery->waited_ms);
  if (*link != NULL && (*link)->holder == delivery)
    keyring_dissolve (keyring, link, KEYRING_BACK, ret_next);
}

struct delivery *
keyring_drain (struct keyring *keyring)
{
  struct delivery *list = NULL, **end = &list;

  for (size_t i = 0; keyring->n_keys > 0 && i < KEYRING_SLOTS; i++)
    for (struct key *key = keyring->slots[i]; key != NULL; key = key->chain) {
      *end = key->first;
      for (; *end != NULL; end = &(*end)->next)
        waiting_put (keyring->waiting, key->hash, (*end)->seq,
                     (*end)->waited_ms);
      key->first = key->last = NULL;
    }
  return list;
}

void
keyring_expect (struct keyring *keyring, uint64_t seq, uint64_t hash,
                int64_t due_ms)
{
  if (hash != 0)
    waiting_put (keyring->waiting, hash, seq, due_ms);
}
