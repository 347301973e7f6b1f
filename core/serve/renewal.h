/* renewal.h - what became of a reload, in a file for who asked for it.
 *
 * RUN/reload.json: {"begun": 3, "done": 3, "result": "partly",
 * "changed": ["..."], "kept": ["..."]}.  Reloads are counted, so that who
 * sends a signal knows which one is to be waited for: the first that
 * begins after it.  result is "done", "partly" (some of it stays as it
 * was, and kept says why) or "failed" (all of it does).
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_RENEWAL_H
#define HERALD_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json_doc.h"

struct renewal;

/* The supervisor's end.  A supervisor that starts counts as a reload. */
struct renewal *renewal_new (const char *run_directory);
void renewal_free (struct renewal *renewal);    /* NULL is fine */

void renewal_begin (struct renewal *renewal);
void renewal_changed (struct renewal *renewal, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));
void renewal_kept (struct renewal *renewal, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));
void renewal_end (struct renewal *renewal, bool is_failed);
/* In numbers, since it began. */
unsigned renewal_n_changed (const struct renewal *renewal);
unsigned renewal_n_kept (const struct renewal *renewal);

/* The other end: the whole file, or NULL. */
struct json_doc *renewal_read (const char *run_directory);

#endif
