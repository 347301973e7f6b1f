/* trust.h - is a file safe to believe?
 *
 * Configuration, secrets and plugins decide what herald does and for
 * whom, so a file is read only if nobody but root and the user herald
 * runs as could have written it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TRUST_H
#define HERALD_TRUST_H

#include <stddef.h>

enum {
  TRUST_DIRECTORY = 1 << 0,     /* path must be a directory, not a file */
  TRUST_PRIVATE = 1 << 1        /* others may not read it either (its group
                                   may) */
};

/* Open path for reading and check, on the descriptor itself: it is of the
 * right kind, its owner is root or the effective user, neither group nor
 * others may write to it (a group that is the owner's own or root is no
 * exception), and the directory it lies in is not writable by others
 * unless sticky.  Returns the descriptor (CLOEXEC), or -1 with a message
 * in ret_reason that names the fault and the command that mends it:
 * "others may write to it; run: chmod o-w conf.d/crm.xml". */
int trust_open (const char *path, unsigned flags, char *ret_reason,
                size_t size);

/* Read such a file whole, at most ceiling bytes.  malloc'd, with a NUL
 * after ret_len bytes; NULL with a reason as above. */
char *trust_read (const char *path, unsigned flags, size_t ceiling,
                  size_t *ret_len, char *ret_reason, size_t size);

#endif
