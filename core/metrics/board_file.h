/* board_file.h - the file of a board: its layout, and who has it.
 *
 * Only for board.c.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_BOARD_FILE_H
#define HERALD_BOARD_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "metrics/board.h"

/* As it lies in the file.  A change of any struct in it is another
 * BOARD_LAYOUT (board_file.c). */
struct board_file {
  uint64_t magic;               /* written last */
  uint32_t layout;
  uint32_t role;
  uint32_t index;
  uint32_t n_lanes;
  uint64_t size;
  struct board_process process;
  union {
    struct board_intake intake;
    struct board_lane lanes[BOARD_LANES];
  } u;
};

size_t board_file_size (enum board_role role);

enum board_file_answer {
  BOARD_FILE_TAKEN,
  BOARD_FILE_HELD,              /* another process writes it */
  BOARD_FILE_NONE               /* it can't be had; the reason says why */
};

/* Lock the file of that role, made or replaced if need be, and map it. */
enum board_file_answer board_file_take (const char *run_directory,
                                        enum board_role role, unsigned index,
                                        struct board_file **ret_file,
                                        int *ret_fd, char *ret_reason,
                                        size_t size);
void board_file_leave (struct board_file *file, int fd);

/* Map one for reading: its descriptor, or -1. */
int board_file_look (const char *run_directory, const char *name,
                     struct board_file **ret_file);
/* The names of what may be boards, sorted; malloc'd, and NULL at the end. */
char **board_file_names (const char *run_directory);

#endif
