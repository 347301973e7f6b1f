/* configuration_fallback.c - who takes over from whom.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/configuration_parts.h"

/* As the descriptor says; NULL: nobody, or there is none of that name. */
static const struct descriptor *
next_of (const struct configuration *configuration,
         const struct descriptor *descriptor)
{
  const char *name = descriptor->delivery.fallback;

  return name != NULL ? configuration_find (configuration, name) : NULL;
}

/* Of a reload a circle may be left, one half of it kept; then the chain
 * ends at the one whose name comes first, whoever asks. */
const struct descriptor *
configuration_root (const struct configuration *configuration,
                    const struct descriptor *descriptor)
{
  const struct descriptor *at = descriptor, *next, *least;

  for (size_t k = 0; k <= configuration->n_descriptors; k++) {
    next = next_of (configuration, at);
    if (next == NULL)
      return at;
    at = next;
  }
  least = at;
  for (next = next_of (configuration, at); next != at;
       next = next_of (configuration, next))
    if (strcmp (next->name, least->name) < 0)
      least = next;
  return least;
}

const struct descriptor *
configuration_fallback (const struct configuration *configuration,
                        const struct descriptor *descriptor)
{
  const struct descriptor *root = configuration_root (configuration,
                                                      descriptor);

  if (strcmp (root->name, descriptor->name) == 0)
    return NULL;
  return next_of (configuration, descriptor);
}

static bool
leads_back (const struct configuration *configuration,
            const struct descriptor *descriptor)
{
  const struct descriptor *at = next_of (configuration, descriptor);

  for (size_t k = 0; at != NULL && k < configuration->n_descriptors; k++) {
    if (at == descriptor)
      return true;
    at = next_of (configuration, at);
  }
  return false;
}

/* The other gets events of every workspace that the one gets. */
static bool
serves_all_of (const struct descriptor *other, const struct descriptor *one)
{
  if (one->all_workspaces)
    return other->all_workspaces;
  for (size_t k = 0; k < one->n_workspaces; k++)
    if (!descriptor_serves (other, one->workspaces[k]))
      return false;
  return true;
}

static void
complain_of_absent (const struct configuration *configuration,
                    const struct descriptor *descriptor,
                    struct problems *problems)
{
  const struct descriptor_delivery *delivery = &descriptor->delivery;
  const char **names = memory_zeroed (configuration->n_descriptors + 1,
                                      sizeof *names);
  const char *nearest;

  for (size_t k = 0; k < configuration->n_descriptors; k++)
    names[k] = configuration->descriptors[k]->name;
  nearest = text_nearest (delivery->fallback, names);
  /* It may stand in the file that can't be read, which is no fault of
   * this one. */
  if (configuration->n_unread > 0)
    problems_add (problems, PROBLEM_WARNING, descriptor->path,
                  delivery->fallback_line, descriptor->name, "there is no "
                  "integration \"%s\" to fall back on in the files that can "
                  "be read", delivery->fallback);
  else
    problems_add (problems, PROBLEM_ERROR, descriptor->path,
                  delivery->fallback_line, descriptor->name, "there is no "
                  "integration \"%s\" to fall back on%s%s%s",
                  delivery->fallback, nearest != NULL ? "; did you mean \""
                  : "; add it, or remove <fallback>",
                  nearest != NULL ? nearest : "",
                  nearest != NULL ? "\"?" : "");
  free (names);
}

/* What its kind is says <mail>: a provider that sends e-mails asks for it,
 * the others refuse it. */
static void
check_one (const struct configuration *configuration,
           const struct descriptor *descriptor, struct problems *problems)
{
  const struct descriptor *fallback = next_of (configuration, descriptor);
  const char *path = descriptor->path, *name = descriptor->name;
  unsigned line = descriptor->delivery.fallback_line;

  if (descriptor->delivery.fallback == NULL)
    return;
  if (descriptor->mail == NULL && !descriptor->has_errors)
    problems_add (problems, PROBLEM_ERROR, path, line, name, "<fallback> is "
                  "for integrations that send e-mails; remove it");
  else if (fallback == NULL)
    complain_of_absent (configuration, descriptor, problems);
  else if (fallback->mail == NULL && !fallback->has_errors)
    problems_add (problems, PROBLEM_ERROR, path, line, name, "<fallback> "
                  "names \"%s\", which sends no e-mails; name one that does",
                  fallback->name);
  else if (leads_back (configuration, descriptor))
    problems_add (problems, PROBLEM_ERROR, path, line, name, "<fallback> "
                  "leads from \"%s\" back to \"%s\", so nobody would be the "
                  "last; remove one of them", fallback->name, name);
  else if (!serves_all_of (fallback, descriptor) && !fallback->has_errors
           && !descriptor->has_errors)
    problems_add (problems, PROBLEM_ERROR, path, line, name, "<fallback> "
                  "names \"%s\", which does not serve all workspaces that "
                  "this one serves; add them to its <workspaces>, or name "
                  "another", fallback->name);
  else if (descriptor->is_enabled && !fallback->is_enabled)
    problems_add (problems, PROBLEM_WARNING, path, line, name, "\"%s\", "
                  "which <fallback> names, is disabled and will not take "
                  "over; run: herald enable %s", fallback->name,
                  fallback->name);
}

void
configuration_check_fallbacks (struct configuration *configuration,
                               struct problems *problems)
{
  bool *is_wrong = memory_zeroed (configuration->n_descriptors + 1,
                                  sizeof *is_wrong);

  for (size_t k = 0; k < configuration->n_descriptors; k++) {
    size_t errors = problems_errors (problems);

    check_one (configuration, configuration->descriptors[k], problems);
    is_wrong[k] = problems_errors (problems) > errors;
  }
  for (size_t k = 0; k < configuration->n_descriptors; k++)
    if (is_wrong[k])
      configuration->descriptors[k]->has_errors = true;
  free (is_wrong);
}
