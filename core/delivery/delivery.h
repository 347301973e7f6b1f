/* delivery.h - the duty to hand one event to one integration.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DELIVERY_H
#define HERALD_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "event/event.h"

struct consignment;
struct lane;

struct delivery {
  struct delivery *next;        /* in the one line it stands in */
  struct consignment *consignment;      /* all deliveries of its event */
  struct event *event;          /* the consignment's */
  struct lane *lane;
  char id[CRYPTO_UUID_LEN + 1]; /* of event and integration, for ever */
  uint32_t attempts;            /* made so far */
  uint32_t n_faults;            /* of the plugin; after one it goes alone */
  uint64_t place;               /* in the lane, as it was admitted */
  uint64_t alike;               /* job_alike () */
  uint64_t to_hash;             /* of a mailer: the address; 0: not looked */
  char *order_key;              /* NULL: no order to keep; freed by the lane */
  int64_t first_us;             /* when it was first tried; 0: not yet */
  int64_t due_us;               /* of the next attempt */
};

/* How a delivery ended, as far as this process is concerned. */
enum delivery_end {
  DELIVERY_DELIVERED,
  DELIVERY_REJECTED,            /* sending it again as it is won't help */
  DELIVERY_UNDELIVERED          /* the lane is blocked, patience or the
                                   schedule is at its end, or a stop */
};

/* The id: the same for the same event (source and id) and integration. */
void delivery_make_id (struct delivery *delivery, const char *integration);

#endif
