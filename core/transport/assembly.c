/* assembly.c - a reply of HTTP, put together as its pieces arrive.
 *
 * SPDX-License-Identifier: MIT
 */

#include "assembly.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { ASSEMBLY_KEPT = 64 * 1024 };     /* a buffer worth keeping */

struct assembly *
assembly_new (size_t max_body)
{
  struct assembly *assembly = memory_zeroed (1, sizeof *assembly);

  buf_init (&assembly->lines, 2 * ASSEMBLY_MAX_BLOCK);
  buf_init (&assembly->body, max_body);
  return assembly;
}

void
assembly_free (struct assembly *assembly)
{
  if (!assembly)
    return;
  buf_done (&assembly->lines);
  buf_done (&assembly->body);
  free (assembly);
}

static void
buffer_clear (struct buf *buf)
{
  size_t ceiling = buf->ceiling;

  if (buf->size > ASSEMBLY_KEPT) {
    buf_done (buf);
    buf_init (buf, ceiling);
  } else
    buf_clear (buf);
}

void
assembly_clear (struct assembly *assembly)
{
  assembly->status = 0;
  assembly->is_truncated = false;
  assembly->is_block_over = false;
  assembly->n_headers = 0;
  assembly->block_len = 0;
  buffer_clear (&assembly->lines);
  buffer_clear (&assembly->body);
}

/* "HTTP/1.1 200 OK": the three digits after the first space; 0 if there
 * are none. */
static int
status_read (const char *line, size_t len)
{
  const char *space = memchr (line, ' ', len);
  int status = 0;

  if (!space || (size_t) (line + len - space) < 4)
    return 0;
  for (int i = 1; i <= 3; i++) {
    if (space[i] < '0' || space[i] > '9')
      return 0;
    status = status * 10 + (space[i] - '0');
  }
  return status;
}

static void
header_keep (struct assembly *assembly, const char *line, size_t len)
{
  const char *colon = memchr (line, ':', len);
  size_t name_len, value_len;
  const char *value;
  char *out;

  if (!colon || colon == line || assembly->n_headers == ASSEMBLY_MAX_HEADERS)
    return;
  name_len = (size_t) (colon - line);
  value = colon + 1;
  while (value < line + len && (*value == ' ' || *value == '\t'))
    value++;
  value_len = (size_t) (line + len - value);
  if (memchr (line, '\0', len))
    return;
  out = buf_reserve (&assembly->lines, name_len + value_len + 2);
  if (!out)
    return;
  for (size_t i = 0; i < name_len; i++)
    out[i] = line[i] >= 'A' && line[i] <= 'Z' ? (char) (line[i] | 0x20)
                                              : line[i];
  out[name_len] = '\0';
  memcpy (out + name_len + 1, value, value_len);
  out[name_len + 1 + value_len] = '\0';
  assembly->n_headers++;
  assembly->lines.len += name_len + value_len + 2;
}

int
assembly_header (struct assembly *assembly, const char *line, size_t len)
{
  assembly->block_len += (uint32_t) len;
  if (len > ASSEMBLY_MAX_BLOCK || assembly->block_len > ASSEMBLY_MAX_BLOCK) {
    assembly->is_truncated = true;
    return -1;
  }
  while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'
                     || line[len - 1] == ' ' || line[len - 1] == '\t'))
    len--;
  if (assembly->is_block_over)
    return 0;
  if (len == 0) {
    assembly->is_block_over = assembly->status > 0;
    return 0;
  }
  if (len > 5 && memcmp (line, "HTTP/", 5) == 0) {
    int status = status_read (line, len);

    /* 1xx only announces; the headers that came with it go, too. */
    assembly->status = status >= 200 ? status : 0;
    assembly->n_headers = 0;
    buf_clear (&assembly->lines);
    return 0;
  }
  if (assembly->status > 0 && line[0] != ' ' && line[0] != '\t')
    header_keep (assembly, line, len);
  return 0;
}

int
assembly_body (struct assembly *assembly, const char *data, size_t len)
{
  size_t ceiling = assembly->body.ceiling;
  size_t room = ceiling ? ceiling - assembly->body.len : len;

  buf_add (&assembly->body, data, len < room ? len : room);
  if (len <= room)
    return 0;
  assembly->is_truncated = true;
  return -1;
}

size_t
assembly_headers (const struct assembly *assembly,
                  struct transport_header ret_headers[ASSEMBLY_MAX_HEADERS])
{
  const char *at = assembly->lines.data;

  for (uint32_t i = 0; i < assembly->n_headers; i++) {
    ret_headers[i].name = at;
    ret_headers[i].value = at += strlen (at) + 1;
    at += strlen (at) + 1;
  }
  return assembly->n_headers;
}
