/* new_file.h - a file written whole, to be put where it belongs then.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_NEW_FILE_H
#define HERALD_NEW_FILE_H

#include <stddef.h>
#include <sys/stat.h>

/* The whole of data, on disk, in a new file with that mode, whatever the
 * umask; a file that was there before is removed.  -1 with errno, and no
 * file. */
int new_file_write (const char *path, const void *data, size_t len,
                    mode_t mode);
/* A name given or taken is on disk only when its directory is; -1 with
 * errno. */
int new_file_sync_directory (const char *directory);

#endif
