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
#include <sys/stat.h>

struct outfile;

/* Appends (mode 0600: it holds participants' data), on a line of its own
 * even if a run before was killed in the middle of one.  NULL after
 * logging why not. */
struct outfile *outfile_open (const char *path);
/* fsync and close; -1 after logging if anything is not on disk. */
int outfile_close (struct outfile *outfile);            /* NULL is fine */

/* Lines with their line breaks, or a part of one too long to hold, whole
 * or not at all: -1 (logged the first time) if it could not be written;
 * what was added before is. */
int outfile_add (struct outfile *outfile, const void *data, size_t len);
/* It is the regular file that status is of. */
bool outfile_is (const struct outfile *outfile, const struct stat *status);
bool outfile_is_same (const struct outfile *a, const struct outfile *b);

#endif
