/* outfile.h - lines appended to a file that must not get lost.
 *
 * For --rejects and --undelivered: opened before anything is sent, so
 * that a bad path stops the command and not the report; a full disk is
 * told once.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_OUTFILE_H
#define HERALD_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct outfile;

/* Appends (mode 0600: it holds participants' data), on a line of its own
 * even if a run before was killed in the middle of one.  NULL after
 * logging why not. */
struct outfile *outfile_open (const char *path);
/* fsync and close; -1 after logging if anything is not on disk. */
int outfile_close (struct outfile *outfile);            /* NULL is fine */

/* Lines, each with its line break, whole or not at all: -1 (logged the
 * first time) if they could not be written; what was added before is. */
int outfile_add (struct outfile *outfile, const void *data, size_t len);
/* A part of a line, for those too long to hold. */
int outfile_add_part (struct outfile *outfile, const void *data, size_t len);
bool outfile_has_failed (const struct outfile *outfile);
uint64_t outfile_lines (const struct outfile *outfile); /* added */
/* It is the regular file that status is of. */
bool outfile_is (const struct outfile *outfile, const struct stat *status);
bool outfile_is_same (const struct outfile *a, const struct outfile *b);

#endif
