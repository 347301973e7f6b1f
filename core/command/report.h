/* report.h - what a send has come to, for people and for machines.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_REPORT_H
#define HERALD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "delivery/dispatcher.h"

struct report {
  const struct dispatcher *dispatcher;
  uint64_t events;              /* taken in */
  uint64_t no_match;            /* of these no integration wanted */
  uint64_t bad_lines;
  uint64_t not_offered;         /* read, but herald was stopped before */
  uint64_t unsent;              /* events with something undelivered */
  bool is_stopped;
  int64_t elapsed_us;
};

void report_print (const struct report *report);
void report_print_json (const struct report *report);
/* Everything was delivered, nothing was refused. */
bool report_is_all (const struct report *report);

#endif
