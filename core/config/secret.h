/* secret.h - where a setting's value comes from: file, env, credential.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SECRET_H
#define HERALD_SECRET_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_MAX_LEN = 64 * 1024 };

/* from="file": path, relative to dir if not absolute; others may not read
 * it.  from="env": the variable's name.  from="credential": the name of a
 * file in $CREDENTIALS_DIRECTORY (systemd).  One trailing line break is
 * dropped.  malloc'd; NULL with a reason that names the source and what to
 * do, never the value.  Refused: empty, NUL bytes, not UTF-8, too long.
 * is_elsewhere: a process of the service may have it, this one does not:
 * the variable is not set, or it has no credentials. */
char *secret_read (const char *from, const char *where, const char *dir,
                   bool *ret_is_elsewhere, char *ret_reason, size_t size);

#endif
