/* gate.c - how many transfers start at once.
 *
 * SPDX-License-Identifier: MIT
 */

#include "gate.h"

enum { GATE_PLACES = 16, GATE_PLACE_US = 40000 };

static void
line_add (struct gate_line *line, struct gate_place *place)
{
  place->line = line;
  place->next = NULL;
  place->prev = line->last;
  if (line->last)
    line->last->next = place;
  else
    line->first = place;
  line->last = place;
  line->n++;
}

void
gate_leave (struct gate_place *place)
{
  struct gate_line *line = place->line;

  if (!line)
    return;
  if (place->prev)
    place->prev->next = place->next;
  else
    line->first = place->next;
  if (place->next)
    place->next->prev = place->prev;
  else
    line->last = place->prev;
  place->line = NULL;
  line->n--;
}

void
gate_wait (struct gate *gate, struct gate_place *place)
{
  line_add (&gate->waiting, place);
}

struct transfer *
gate_admit (struct gate *gate, int64_t now_us)
{
  struct gate_place *place = gate->waiting.first;

  if (!place)
    return NULL;
  if (gate->starting.n >= GATE_PLACES) {
    if (gate->starting.first->until_us > now_us)
      return NULL;
    gate_leave (gate->starting.first);
  }
  gate_leave (place);
  place->until_us = now_us + GATE_PLACE_US;
  line_add (&gate->starting, place);
  return place->transfer;
}

bool
gate_is_empty (const struct gate *gate)
{
  return gate->waiting.n == 0;
}

int64_t
gate_opens_us (const struct gate *gate)
{
  return gate->starting.first ? gate->starting.first->until_us : 0;
}
