/* shelf.h - deliveries that may go, sorted into what may share a job.
 *
 * Mails that differ in more than their recipient can't share one; so
 * there is a pile for each kind, and a pile is ready when it makes a
 * full batch or its oldest has waited long enough.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SHELF_H
#define HERALD_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery.h"

struct shelf;

/* batch: the most of a job; wait_us: how long a smaller one waits. */
struct shelf *shelf_new (uint32_t batch, int64_t wait_us);
/* Must be empty. */
void shelf_free (struct shelf *shelf);

void shelf_put (struct shelf *shelf, struct delivery *delivery,
                int64_t now_us);
/* In front, ready at once: what comes again. */
void shelf_put_back (struct shelf *shelf, struct delivery *delivery);
/* Nothing more will come: nobody waits for company. */
void shelf_flush (struct shelf *shelf);

/* Up to batch deliveries that may share a job, as a list by next, or NULL;
 * one marked by n_faults comes alone; no two with the same to_hash. */
struct delivery *shelf_take (struct shelf *shelf, int64_t now_us,
                             size_t *ret_n);
/* Any one, ready or not: to give all up. */
struct delivery *shelf_take_any (struct shelf *shelf);
/* When the next pile will be ready (0: it is), -1: there is none. */
int64_t shelf_ready_us (const struct shelf *shelf);
size_t shelf_count (const struct shelf *shelf);

#endif
