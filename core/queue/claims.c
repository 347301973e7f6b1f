/* claims.c - which deliveries this process has in its hands.
 *
 * An open-addressed table: a claim is looked up for every delivery taken
 * and settled.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { CLAIMS_LEAST = 64 };     /* a power of two, as every size */

struct claims {
  struct claim *places;
  size_t size, n;
};

struct claims *
claims_new (void)
{
  struct claims *claims = memory_zeroed (1, sizeof *claims);

  claims->size = CLAIMS_LEAST;
  claims->places = memory_zeroed (claims->size, sizeof *claims->places);
  return claims;
}

void
claims_free (struct claims *claims)
{
  if (claims == NULL)
    return;
  free (claims->places);
  free (claims);
}

static size_t
claims_home (const struct claims *claims, uint32_t lane, uint64_t seq)
{
  uint64_t mixed = (seq + ((uint64_t) lane << 40)) * 0x9e3779b97f4a7c15u;

  return (size_t) (mixed >> 32) & (claims->size - 1);
}

/* The claim, or the free place where it belongs. */
static struct claim *
claims_place (const struct claims *claims, uint32_t lane, uint64_t seq)
{
  size_t k = claims_home (claims, lane, seq);

  while (claims->places[k].lane != 0
         && (claims->places[k].seq != seq || claims->places[k].lane != lane))
    k = (k + 1) & (claims->size - 1);
  return &claims->places[k];
}

struct claim *
claims_find (struct claims *claims, uint32_t lane, uint64_t seq)
{
  struct claim *place = claims_place (claims, lane, seq);

  return place->lane != 0 ? place : NULL;
}

static void
claims_resize (struct claims *claims, size_t size)
{
  struct claim *old = claims->places;
  size_t old_size = claims->size;

  claims->size = size;
  claims->places = memory_zeroed (size, sizeof *claims->places);
  for (size_t k = 0; k < old_size; k++)
    if (old[k].lane != 0)
      *claims_place (claims, old[k].lane, old[k].seq) = old[k];
  free (old);
}

struct claim *
claims_put (struct claims *claims, uint32_t lane, uint64_t seq)
{
  struct claim *place;

  if (claims->n >= claims->size / 2)
    claims_resize (claims, claims->size * 2);
  place = claims_place (claims, lane, seq);
  if (place->lane == 0) {
    claims->n++;
    *place = (struct claim) { .lane = lane, .seq = seq };
  }
  return place;
}

/* The claims behind the gap move up, so that no search ends too early. */
void
claims_remove (struct claims *claims, struct claim *claim)
{
  size_t mask = claims->size - 1;
  size_t gap = (size_t) (claim - claims->places), k = gap;

  claims->n--;
  for (;;) {
    struct claim *next;
    size_t home;

    k = (k + 1) & mask;
    next = &claims->places[k];
    if (next->lane == 0)
      break;
    home = claims_home (claims, next->lane, next->seq);
    if (((k - home) & mask) < ((k - gap) & mask))
      continue;
    claims->places[gap] = *next;
    gap = k;
  }
  memset (&claims->places[gap], 0, sizeof claims->places[gap]);
}

void
claims_remove_lane (struct claims *claims, uint32_t lane)
{
  for (size_t k = 0; k < claims->size; k++)
    if (claims->places[k].lane == lane)
      claims->places[k].lane = 0;
  claims->n = 0;
  for (size_t k = 0; k < claims->size; k++)
    claims->n += claims->places[k].lane != 0;
  /* Whoever is left finds a new home. */
  claims_resize (claims, claims->size);
}

size_t
claims_count (const struct claims *claims)
{
  return claims->n;
}
