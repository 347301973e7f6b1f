/* ledger_state.h - what the two sides of the ledger share; nobody else
 * includes it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LEDGER_STATE_H
#define HERALD_LEDGER_STATE_H

#include <pthread.h>

#include "serve/ledger.h"

enum { LEDGER_NAME = 65, LEDGER_REASON = 256 };

/* From the loop to the thread. */
enum order_kind {
  ORDER_OWN, ORDER_DISOWN, ORDER_WANT, ORDER_UNWANT, ORDER_SETTLE,
  ORDER_NUMBER, ORDER_STOP
};

struct order {
  struct order *next;
  enum order_kind kind;
  struct ledger_lane *lane;
  size_t n, bytes;              /* of WANT; of NUMBER the answer */
  bool is_done;                 /* of NUMBER */
  struct queue_settlement settlement;
  char strings[];               /* its strings */
};

/* From the thread to the loop. */
enum answer_kind {
  ANSWER_OWNED, ANSWER_WAITING, ANSWER_DISOWNED, ANSWER_TAKEN,
  ANSWER_UNWANTED, ANSWER_PAUSED, ANSWER_COMMITTED, ANSWER_TROUBLE
};

struct answer {
  struct answer *next;
  enum answer_kind kind;
  struct ledger_lane *lane;
  size_t n;                     /* items, keys or settlements */
  size_t used, used_bytes;      /* of what was wanted */
  struct queue_item *items;     /* with their bodies, in one block */
  struct ledger_key *keys;
  bool is_paused;
  enum queue_error error;
  char *reason;
};

enum lane_stage { STAGE_AWAITED, STAGE_UNMARKED, STAGE_OURS };

struct ledger_lane {
  struct ledger *ledger;
  char name[LEDGER_NAME];
  /* Of the loop. */
  const struct ledger_client *client;
  void *data;
  bool is_gone;
  size_t asked, asked_bytes;
  /* Of the thread. */
  struct ledger_lane *next;
  enum lane_stage stage;
  bool is_told, is_leaving;
  struct queue_hold hold;       /* as the client knows it */
  uint32_t number;              /* 0: not known yet */
  size_t wanted, wanted_bytes;
  size_t average;               /* bytes of an event, of those taken last */
};

/* What can fail, each told once. */
enum trouble { AT_SETTLE, AT_TAKE, AT_OWN, TROUBLES };

struct ledger {
  struct ledger_config config;
  struct queue *queue;
  pthread_t thread;

  pthread_mutex_t mutex;        /* of what follows */
  pthread_cond_t is_told;       /* a number */
  struct order *orders, **orders_end;
  size_t n_settle_orders, n_other_orders;
  bool is_asleep;
  size_t wake_at;               /* so many settlements wake it */
  struct answer *answers, **answers_end;

  int to_thread[2], to_loop[2]; /* pipes */

  /* Of the loop. */
  size_t n_unsettled, n_leaving;

  /* Of the thread. */
  struct ledger_lane *lanes;
  struct order **pending;       /* settlements */
  size_t n_pending, pending_size;
  int64_t gather_until_us;      /* then they are committed */
  int64_t commit_not_before_us, take_not_before_us;
  int64_t backoff_us;
  int64_t tick_us, tidy_us;
  bool is_stopping, is_broken, is_heard;
  bool has_trouble[TROUBLES];
};

/* ledger_thread.c */
void *ledger_thread (void *data);

enum {
  TICK_US = 500 * 1000,         /* how often lanes are looked at */
  RETRY_US = 100 * 1000         /* after what failed */
};

/* ledger_lanes.c, all on the thread. */
struct answer *ledger_answer_new (enum answer_kind kind,
                                  struct ledger_lane *lane);
/* So much less is wanted, as the answer is to tell.  When the number or the
 * bytes are used up, the other is as well. */
void ledger_use_up (struct ledger_lane *lane, size_t n, size_t bytes,
                    struct answer *answer);
/* What came of it: told when trouble begins, and when it is over. */
void ledger_trouble (struct ledger *ledger, enum trouble where,
                     enum queue_error error);
/* Give back the lanes that are to be, once nothing is pending. */
void ledger_disown_all (struct ledger *ledger);
/* Twice a second: become owner of what others have given back, and look
 * who is paused. */
void ledger_tick (struct ledger *ledger);
/* One round over all lanes; true if there may be more at once. */
bool ledger_take (struct ledger *ledger);

/* ledger.c: hand an answer over; it is the loop's then. */
void ledger_answer (struct ledger *ledger, struct answer *answer);

#endif
