/* options.c - the options of a command, declared once.
 *
 * SPDX-License-Identifier: MIT
 */

#include "options.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "command.h"

enum { OPTIONS_MAX = 32, OPTIONS_COLUMNS = 79, OPTIONS_INDENT = 28 };

/* Print text in lines of OPTIONS_COLUMNS, all but the first indented, of
 * which used columns are taken.  A blank line begins a paragraph. */
static void
options_wrap (const char *text, size_t indent, size_t used)
{
  size_t column = used;

  for (bool is_first = true; *text != '\0'; is_first = false) {
    size_t space = strspn (text, " \n");
    const char *blank = memchr (text, '\n', space);
    size_t len;

    if (blank != NULL && memchr (blank + 1, '\n',
                                 space - (size_t) (blank + 1 - text))) {
      printf ("\n\n%*s", (int) indent, "");
      column = indent;
      is_first = true;
    }
    text += space;
    len = strcspn (text, " \n");
    if (!is_first && column + 1 + len > OPTIONS_COLUMNS) {
      printf ("\n%*s", (int) indent, "");
      column = indent;
    } else if (!is_first && len > 0) {
      putchar (' ');
      column++;
    }
    printf ("%.*s", (int) len, text);
    column += len;
    text += len;
  }
  putchar ('\n');
}

static void
options_help_row (char letter, const char *name, const char *argument,
                  const char *help)
{
  char left[64], short_name[8] = "    ";

  if (letter != 0)
    snprintf (short_name, sizeof short_name, "-%c, ", letter);
  snprintf (left, sizeof left, "  %s--%s%s%s", short_name, name,
            argument != NULL ? " " : "", argument != NULL ? argument : "");
  printf ("%-*s", OPTIONS_INDENT, left);
  options_wrap (help, OPTIONS_INDENT, OPTIONS_INDENT);
}

static void
options_help (const struct options *options)
{
  printf ("usage: herald %s%s%s\n\n", options->command,
          *options->usage != '\0' ? " " : "", options->usage);
  options_wrap (options->about, 0, 0);
  printf ("\noptions:\n");
  for (const struct option_row *row = options->rows;
       row->kind != OPTION_END; row++)
    options_help_row (row->letter, row->name, row->argument, row->help);
  options_help_row ('h', "help", NULL, "this text");
  if (options->notes != NULL) {
    putchar ('\n');
    options_wrap (options->notes, 0, 0);
  }
}

static int
options_bad (const struct options *options, const char *what,
             const char *name)
{
  const char *names[OPTIONS_MAX + 1];
  const char *nearest;
  size_t n = 0;

  for (const struct option_row *row = options->rows;
       row->kind != OPTION_END && n < OPTIONS_MAX; row++)
    names[n++] = row->name;
  names[n] = NULL;
  nearest = text_nearest (name, names);
  fprintf (stderr, "herald %s: %s --%s", options->command, what, name);
  if (nearest != NULL && strcmp (nearest, name) != 0)
    fprintf (stderr, "; did you mean --%s?", nearest);
  fprintf (stderr, "\nrun \"herald %s --help\" for what there is\n",
           options->command);
  return -1;
}

static int
options_store (const struct options *options, const struct option_row *row,
               const char *value)
{
  int status = 0;

  switch (row->kind) {
  case OPTION_END:
    break;
  case OPTION_FLAG:
    *(bool *) row->value = true;
    break;
  case OPTION_TEXT:
    *(const char **) row->value = value;
    break;
  case OPTION_DURATION:
    status = number_read_duration (value, row->value);
    if (status != 0)
      return options_bad (options, "no duration such as 30s or 5m after",
                          row->name);
    break;
  case OPTION_SIZE:
    status = number_read_size (value, row->value);
    if (status != 0)
      return options_bad (options, "no size such as 64k or 1M after",
                          row->name);
    break;
  }
  return status;
}

static const struct option_row *
options_find (const struct options *options, const char *name, size_t len,
              char letter)
{
  for (const struct option_row *row = options->rows;
       row->kind != OPTION_END; row++)
    if (letter != 0 ? row->letter == letter
                    : strlen (row->name) == len
                        && memcmp (row->name, name, len) == 0)
      return row;
  return NULL;
}

/* One argument that begins with a dash; the number of arguments used, or
 * -1. */
static int
options_take (const struct options *options, int argc, char **argv)
{
  const char *name = argv[0] + 1, *value = NULL;
  const struct option_row *row;
  char letter = 0;
  size_t len;

  if (*name == '-') {
    name++;
    value = strchr (name, '=');
    len = value != NULL ? (size_t) (value - name) : strlen (name);
  } else {
    letter = *name;
    len = 1;
    if (name[1] != '\0')
      value = name;             /* -oFILE: the value is what follows */
  }
  row = options_find (options, name, len, letter);
  if (row == NULL)
    return options_bad (options, "there is no option", name);
  if (row->kind == OPTION_FLAG) {
    if (value != NULL)
      return options_bad (options, "no value belongs after", row->name);
    return options_store (options, row, NULL) != 0 ? -1 : 1;
  }
  if (value != NULL)
    return options_store (options, row, value + 1) != 0 ? -1 : 1;
  if (argc < 2)
    return options_bad (options, "a value is missing after", row->name);
  return options_store (options, row, argv[1]) != 0 ? -1 : 2;
}

/* Move the operands to the front; -1: a bad option, 1: help was asked
 * for. */
static int
options_walk (const struct options *options, int argc, char **argv,
              int *ret_n)
{
  int n = 0;

  for (int i = 0; i < argc;) {
    int used = 1;

    if (strcmp (argv[i], "--") == 0) {
      while (++i < argc)
        argv[n++] = argv[i];
      break;
    }
    if (strcmp (argv[i], "--help") == 0 || strcmp (argv[i], "-h") == 0)
      return 1;
    if (argv[i][0] != '-' || argv[i][1] == '\0')
      argv[n++] = argv[i];
    else
      used = options_take (options, argc - i, argv + i);
    if (used < 0)
      return -1;
    i += used;
  }
  *ret_n = n;
  return 0;
}

bool
options_read (const struct options *options, int argc, char **argv,
              int *ret_n, int *ret_status)
{
  int answer = options_walk (options, argc, argv, ret_n);

  if (answer > 0) {
    options_help (options);
    *ret_status = EXIT_DONE;
    return false;
  }
  if (answer == 0 && *ret_n >= options->min_operands
      && (options->max_operands < 0 || *ret_n <= options->max_operands))
    return true;
  if (answer == 0)
    fprintf (stderr, "usage: herald %s %s\nrun \"herald %s --help\" for "
             "more\n", options->command, options->usage, options->command);
  *ret_status = EXIT_USAGE;
  return false;
}
