/* fuzz-descriptor.c - any bytes, read as a descriptor.
 *
 * What is read must hold what descriptor.h promises, and what can't be
 * read must have a problem that says so.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"
#include "config/descriptor.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const struct descriptor *descriptor, const struct problems *problems)
{
  if (!descriptor_is_name (descriptor->name)
      || descriptor->provider == NULL || descriptor->mapping == NULL
      || descriptor->has_errors != (problems_errors (problems) > 0))
    abort ();
  if (descriptor->mail != NULL && descriptor->mail->parameters == NULL)
    abort ();
  if (descriptor->delivery.n_retries > 32
      || descriptor->delivery.in_flight > DESCRIPTOR_MAX_IN_FLIGHT
      || descriptor->delivery.batch_max > DESCRIPTOR_MAX_BATCH)
    abort ();
  if (descriptor->delivery.fallback != NULL
      && (!descriptor_is_name (descriptor->delivery.fallback)
          || strcmp (descriptor->delivery.fallback, descriptor->name) == 0))
    abort ();
  for (size_t k = 0; k < mapping_count (descriptor->mapping); k++)
    if (mapping_target (descriptor->mapping, k)[0] == '\0')
      abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *workspaces[] = { "acme", "globex" };
  struct herald_xml host = { .path = "herald.xml", .n_workspaces = 2,
                             .workspaces = workspaces };
  struct arena *arena = arena_new (0);
  struct problems *problems = problems_new ();
  const struct descriptor *descriptor;

  host.catalogue = catalogue_new ();
  descriptor = descriptor_read_text ((const char *) data, size, "fuzz.xml",
                                     &host, arena, problems);
  if (descriptor != NULL)
    check (descriptor, problems);
  else if (problems_errors (problems) == 0)
    abort ();
  for (size_t k = 0; k < problems_count (problems); k++)
    if (problems_at (problems, k)->text[0] == '\0'
        || strpbrk (problems_at (problems, k)->text, "\r\n") != NULL)
      abort ();
  herald_xml_done (&host);
  problems_free (problems);
  arena_free (arena);
  redact_forget_all ();
  return 0;
}
