/* store-keeper.c - does to a store and boards what the daemon would.
 *
 *   store-keeper STORE RUN < COMMANDS
 *
 * One command a line, its words parted by tabs; each is answered by a line
 * when it is done.  The boards stay as they are at the end, as after a
 * kill -9.
 *
 *   put ID LANE[,LANE...] BODY         an event of the source "/test"
 *   settle LANE END DUE-MS STATUS REASON REFERENCE VIA
 *                                      the next of the lane, which is taken;
 *                                      END is that of enum queue_end
 *   take LANE                          the next, and keep it
 *   deliver LANE                       what was kept
 *   worker INDEX LANE PROVIDER STATE REASON DELIVERED IN-FLIGHT FAILURE
 *          FOR-MS                      (how long nothing goes)
 *   intake ACCEPTED
 *   beat AGE-MS                        of all boards
 *   end                                of all boards, by themselves
 *   expose                             prints the metrics
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/number.h"
#include "metrics/exposition.h"
#include "metrics/figures.h"
#include "queue/queue.h"

enum { WORDS = 10, BOARDS = 8 };

static struct queue *queue;
static const char *run;
static struct board *boards[BOARDS];
static size_t n_boards;
static uint64_t kept;

static void die (const char *what, const char *why)
  __attribute__ ((__noreturn__));

static void
die (const char *what, const char *why)
{
  fprintf (stderr, "store-keeper: %s: %s\n", what, why);
  exit (1);
}

static int64_t
number (const char *text)
{
  int64_t value;

  if (number_read (text, strlen (text), 0, INT64_MAX, &value) != 0)
    die ("no number", text);
  return value;
}

static uint32_t
lane_of (const char *name)
{
  uint32_t lane = queue_lane (queue, name);

  if (lane == 0)
    die (name, queue_reason (queue));
  return lane;
}

static void
put (char **words)
{
  uint32_t lanes[WORDS];
  struct queue_event event = { .source = "/test", .id = words[1],
                               .body = words[3], .len = strlen (words[3]),
                               .lanes = lanes };
  enum queue_answer answer;

  for (char *name = words[2], *next; name != NULL; name = next) {
    next = strchr (name, ',');
    if (next != NULL)
      *next++ = '\0';
    lanes[event.n_lanes++] = lane_of (name);
  }
  if (queue_put (queue, &event, 1, &answer) != QUEUE_OK
      || answer != QUEUE_ACCEPTED)
    die ("put", queue_reason (queue));
}

static struct queue_item
take (const char *name)
{
  struct queue_item item;
  uint32_t lane = lane_of (name);
  size_t n = 0;

  if (!queue_own (queue, lane)
      || queue_take (queue, lane, INT64_MAX, 1, &item, &n) != QUEUE_OK
      || n != 1)
    die (name, "nothing to take");
  return item;
}

static void
settle (const struct queue_settlement *settlement)
{
  if (queue_settle (queue, settlement, 1) != QUEUE_OK)
    die ("settle", queue_reason (queue));
  queue_disown (queue, settlement->lane);
}

static void
settle_next (char **words)
{
  struct queue_item item = take (words[1]);

  settle (&(struct queue_settlement) {
    .lane = lane_of (words[1]), .seq = item.seq,
    .end = (enum queue_end) number (words[2]), .due_ms = number (words[3]),
    .first_ms = date_now_ms (), .attempts = item.attempts + 1,
    .at_ms = date_now_ms (), .status = (int32_t) number (words[4]),
    .reason = words[5], .reference = words[6], .via = words[7] });
}

static struct board *
board_of (enum board_role role, unsigned index)
{
  char reason[200];

  for (size_t i = 0; i < n_boards; i++)
    if (board_role (boards[i]) == role && board_index (boards[i]) == index)
      return boards[i];
  if (n_boards == BOARDS)
    die ("too many", "boards");
  boards[n_boards] = board_open (run, role, index, reason, sizeof reason);
  if (boards[n_boards] == NULL || *reason != '\0')
    die ("board", reason);
  return boards[n_boards++];
}

static void
worker (char **words)
{
  struct board *board = board_of (BOARD_WORKER, (unsigned) number (words[1]));
  struct board_lane *lane = board_lane (board, words[2], words[3]);
  int64_t until_ms = *words[9] != '\0' ? date_now_ms () + number (words[9]) : 0;

  for (int state = 0; state < BOARD_STATES; state++)
    if (strcmp (board_state_name ((enum board_state) state), words[4]) == 0)
      board_lane_say (lane, (enum board_state) state, until_ms, words[5]);
  board_add (&lane->delivered, (uint64_t) number (words[6]));
  board_add (&lane->retried[FAILURE_SERVER], 1);
  board_set (&lane->in_flight, (uint64_t) number (words[7]));
  for (int64_t i = 0; i < number (words[6]); i++) {
    histogram_add (&lane->latency, 1500 * (i + 1));
    histogram_add (&lane->age, 150000 * (i + 1));
  }
  if (*words[8] != '\0') {
    board_text_set (&lane->failure, words[8]);
    board_set (&lane->failed_ms, (uint64_t) date_now_ms ());
  }
}

static void
intake (char **words)
{
  struct board *board = board_of (BOARD_INTAKE, 0);

  board_add (&board_intake (board)->accepted, (uint64_t) number (words[1]));
  histogram_add (&board_process (board)->commit, 700);
}

static void
expose (void)
{
  struct buf out = BUF_INIT (0);

  exposition_write (&out, run, queue, date_now_ms ());
  fwrite (out.data, 1, out.len, stdout);
  buf_done (&out);
}

static void
obey (char **words)
{
  if (strcmp (words[0], "put") == 0)
    put (words);
  else if (strcmp (words[0], "settle") == 0)
    settle_next (words);
  else if (strcmp (words[0], "take") == 0)
    kept = take (words[1]).seq;
  else if (strcmp (words[0], "deliver") == 0)
    settle (&(struct queue_settlement) {
      .lane = lane_of (words[1]), .seq = kept, .end = QUEUE_DELIVERED,
      .at_ms = date_now_ms (), .attempts = 1, .reason = "", .reference = "",
      .via = "" });
  else if (strcmp (words[0], "worker") == 0)
    worker (words);
  else if (strcmp (words[0], "intake") == 0)
    intake (words);
  else if (strcmp (words[0], "beat") == 0)
    for (size_t i = 0; i < n_boards; i++)
      board_beat (boards[i], date_now_ms () - number (words[1]));
  else if (strcmp (words[0], "end") == 0)
    while (n_boards > 0)
      board_close (boards[--n_boards]);
  else if (strcmp (words[0], "expose") == 0)
    expose ();
  else
    die ("no such command", words[0]);
}

int
main (int argc, char **argv)
{
  const struct queue_config config = {
    .engine = "sqlite", .where = argc > 1 ? argv[1] : "",
    .window_ms = 86400000, .history_ms = 86400000, .history_rows = 100000,
  };
  static char line[1 << 20];
  char reason[300];

  if (argc != 3)
    die ("usage", "store-keeper STORE RUN");
  run = argv[2];
  queue = queue_open (&config, reason, sizeof reason);
  if (queue == NULL)
    die ("store", reason);
  while (fgets (line, sizeof line, stdin) != NULL) {
    char *words[WORDS] = { line };
    size_t n = 1;

    line[strcspn (line, "\n")] = '\0';
    for (char *tab = line; n < WORDS && (tab = strchr (tab, '\t')) != NULL;) {
      *tab++ = '\0';
      words[n++] = tab;
    }
    while (n < WORDS)
      words[n++] = line + strlen (line);
    obey (words);
    printf ("done\n");
    fflush (stdout);
  }
  queue_close (queue);
  return 0;
}
