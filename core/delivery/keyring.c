/* keyring.c - order keys: deliveries of the same key go one by one.
 *
 * SPDX-License-Identifier: MIT
 */

#include "keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { KEYRING_SLOTS = 4096 };  /* a lane holds about as many deliveries */

struct key {
  struct key *next;
  const struct delivery *holder;
  struct delivery *first, **last;       /* waiting */
  char text[];
};

struct keyring {
  struct key *slots[KEYRING_SLOTS];
};

struct keyring *
keyring_new (void)
{
  return memory_zeroed (1, sizeof (struct keyring));
}

void
keyring_free (struct keyring *keyring)
{
  free (keyring);
}

static struct key **
keyring_find (struct keyring *keyring, const char *text)
{
  uint64_t hash = 14695981039346656037u;
  struct key **link;

  for (const char *p = text; *p != '\0'; p++)
    hash = (hash ^ (unsigned char) *p) * 1099511628211u;
  link = &keyring->slots[(hash >> 20) % KEYRING_SLOTS];
  while (*link != NULL && strcmp ((*link)->text, text) != 0)
    link = &(*link)->next;
  return link;
}

bool
keyring_hold (struct keyring *keyring, struct delivery *delivery)
{
  struct key **link = keyring_find (keyring, delivery->order_key);
  size_t len = strlen (delivery->order_key);
  struct key *key = *link;

  if (key != NULL) {
    delivery->next = NULL;
    *key->last = delivery;
    key->last = &delivery->next;
    return false;
  }
  key = memory_zeroed (1, sizeof *key + len + 1);
  memcpy (key->text, delivery->order_key, len + 1);
  key->holder = delivery;
  key->last = &key->first;
  *link = key;
  return true;
}

struct delivery *
keyring_release (struct keyring *keyring, const struct delivery *delivery)
{
  struct key **link = keyring_find (keyring, delivery->order_key);
  struct key *key = *link;
  struct delivery *next;

  if (key == NULL || key->holder != delivery)
    return NULL;
  next = key->first;
  if (next == NULL) {
    *link = key->next;
    free (key);
    return NULL;
  }
  key->first = next->next;
  if (key->first == NULL)
    key->last = &key->first;
  key->holder = next;
  next->next = NULL;
  return next;
}
