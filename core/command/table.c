/* table.c - rows of text in columns, as wide as they need to be.
 *
 * SPDX-License-Identifier: MIT
 */

#include "table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/date.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/redact.h"

enum { TABLE_COLUMNS = 16 };

struct table {
  struct arena *arena;
  size_t n_columns;
  const char *titles[TABLE_COLUMNS];
  size_t n, size;               /* cells */
  const char **cells;
};

struct table *
table_new (const char *const *titles)
{
  struct table *table = memory_zeroed (1, sizeof *table);

  table->arena = arena_new (0);
  while (titles[table->n_columns] != NULL
         && table->n_columns < TABLE_COLUMNS) {
    table->titles[table->n_columns] = titles[table->n_columns];
    table->n_columns++;
  }
  return table;
}

void
table_free (struct table *table)
{
  if (table == NULL)
    return;
  arena_free (table->arena);
  free (table->cells);
  free (table);
}

void
table_add (struct table *table, const char *fmt, ...)
{
  va_list args;

  if (table->n == table->size) {
    table->size = table->size > 0 ? 2 * table->size : 64;
    table->cells = memory_resize (table->cells, table->size,
                                  sizeof *table->cells);
  }
  va_start (args, fmt);
  table->cells[table->n++] = arena_vprintf (table->arena, fmt, args);
  va_end (args);
}

void
table_add_time (struct table *table, int64_t ms)
{
  struct buf text = BUF_INIT (0);

  if (ms > 0)
    date_add_rfc3339 (&text, ms);
  table_add (table, "%s", ms > 0 ? text.data : "-");
  buf_done (&text);
}

void
table_add_duration (struct table *table, int64_t ms)
{
  struct buf text = BUF_INIT (0);

  if (ms >= 0)
    number_add_duration (&text, ms);
  table_add (table, "%s", ms >= 0 ? text.data : "-");
  buf_done (&text);
}

void
table_add_text (struct table *table, const char *text)
{
  struct buf safe = BUF_INIT (0);

  redact_add (&safe, text, strlen (text), 0);
  table_add (table, "%s", safe.len > 0 ? safe.data : "-");
  buf_done (&safe);
}

/* Characters, not bytes; good enough for names and labels. */
static size_t
table_width (const char *text)
{
  size_t n = 0;

  for (; *text != '\0'; text++)
    n += ((unsigned char) *text & 0xc0) != 0x80;
  return n;
}

static void
table_write_cell (struct buf *out, const char *text, size_t width,
                  bool is_right, bool is_last)
{
  int fill = (int) (width - table_width (text));

  if (is_right)
    buf_printf (out, "%*s%s", fill, "", text);
  else if (is_last)
    buf_add_text (out, text);
  else
    buf_printf (out, "%s%*s", text, fill, "");
  buf_add_text (out, is_last ? "\n" : "  ");
}

void
table_write (const struct table *table, struct buf *out)
{
  size_t widths[TABLE_COLUMNS] = { 0 };
  size_t columns = table->n_columns;

  if (table->n == 0)
    return;
  for (size_t i = 0; i < columns; i++)
    widths[i] = table_width (table->titles[i])
                - (table->titles[i][0] == '>');
  for (size_t i = 0; i < table->n; i++)
    if (table_width (table->cells[i]) > widths[i % columns])
      widths[i % columns] = table_width (table->cells[i]);
  for (size_t i = 0; i < columns; i++) {
    bool is_right = table->titles[i][0] == '>';

    table_write_cell (out, table->titles[i] + is_right, widths[i], is_right,
                      i + 1 == columns);
  }
  for (size_t i = 0; i < table->n; i++)
    table_write_cell (out, table->cells[i], widths[i % columns],
                      table->titles[i % columns][0] == '>',
                      (i + 1) % columns == 0);
}

void
table_print (const struct table *table)
{
  struct buf text = BUF_INIT (0);

  table_write (table, &text);
  fwrite (text.data, 1, text.len, stdout);
  buf_done (&text);
}
