/* input.h - the events of some files, one after the other.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_INPUT_H
#define HERALD_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "event/stream.h"
#include "outfile.h"

struct input;

struct input_config {
  struct loop *loop;
  char *const *paths;           /* "-": standard input */
  size_t n_paths;
  const char *workspace;        /* of data alone, or NULL */
  bool lends_workspace;         /* to events without one, too */
  size_t max_event;
};

enum input_kind {
  INPUT_EVENT,                  /* item->event is yours */
  INPUT_BAD,
  INPUT_LATER,                  /* nothing now: turn the loop, ask again */
  INPUT_END                     /* of all files */
};

/* Every file is looked at first: NULL after logging which can't be
 * read. */
struct input *input_new (const struct input_config *config);
void input_free (struct input *input);

enum input_kind input_next (struct input *input,
                            struct stream_item *ret_item);
/* Wait for no more from pipes and terminals: what was read is all. */
void input_cut (struct input *input);

/* The name of an input that outfile writes to, which would be read for
 * ever; NULL: none. */
const char *input_same (const struct input *input,
                        const struct outfile *outfile);

const char *input_file (const struct input *input);     /* the present one */
uint64_t input_offset (const struct input *input);      /* of all files */
uint64_t input_size (const struct input *input);        /* 0: not known */
bool input_has_failed (const struct input *input);      /* a read error */

#endif
