/* options.h - the options of a command, declared once: parsed and
 * explained from the same table.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_OPTIONS_H
#define HERALD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
  OPTION_END,
  OPTION_FLAG,                  /* bool *value */
  OPTION_TEXT,                  /* const char **value */
  OPTION_DURATION,              /* int64_t *value, milliseconds */
  OPTION_SIZE                   /* int64_t *value, bytes */
};

struct option_row {
  enum option_kind kind;
  const char *name;             /* "undelivered" */
  char letter;                  /* 'u', or 0 */
  const char *argument;         /* "FILE" */
  const char *help;
  void *value;
};

struct options {
  const char *command;          /* "send" */
  const char *usage;            /* "[options] [FILE...]" */
  const char *about;            /* wrapped when it is printed; a blank
                                   line begins a paragraph */
  int min_operands;
  int max_operands;             /* -1: any number */
  const struct option_row *rows;        /* up to OPTION_END */
  const char *notes;            /* behind the options, or NULL */
};

/* Options may stand before, between and after the operands, "--" ends
 * them.  Operands are moved to the front of argv[0...]; *ret_n is their
 * number.  argv[0] is the first argument, not the program.  False: there
 * is nothing more to do, and *ret_status is the exit code (--help was
 * printed, or on standard error what is wrong). */
bool options_read (const struct options *options, int argc, char **argv,
                   int *ret_n, int *ret_status);

#endif
