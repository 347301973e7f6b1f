/* recipients.c - who gets a mail, and what is theirs alone in it.
 *
 * SPDX-License-Identifier: MIT
 */

#include "recipients.h"

#include <string.h>

#include "plain.h"

/* Recipient variables are texts, with names that %recipient.NAME% can
 * name; others, such as a list, go with one mail alone. */
bool
recipients_can_join (struct herald_job *job, size_t i)
{
  const char *record = herald->record (job, i), *name, *value;

  for (size_t k = 0; (value = herald->member (record, k, &name)) != NULL; k++)
    if (strchr ("\"-0123456789n", *value) == NULL || *name == '\0'
        || name[strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
             != '\0')
      return false;
  return true;
}

struct names {
  const char **list;
  size_t n, size;
};

static void
names_add (struct names *names, const char *name)
{
  const char **list;

  for (size_t k = 0; k < names->n; k++)
    if (strcmp (names->list[k], name) == 0)
      return;
  if (names->n == names->size) {
    names->size = names->size * 2 + 16;
    list = herald->alloc (names->size * sizeof *list);
    if (names->n > 0)
      memcpy (list, names->list, names->n * sizeof *list);
    names->list = list;
  }
  names->list[names->n++] = name;
}

/* The names of all records: what one lacks must be empty, or Mailgun would
 * leave %recipient.NAME% as it is. */
static struct names
names_of (struct herald_job *job)
{
  struct names names = { NULL, 0, 0 };
  const char *name;

  for (size_t i = 0; i < herald->count (job); i++) {
    const char *record = herald->record (job, i);

    for (size_t k = 0; herald->member (record, k, &name) != NULL; k++)
      names_add (&names, name);
  }
  return names;
}

/* {"ada@example.com":{"delivery_id":"...","first_name":"Ada"},...} in one
 * piece of memory, for there may be a thousand. */
static const char *
recipients_variables (struct herald_job *job, const struct names *names)
{
  size_t n = herald->count (job), len = 0;
  const char **parts = herald->alloc (n * sizeof *parts), *value;
  char *made, *to;

  for (size_t i = 0; i < n; i++) {
    parts[i]
      = herald->format ("%s%s:{\"delivery_id\":\"%s\"", i == 0 ? "{" : ",",
                        herald->quote (herald->mail (job, i)->to.address),
                        herald->delivery (job, i)->id);
    for (size_t k = 0; k < names->n; k++) {
      value = herald->value (job, i, names->list[k]);
      value = herald->quote (plain_text (value));
      parts[i]
        = herald->format ("%s,\"%s\":%s", parts[i], names->list[k], value);
    }
    len += strlen (parts[i]) + 1;
  }
  made = to = herald->alloc (len + 2);
  for (size_t i = 0; i < n; i++) {
    len = strlen (parts[i]);
    memcpy (to, parts[i], len);
    to[len] = '}';
    to += len + 1;
  }
  *to = '}';
  return made;
}

void
recipients_add (struct herald_request *request, struct herald_job *job,
                bool is_batch)
{
  struct names names = { NULL, 0, 0 };
  const char *record = herald->record (job, 0);

  for (size_t i = 0; i < herald->count (job); i++)
    herald->form (request, "to", plain_mailbox (&herald->mail (job, i)->to));
  if (!is_batch) {
    herald->form (request, "v:delivery_id", herald->delivery (job, 0)->id);
    if (strcmp (record, "{}") != 0)
      herald->form (request, "t:variables", plain_text (record));
    return;
  }
  names = names_of (job);
  herald->form (request, "recipient-variables",
                recipients_variables (job, &names));
  herald->form (request, "v:delivery_id", "%recipient.delivery_id%");
  for (size_t k = 0; k < names.n; k++)
    herald->form (request, herald->format ("v:%s", names.list[k]),
                  herald->format ("%%recipient.%s%%", names.list[k]));
}
