/* delivery.c - the duty to hand one event to one integration.
 *
 * SPDX-License-Identifier: MIT
 */

#include "delivery.h"

#include <string.h>

#include "base/buf.h"

void
delivery_make_id (struct delivery *delivery, const char *integration)
{
  const char *parts[] = { event_source (delivery->event),
                          event_id (delivery->event), integration };
  char small[512];
  size_t len = 0;
  struct buf name;

  /* Each part with its NUL, so that no two triples read alike. */
  for (size_t i = 0; i < 3; i++) {
    size_t n = strlen (parts[i]) + 1;

    if (len + n > sizeof small)
      goto large;
    memcpy (small + len, parts[i], n);
    len += n;
  }
  crypto_uuid_of (small, len, delivery->id);
  return;

large:
  buf_init (&name, 0);
  for (size_t i = 0; i < 3; i++)
    buf_add (&name, parts[i], strlen (parts[i]) + 1);
  crypto_uuid_of (name.data, name.len, delivery->id);
  buf_done (&name);
}
