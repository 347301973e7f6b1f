/* delivery.h - the duty to hand one event to one integration.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DELIVERY_H
#define HERALD_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/failure_class.h"
#include "event/event.h"

struct consignment;
struct lane;

struct delivery {
  struct delivery *next;        /* in the one line it stands in */
  struct consignment *consignment;      /* all deliveries of its event */
  struct event *event;          /* the consignment's */
  struct lane *lane;
  uint64_t seq;                 /* of the queue, ascending; without a store
                                   the lane's, in the order of admission */
  uint32_t queue_lane;          /* the queue's lane it is settled in; 0:
                                   there is no queue */
  char id[CRYPTO_UUID_LEN + 1]; /* of event and integration, for ever */
  uint32_t attempts;            /* made so far */
  uint32_t n_faults;            /* of the plugin; after one it goes alone */
  uint64_t alike;               /* job_alike () */
  uint64_t to_hash;             /* of a mailer: the address; 0: not looked */
  uint64_t order_hash;          /* of the order key; 0: no order to keep */
  int64_t waited_ms;            /* the time it waited for in the store, if it
                                   has an order to keep; 0: none */
  int64_t first_us;             /* when it was first tried; 0: not yet */
  int64_t due_us;               /* of the next attempt */
};

/* How a delivery left its lane, as far as this process is concerned. */
enum delivery_end {
  DELIVERY_DELIVERED,
  DELIVERY_REJECTED,            /* sending it again as it is won't help */
  DELIVERY_UNDELIVERED,         /* given up: the schedule or patience is at
                                   its end, the plugin failed twice; without
                                   a store also: blocked, or a stop */
  DELIVERY_LATER,               /* with a store only: again at due_ms */
  DELIVERY_BACK                 /* with a store only: not tried, as it was
                                   before it was admitted */
};

struct delivery_result {        /* valid during the call */
  enum delivery_end end;
  enum failure_class class;     /* of the attempt, if it failed */
  int status;                   /* HTTP or SMTP; 0: none */
  int64_t due_ms;               /* of LATER: date_now_ms () time */
  int64_t latency_us;           /* of the attempt; -1: there was none */
  const char *reason;           /* redacted; "" */
  const char *reference;        /* the service's id of it; "" */
};

/* The id: the same for the same event (source and id) and integration. */
void delivery_make_id (struct delivery *delivery, const char *integration);

#endif
