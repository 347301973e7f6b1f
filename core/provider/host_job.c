/* host_job.c - the deliveries of a job, as plugins see them.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "host_table.h"
#include "job_state.h"

const struct herald_settings *
host_settings (const struct herald_job *job)
{
  return job != NULL ? job_of_const (job)->integration->settings : NULL;
}

size_t
host_count (const struct herald_job *job)
{
  return job != NULL ? job_shown (job_of_const (job)) : 0;
}

/* The slot of delivery i; NULL, and a fault, if there is none. */
static const struct slot *
find_slot (const struct herald_job *shown, size_t i)
{
  if (i < host_count (shown))
    return job_slot (job_of_const (shown), i);
  job_spoil (host_job (), "it asks for delivery %zu of %zu", i,
             host_count (shown));
  return NULL;
}

const struct herald_delivery *
host_delivery (const struct herald_job *job, size_t i)
{
  static const struct herald_delivery none
    = { .id = "", .event_id = "", .type = "", .workspace = "", .attempt = 1 };
  const struct slot *slot = find_slot (job, i);

  return slot != NULL ? &slot->delivery : &none;
}

const char *
host_record (const struct herald_job *job, size_t i)
{
  const struct slot *slot = find_slot (job, i);

  return slot != NULL ? slot->record : "{}";
}

/* The job is const to the plugin; the index that value () reads through
 * is the core's own. */
const char *
host_value (const struct herald_job *job, size_t i, const char *target)
{
  if (target == NULL || find_slot (job, i) == NULL)
    return "";
  return job_value ((struct job *) (uintptr_t) job, i, target);
}

const char *
host_source (const struct herald_job *job, size_t i, const char *key)
{
  const struct slot *slot = find_slot (job, i);
  struct buf *out;

  if (slot == NULL || key == NULL)
    return "";
  out = host_scratch ();
  event_add_field_text (slot->event, key, strlen (key), out);
  return arena_strndup (host_arena (), out->data, out->len);
}

const struct herald_mail *
host_mail (const struct herald_job *job, size_t i)
{
  static const struct herald_mail none
    = { .to = { .address = "" }, .subject = "", .text = "" };
  const struct slot *slot = find_slot (job, i);

  if (slot != NULL && slot->mail != NULL)
    return slot->mail;
  if (slot != NULL)
    job_spoil (host_job (), "it asks for a mail and is no mailer");
  return &none;
}

const char *
host_job_id (const struct herald_job *job)
{
  return job != NULL ? job_make_id (job_of_const (job)) : "";
}

struct herald_request *
host_request (struct herald_job *job, const char *method, const char *url,
              herald_reply_fn *on_reply)
{
  return request_new (job_of (job), method, url, on_reply);
}
