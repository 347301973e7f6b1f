/* request_form.c - multipart/form-data.
 *
 * Fields are kept and written at the end, when a boundary can be chosen
 * that is in none of them.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "job_state.h"

enum { BOUNDARY_SIZE = 40, MOST_TRIES = 1000 };

void
request_form (struct herald_request *request, const char *name,
              const char *value)
{
  struct request_field *field;
  struct arena *arena;

  if (name == NULL || value == NULL
      || !request_is_kind (request, REQUEST_FORM))
    return;
  arena = request->job->arena;
  field = arena_zeroed (arena, 1, sizeof *field);
  field->name = arena_strdup (arena, name);
  field->value = arena_strdup (arena, value);
  if (request->last_field != NULL)
    request->last_field->next = field;
  else
    request->fields = field;
  request->last_field = field;
}

/* "herald-" and the 32 digits of an id. */
static void
write_boundary (char boundary[BOUNDARY_SIZE], const char *id)
{
  size_t len = (size_t) snprintf (boundary, BOUNDARY_SIZE, "herald-");

  for (; *id != '\0' && len < BOUNDARY_SIZE - 1; id++)
    if (*id != '-')
      boundary[len++] = *id;
  boundary[len] = '\0';
}

static bool
occurs (const struct herald_request *request, const char *boundary)
{
  for (const struct request_field *f = request->fields; f != NULL; f = f->next)
    if (strstr (f->value, boundary) != NULL
        || strstr (f->name, boundary) != NULL)
      return true;
  return false;
}

static void
choose_boundary (const struct herald_request *request,
                 char boundary[BOUNDARY_SIZE])
{
  const char *id = job_make_id (request->job);
  char text[80], next[CRYPTO_UUID_LEN + 1];

  write_boundary (boundary, id);
  for (int i = 1; i < MOST_TRIES && occurs (request, boundary); i++) {
    int len = snprintf (text, sizeof text, "%s/%d", id, i);

    crypto_uuid_of (text, (size_t) len, next);
    write_boundary (boundary, next);
  }
}

/* As the WHATWG's form encoding has it: what would end the quotes or the
 * line is percent-encoded. */
static void
add_name (struct buf *out, const char *name)
{
  for (; *name != '\0'; name++)
    if (*name == '"')
      buf_add_text (out, "%22");
    else if (*name == '\r')
      buf_add_text (out, "%0D");
    else if (*name == '\n')
      buf_add_text (out, "%0A");
    else
      buf_add_char (out, *name);
}

void
request_write_form (const struct herald_request *request,
                    char boundary[BOUNDARY_SIZE], struct buf *out)
{
  choose_boundary (request, boundary);
  for (const struct request_field *f = request->fields; f != NULL;
       f = f->next) {
    buf_printf (out, "--%s\r\nContent-Disposition: form-data; name=\"",
                boundary);
    add_name (out, f->name);
    buf_add_text (out, "\"\r\n\r\n");
    buf_add_text (out, f->value);
    buf_add_text (out, "\r\n");
  }
  buf_printf (out, "--%s--\r\n", boundary);
}
