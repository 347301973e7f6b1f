/* lane_order.c - how deliveries leave a lane, and who goes next.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "lane_state.h"

static const char behind[] = "waits for an earlier one of its order key";

void
lane_read_order_key (struct lane *lane, struct delivery *delivery)
{
  const struct integration *integration = lane->integration;
  const struct herald_field *field = integration->order_key;
  const char *name = settings_text (integration->settings, field->name);
  struct buf key;

  if (name == NULL)
    return;
  buf_init (&key, 0);
  if (field->type == HERALD_TARGET)
    mapping_add_text (integration->descriptor->mapping, name,
                      delivery->event, &key);
  else
    event_add_field_text (delivery->event, name, strlen (name), &key);
  if (key.len > 0) {
    if (field->flags & HERALD_FOLD_CASE)
      text_fold (key.data);
    delivery->order_hash = keyring_hash (key.data);
  }
  buf_done (&key);
}

/* From here on it is the owner's again. */
static void
lane_hand_over (struct lane *lane, struct delivery *delivery,
                const struct delivery_result *result)
{
  struct stats *stats = &lane->stats;

  switch (result->end) {
  case DELIVERY_DELIVERED:
    stats->delivered++;
    break;
  case DELIVERY_REJECTED:
    stats->rejected++;
    stats_reason (stats, result->reason);
    break;
  case DELIVERY_UNDELIVERED:
    stats->undelivered++;
    stats_reason (stats, result->reason);
    break;
  case DELIVERY_LATER:
    if (result->latency_us >= 0)
      stats->retried++;
    break;
  case DELIVERY_BACK:
    break;
  }
  lane->n_held--;
  lane->settled (lane->data, delivery, result);
}

/* A list by next, none of which was tried. */
static void
lane_hand_over_all (struct lane *lane, struct delivery *list,
                    enum keyring_answer how, int64_t due_ms,
                    const char *reason)
{
  struct delivery_result result = {
    .end = how == KEYRING_LATER ? DELIVERY_LATER : DELIVERY_BACK,
    .due_ms = how == KEYRING_LATER ? due_ms : 0,
    .latency_us = -1,
    .reason = reason,
    .reference = "",
  };

  while (list != NULL) {
    struct delivery *delivery = list;

    list = delivery->next;
    lane_hand_over (lane, delivery, &result);
  }
}

bool
lane_takes_key (struct lane *lane, struct delivery *delivery)
{
  enum keyring_answer answer;
  int64_t due_ms = 0;

  answer = keyring_hold (lane->keyring, delivery, date_now_ms (), &due_ms);
  if (answer == KEYRING_LATER || answer == KEYRING_BACK)
    lane_hand_over_all (lane, delivery, answer, due_ms,
                        behind);
  return answer == KEYRING_GO;
}

void
lane_leave (struct lane *lane, struct delivery *delivery,
            const struct delivery_result *result)
{
  struct keyring_next next = { .next = NULL };

  if (delivery->order_hash != 0)
    switch (result->end) {
    case DELIVERY_LATER:
      keyring_release_later (lane->keyring, delivery, result->due_ms, &next);
      break;
    case DELIVERY_BACK:
      keyring_release_back (lane->keyring, delivery, &next);
      break;
    case DELIVERY_DELIVERED:
    case DELIVERY_REJECTED:
    case DELIVERY_UNDELIVERED:
      keyring_release (lane->keyring, delivery, date_now_ms (), &next);
      break;
    }
  lane_hand_over (lane, delivery, result);
  lane_hand_over_all (lane, next.later, KEYRING_LATER, next.due_ms, behind);
  lane_hand_over_all (lane, next.back, KEYRING_BACK, 0, behind);
  if (next.next != NULL)
    shelf_put (lane->shelf, next.next, loop_now_us (lane->loop));
}

/* Without a store they move up one by one, as those before them leave. */
void
lane_clear_lines (struct lane *lane, const char *reason)
{
  if (lane->keyring != NULL && lane->has_store)
    lane_hand_over_all (lane, keyring_drain (lane->keyring),
                        KEYRING_BACK, 0, reason);
}
