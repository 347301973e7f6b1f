/* lane_mode.c - whether a lane may work, and what keeps it from it.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "lane_state.h"

/* What counts most comes first: whatever else is wrong, a lane that is
 * held stays held. */
static enum lane_state
lane_mode (const struct lane *lane, const char **ret_reason)
{
  *ret_reason = "";
  if (lane->is_stopped) {
    *ret_reason = "herald was stopped";
    return LANE_STOPPED;
  }
  if (lane->is_held) {
    *ret_reason = "paused";
    return LANE_HELD;
  }
  if (lane->blocked != NULL) {
    *ret_reason = lane->blocked;
    return LANE_BLOCKED;
  }
  switch (breaker_state (&lane->breaker, loop_now_us (lane->loop))) {
  case BREAKER_CLOSED:
    return LANE_OPEN;
  case BREAKER_HALF:
    *ret_reason = lane->broken;
    return LANE_TRYING;
  case BREAKER_OPEN:
    break;
  }
  *ret_reason = lane->broken;
  return LANE_BROKEN;
}

void
lane_review (struct lane *lane)
{
  const char *reason;
  enum lane_state state = lane_mode (lane, &reason);

  if (state == lane->state)
    return;
  lane->state = state;
  free (lane->state_reason);
  lane->state_reason = state != LANE_OPEN ? memory_strdup (reason) : NULL;
  if (state != LANE_OPEN)
    lane_empty (lane, lane->state_reason);
}

void
lane_empty (struct lane *lane, const char *reason)
{
  struct delivery *delivery;

  while (lane->again != NULL) {
    struct run *run = lane->again;

    lane->again = run->next;
    for (size_t i = 0; i < run->n; i++)
      lane_send_back (lane, run->deliveries[i], reason);
    run_free (run);
  }
  while ((delivery = shelf_take_any (lane->shelf)) != NULL
         || (delivery = retries_take (&lane->retries, INT64_MAX)) != NULL)
    lane_send_back (lane, delivery, reason);
  lane_clear_lines (lane, reason);
}

void
lane_block (struct lane *lane, const char *why, const char *reason)
{
  char text[400];

  if (lane->blocked != NULL || lane->is_stopped)
    return;
  snprintf (text, sizeof text, "%s%s%s", why, *reason != '\0' ? ": " : "",
            reason);
  lane->blocked = memory_strdup (text);
  log_context (lane->integration->name, NULL);
  log_error ("%s", text);
  log_context (NULL, NULL);
  lane_review (lane);
}

/* After a change from outside. */
static void
lane_go_on (struct lane *lane)
{
  lane_review (lane);
  lane_pump (lane);
  lane_tell (lane);
}

void
lane_park (struct lane *lane, const char *reason)
{
  lane_block (lane, "blocked", reason);
  lane_go_on (lane);
}

void
lane_resume (struct lane *lane)
{
  free (lane->blocked);
  lane->blocked = NULL;
  breaker_reset (&lane->breaker);
  lane_go_on (lane);
}

void
lane_hold (struct lane *lane, bool is_held)
{
  lane->is_held = is_held;
  lane_go_on (lane);
}

void
lane_recall (struct lane *lane, const char *reason)
{
  lane_empty (lane, reason);
  lane_go_on (lane);
}

void
lane_suspend (struct lane *lane, bool is_suspended)
{
  if (is_suspended == lane->is_suspended)
    return;
  lane->is_suspended = is_suspended;
  if (!is_suspended)
    lane_pump (lane);
}

void
lane_stop (struct lane *lane)
{
  /* Why nothing went is worth more than that nothing goes any more. */
  if (lane->blocked != NULL && !lane->has_store)
    return;
  lane->is_stopped = true;
  lane_go_on (lane);
}

const char *
lane_state_name (enum lane_state state)
{
  static const char *const names[] = {
    [LANE_OPEN] = "open",     [LANE_TRYING] = "trying",
    [LANE_BROKEN] = "broken", [LANE_BLOCKED] = "blocked",
    [LANE_HELD] = "paused",   [LANE_STOPPED] = "stopped",
  };

  return (unsigned) state < sizeof names / sizeof names[0] ? names[state]
                                                           : "open";
}
