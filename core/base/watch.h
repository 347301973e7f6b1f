/* watch.h - hear that another process has written to a file.
 *
 * inotify or kqueue; elsewhere nobody hears.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_WATCH_H
#define HERALD_WATCH_H

/* A descriptor that becomes readable when anyone writes to the file, and
 * stays so until watch_heard ().  -1 where the system has none to give. */
int watch_open (const char *path);
void watch_heard (int watch_fd);
void watch_close (int watch_fd);        /* -1 is fine */

#endif
