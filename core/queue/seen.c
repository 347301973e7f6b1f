/* seen.c - where the ids of a window were put.
 *
 * 256 open-addressed tables, each of which grows by half for itself: no
 * moment at which twice the memory is needed, none that takes long.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue/seen.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

enum { SEEN_PARTS = 256, PART_LEAST = 16 };

struct seen_entry {
  uint32_t mark;                /* of the hash; 0: a free place */
  uint32_t seq;                 /* the lower half */
};

struct seen_part {
  struct seen_entry *entries;
  uint32_t size, n;
};

struct seen {
  struct seen_part parts[SEEN_PARTS];
  uint64_t last_seq;            /* the highest put */
  uint64_t first_seq;           /* the lowest that counts */
};

struct seen *
seen_new (void)
{
  return memory_zeroed (1, sizeof (struct seen));
}

void
seen_free (struct seen *seen)
{
  if (seen == NULL)
    return;
  for (size_t i = 0; i < SEEN_PARTS; i++)
    free (seen->parts[i].entries);
  free (seen);
}

/* The lower bits choose the part, the upper ones the place in it; the mark
 * is never 0. */
static uint32_t
seen_mark (uint64_t hash)
{
  return (uint32_t) (hash >> 8) | 1;
}

static uint32_t
part_home (const struct seen_part *part, uint32_t mark)
{
  return (uint32_t) (((uint64_t) (mark * 0x9e3779b1u) * part->size) >> 32);
}

static bool
entry_is_free (const struct seen_entry *entry)
{
  return entry->mark == 0;
}

/* The number whose lower half this is: the highest not above the last. */
static uint64_t
seen_whole (const struct seen *seen, uint32_t low)
{
  uint32_t back = (uint32_t) seen->last_seq - low;

  return seen->last_seq >= back ? seen->last_seq - back : 0;
}

static void
part_add (struct seen_part *part, struct seen_entry entry)
{
  uint32_t k = part_home (part, entry.mark);

  while (!entry_is_free (&part->entries[k]))
    if (++k == part->size)
      k = 0;
  part->entries[k] = entry;
  part->n++;
}

/* Leaves out what counts no longer, and grows only if that is not enough. */
static void
part_resize (struct seen *seen, struct seen_part *part)
{
  struct seen_part old = *part;
  uint32_t n = 0;

  for (uint32_t k = 0; k < old.size; k++)
    if (!entry_is_free (&old.entries[k])
        && seen_whole (seen, old.entries[k].seq) >= seen->first_seq)
      n++;
  if (n >= old.size / 2)
    part->size = old.size + old.size / 2;
  if (part->size < PART_LEAST)
    part->size = PART_LEAST;
  part->entries = memory_zeroed (part->size, sizeof *part->entries);
  part->n = 0;
  for (uint32_t k = 0; k < old.size; k++)
    if (!entry_is_free (&old.entries[k])
        && seen_whole (seen, old.entries[k].seq) >= seen->first_seq)
      part_add (part, old.entries[k]);
  free (old.entries);
}

void
seen_add (struct seen *seen, uint64_t hash, uint64_t seq)
{
  struct seen_part *part = &seen->parts[hash % SEEN_PARTS];
  struct seen_entry entry = { seen_mark (hash), (uint32_t) seq };

  if (seq > seen->last_seq)
    seen->last_seq = seq;
  if (part->n >= part->size - part->size / 5)
    part_resize (seen, part);
  part_add (part, entry);
}

/* Those behind the gap move up, so that no search ends too early. */
static void
part_close_gap (struct seen_part *part, uint32_t gap)
{
  static const struct seen_entry none;
  uint32_t k = gap;

  for (;;) {
    uint32_t home, moved, gone;

    k = k + 1 < part->size ? k + 1 : 0;
    if (entry_is_free (&part->entries[k]))
      break;
    home = part_home (part, part->entries[k].mark);
    moved = k >= home ? k - home : k + part->size - home;
    gone = k >= gap ? k - gap : k + part->size - gap;
    if (moved < gone)
      continue;
    part->entries[gap] = part->entries[k];
    gap = k;
  }
  part->entries[gap] = none;
  part->n--;
}

void
seen_remove (struct seen *seen, uint64_t hash, uint64_t seq)
{
  struct seen_part *part = &seen->parts[hash % SEEN_PARTS];
  uint32_t mark = seen_mark (hash), k;

  if (part->size == 0)
    return;
  for (k = part_home (part, mark); !entry_is_free (&part->entries[k]);
       k = k + 1 < part->size ? k + 1 : 0)
    if (part->entries[k].mark == mark
        && part->entries[k].seq == (uint32_t) seq) {
      part_close_gap (part, k);
      return;
    }
}

uint64_t
seen_at (const struct seen *seen, uint64_t hash, size_t k)
{
  const struct seen_part *part = &seen->parts[hash % SEEN_PARTS];
  uint32_t mark = seen_mark (hash), place;

  if (part->size == 0)
    return 0;
  for (place = part_home (part, mark); !entry_is_free (&part->entries[place]);
       place = place + 1 < part->size ? place + 1 : 0) {
    uint64_t seq;

    if (part->entries[place].mark != mark)
      continue;
    seq = seen_whole (seen, part->entries[place].seq);
    if (seq >= seen->first_seq && seq > 0 && k-- == 0)
      return seq;
  }
  return 0;
}

void
seen_forget_before (struct seen *seen, uint64_t seq)
{
  if (seq > seen->first_seq)
    seen->first_seq = seq;
}

size_t
seen_bytes (const struct seen *seen)
{
  size_t bytes = sizeof *seen;

  for (size_t i = 0; i < SEEN_PARTS; i++)
    bytes += seen->parts[i].size * sizeof *seen->parts[i].entries;
  return bytes;
}
