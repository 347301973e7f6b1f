/* shelf.c - deliveries that may go, sorted into what may share a job.
 *
 * SPDX-License-Identifier: MIT
 */

#include "shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SHELF_SLOTS = 1024 };

struct line {
  struct pile *first, *last;
};

struct pile {
  struct pile *chain;           /* in its slot */
  struct line *line;
  struct pile *before, *after;  /* in the line */
  uint64_t alike;
  int64_t since_us;             /* when it began to wait */
  struct delivery *first, **end;
  size_t n;
};

struct shelf {
  uint32_t batch;
  int64_t wait_us;
  bool is_flushed;
  bool was_urgent;              /* what was taken last */
  size_t n;
  struct line urgent;           /* these go at once */
  struct line waiting;          /* by age, for company */
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

static void
pile_line_up (struct pile *pile, struct line *line, bool is_first)
{
  pile->line = line;
  pile->before = is_first ? NULL : line->last;
  pile->after = is_first ? line->first : NULL;
  if (pile->before != NULL)
    pile->before->after = pile;
  else
    line->first = pile;
  if (pile->after != NULL)
    pile->after->before = pile;
  else
    line->last = pile;
}

static void
pile_step_out (struct pile *pile)
{
  if (pile->before != NULL)
    pile->before->after = pile->after;
  else
    pile->line->first = pile->after;
  if (pile->after != NULL)
    pile->after->before = pile->before;
  else
    pile->line->last = pile->before;
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
  pile_line_up (pile, &shelf->waiting, false);
  return pile;
}

static void
shelf_remove (struct shelf *shelf, struct pile *pile)
{
  struct pile **link = shelf_slot (shelf, pile->alike);

  while (*link != pile)
    link = &(*link)->chain;
  *link = pile->chain;
  pile_step_out (pile);
  free (pile);
}

static void
shelf_hurry (struct shelf *shelf, struct pile *pile)
{
  pile_step_out (pile);
  pile_line_up (pile, &shelf->urgent, true);
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

/* What is urgent goes first; but what has waited its time takes turns with
 * it, or much of one kind would hold up all others for as long as it comes. */
static struct pile *
shelf_choose (struct shelf *shelf, int64_t now_us)
{
  struct pile *waiting = shelf->waiting.first;
  bool is_over = waiting != NULL
                 && (shelf->is_flushed
                     || waiting->since_us + shelf->wait_us <= now_us);

  shelf->was_urgent = shelf->urgent.first != NULL
                      && !(is_over && shelf->was_urgent);
  if (shelf->was_urgent)
    return shelf->urgent.first;
  return is_over ? waiting : NULL;
}

struct delivery *
shelf_take (struct shelf *shelf, int64_t now_us, size_t *ret_n)
{
  struct pile *pile = shelf_choose (shelf, now_us);
  struct delivery *list = NULL, **end = &list, **link;
  size_t n = 0, seen = 0;

  if (pile == NULL)
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
  else {
    pile->since_us = now_us;
    pile_step_out (pile);
    pile_line_up (pile, pile->n < shelf->batch ? &shelf->waiting
                                               : &shelf->urgent, false);
  }
  *ret_n = n;
  return list;
}

struct delivery *
shelf_take_any (struct shelf *shelf)
{
  struct pile *pile = shelf->urgent.first != NULL ? shelf->urgent.first
                                                  : shelf->waiting.first;
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
  const struct pile *pile = shelf->waiting.first;

  if (shelf->n == 0)
    return -1;
  if (shelf->is_flushed || shelf->urgent.first != NULL)
    return 0;
  return pile->since_us + shelf->wait_us;
}
