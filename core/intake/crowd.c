/* crowd.c - who holds how many connections, and who must go.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/crowd.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { CROWD_BUCKETS = 256 };

struct crowd_address {
  struct crowd_address *next;   /* of its bucket */
  uint32_t n;                   /* seats */
  unsigned char key[PEER_KEY_LEN];
};

struct crowd {
  uint32_t most;
  uint32_t n;
  struct seat *first, *last;
  struct crowd_address *buckets[CROWD_BUCKETS];
};

struct crowd *
crowd_new (uint32_t most)
{
  struct crowd *crowd = memory_zeroed (1, sizeof *crowd);

  crowd->most = most;
  return crowd;
}

void
crowd_free (struct crowd *crowd)
{
  free (crowd);
}

/* FNV-1a: nobody gains by filling one bucket of 256, for the whole crowd
 * is bounded. */
static size_t
crowd_bucket (const unsigned char key[PEER_KEY_LEN])
{
  uint32_t hash = 2166136261u;

  for (size_t i = 0; i < PEER_KEY_LEN; i++)
    hash = (hash ^ key[i]) * 16777619u;
  return (hash >> 8) % CROWD_BUCKETS;
}

static struct crowd_address **
crowd_find (struct crowd *crowd, const unsigned char key[PEER_KEY_LEN])
{
  struct crowd_address **at = &crowd->buckets[crowd_bucket (key)];

  while (*at != NULL && memcmp ((*at)->key, key, PEER_KEY_LEN) != 0)
    at = &(*at)->next;
  return at;
}

static void
crowd_append (struct crowd *crowd, struct seat *seat)
{
  seat->next = NULL;
  seat->prev = crowd->last;
  if (crowd->last != NULL)
    crowd->last->next = seat;
  else
    crowd->first = seat;
  crowd->last = seat;
}

static void
crowd_unlink (struct crowd *crowd, struct seat *seat)
{
  if (seat->prev != NULL)
    seat->prev->next = seat->next;
  else
    crowd->first = seat->next;
  if (seat->next != NULL)
    seat->next->prev = seat->prev;
  else
    crowd->last = seat->prev;
}

/* The first seat of an address (NULL: any) that has at least n. */
static struct seat *
crowd_first_of (const struct crowd *crowd,
                const struct crowd_address *address, uint32_t n)
{
  for (struct seat *seat = crowd->first; seat != NULL; seat = seat->next)
    if (!seat->is_held && seat->address->n >= n
        && (address == NULL || seat->address == address))
      return seat;
  return NULL;
}

static uint32_t
crowd_most_seats (const struct crowd *crowd)
{
  uint32_t most = 0;

  for (const struct seat *seat = crowd->first; seat != NULL;
       seat = seat->next)
    if (!seat->is_held && seat->address->n > most)
      most = seat->address->n;
  return most;
}

struct seat *
crowd_victim (const struct crowd *crowd,
              const unsigned char key[PEER_KEY_LEN], bool *ret_is_full)
{
  /* A quarter is out of reach of any one address. */
  uint32_t share = crowd->most - crowd->most / 4;
  const struct crowd_address *own = crowd->buckets[crowd_bucket (key)];
  struct seat *victim = NULL;

  while (own != NULL && memcmp (own->key, key, PEER_KEY_LEN) != 0)
    own = own->next;
  *ret_is_full = false;
  if (own != NULL && own->n >= share)
    victim = crowd_first_of (crowd, own, 1);
  else if (crowd->n >= crowd->most)
    victim = crowd_first_of (crowd, NULL, crowd_most_seats (crowd));
  else
    return NULL;
  *ret_is_full = victim == NULL;
  return victim;
}

void
crowd_enter (struct crowd *crowd, struct seat *seat,
             const unsigned char key[PEER_KEY_LEN])
{
  struct crowd_address **at = crowd_find (crowd, key);

  if (*at == NULL) {
    *at = memory_zeroed (1, sizeof **at);
    memcpy ((*at)->key, key, PEER_KEY_LEN);
  }
  (*at)->n++;
  seat->address = *at;
  seat->is_held = false;
  crowd->n++;
  crowd_append (crowd, seat);
}

void
crowd_leave (struct crowd *crowd, struct seat *seat)
{
  struct crowd_address *address = seat->address;

  crowd_unlink (crowd, seat);
  crowd->n--;
  seat->address = NULL;
  if (--address->n > 0)
    return;
  *crowd_find (crowd, address->key) = address->next;
  free (address);
}

void
crowd_touch (struct crowd *crowd, struct seat *seat)
{
  crowd_unlink (crowd, seat);
  crowd_append (crowd, seat);
}

struct seat *
crowd_first (const struct crowd *crowd)
{
  return crowd->first;
}

size_t
crowd_count (const struct crowd *crowd)
{
  return crowd->n;
}
