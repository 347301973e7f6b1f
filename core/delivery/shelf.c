/* shelf.c - deliveries that may go, sorted into what may share a job.
 *
 * SPDX-License-Identifier: MIT
 */

#include "shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SHELF_SLOTS = 1024 };

struct pile {
  struct pile *chain;           /* in its slot */
  struct pile *before, *after;  /* in the line */
  uint64_t alike;
  int64_t since_us;             /* when it began; 0: it goes at once */
  struct delivery *first, **end;
  size_t n;
};

struct shelf {
  uint32_t batch;
  int64_t wait_us;
  bool is_flushed;
  size_t n;
  struct pile *first, *last;
  struct pile *slots[SHELF_SLOTS];
};

struct shelf *
shelf_new (uint32_t batch, int64_t wait_us)
{
  struct shelf *shelf = memory_zeroed (1, sizeof *shelf);

  shelf->batch = batch;
  shelf->wait_us = batch > 1 ? wait_us : 0;
  return shelf;
}

void
shelf_free (struct shelf *shelf)
{
  free (shelf);
}

size_t
shelf_count (const struct shelf *shelf)
{
  return shelf->n;
}

void
shelf_flush (struct shelf *shelf)
{
  shelf->is_flushed = true;
}

static struct pile **
shelf_slot (struct shelf *shelf, uint64_t alike)
{
  return &shelf->slots[(alike ^ alike >> 32) % SHELF_SLOTS];
}

/* The line of piles is sorted by urgency: what goes at once is in front,
 * the rest by age behind it. */
static void
shelf_line_up (struct shelf *shelf, struct pile *pile, bool is_urgent)
{
  pile->before = is_urgent ? NULL : shelf->last;
  pile->after = is_urgent ? shelf->first : NULL;
  if (pile->before != NULL)
    pile->before->after = pile;
  else
    shelf->first = pile;
  if (pile->after != NULL)
    pile->after->before = pile;
  else
    shelf->last = pile;
}

static void
shelf_step_out (struct shelf *shelf, struct pile *pile)
{
  if (pile->before != NULL)
    pile->before->after = pile->after;
  else
    shelf->first = pile->after;
  if (pile->after != NULL)
    pile->after->before = pile->before;
  else
    shelf->last = pile->before;
}

static struct pile *
shelf_pile (struct shelf *shelf, uint64_t alike, int64_t now_us)
{
  struct pile **slot = shelf_slot (shelf, alike), *pile;

  for (pile = *slot; pile != NULL; pile = pile->chain)
    if (pile->alike == alike)
      return pile;
  pile = memory_zeroed (1, sizeof *pile);
  pile->alike = alike;
  pile->since_us = now_us;
  pile->end = &pile->first;
  pile->chain = *slot;
  *slot = pile;
  shelf_line_up (shelf, pile, false);
  return pile;
}

static void
shelf_remove (struct shelf *shelf, struct pile *pile)
{
  struct pile **link = shelf_slot (shelf, pile->alike);

  while (*link != pile)
    link = &(*link)->chain;
  *link = pile->chain;
  shelf_step_out (shelf, pile);
  free (pile);
}

static void
shelf_hurry (struct shelf *shelf, struct pile *pile)
{
  pile->since_us = 0;
  shelf_step_out (shelf, pile);
  shelf_line_up (shelf, pile, true);
}

void
shelf_put (struct shelf *shelf, struct delivery *delivery, int64_t now_us)
{
  struct pile *pile = shelf_pile (shelf, delivery->alike, now_us);

  delivery->next = NULL;
  *pile->end = delivery;
  pile->end = &delivery->next;
  shelf->n++;
  if (++pile->n == shelf->batch && shelf->batch > 1)
    shelf_hurry (shelf, pile);
}

void
shelf_put_back (struct shelf *shelf, struct delivery *delivery)
{
  struct pile *pile = shelf_pile (shelf, delivery->alike, 0);

  delivery->next = pile->first;
  pile->first = delivery;
  if (delivery->next == NULL)
    pile->end = &delivery->next;
  shelf->n++;
  pile->n++;
  shelf_hurry (shelf, pile);
}

static struct delivery *
shelf_unlink (struct shelf *shelf, struct pile *pile,
              struct delivery **link)
{
  struct delivery *delivery = *link;

  *link = delivery->next;
  if (*link == NULL)
    pile->end = link;
  delivery->next = NULL;
  pile->n--;
  shelf->n--;
  return delivery;
}

static bool
shelf_has_address (const struct delivery *list, uint64_t to_hash)
{
  if (to_hash == 0)
    return false;
  for (; list != NULL; list = list->next)
    if (list->to_hash == to_hash)
      return true;
  return false;
}

struct delivery *
shelf_take (struct shelf *shelf, int64_t now_us, size_t *ret_n)
{
  struct pile *pile = shelf->first;
  struct delivery *list = NULL, **end = &list, **link;
  size_t n = 0, seen = 0;

  if (pile == NULL || shelf_ready_us (shelf) > now_us)
    return NULL;
  link = &pile->first;
  while (*link != NULL && n < shelf->batch && seen++ < 2 * shelf->batch) {
    bool is_alone = (*link)->n_faults > 0;

    if ((is_alone && n > 0) || shelf_has_address (list, (*link)->to_hash)) {
      link = &(*link)->next;
      continue;
    }
    *end = shelf_unlink (shelf, pile, link);
    end = &(*end)->next;
    n++;
    if (is_alone)
      break;
  }
  if (pile->n == 0)
    shelf_remove (shelf, pile);
  else if (pile->n < shelf->batch) {
    pile->since_us = now_us;
    shelf_step_out (shelf, pile);
    shelf_line_up (shelf, pile, false);
  }
  *ret_n = n;
  return list;
}

struct delivery *
shelf_take_any (struct shelf *shelf)
{
  struct pile *pile = shelf->first;
  struct delivery *delivery;

  if (pile == NULL)
    return NULL;
  delivery = shelf_unlink (shelf, pile, &pile->first);
  if (pile->n == 0)
    shelf_remove (shelf, pile);
  return delivery;
}

int64_t
shelf_ready_us (const struct shelf *shelf)
{
  const struct pile *pile = shelf->first;

  if (pile == NULL)
    return -1;
  if (shelf->is_flushed || pile->since_us == 0)
    return 0;
  return pile->since_us + shelf->wait_us;
}
