/* host_job.c - the deliveries of a job, as plugins see them.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "host_table.h"
#include "job_state.h"

const struct herald_settings *
host_settings (const struct herald_job *shown)
{
  const struct job *job = host_present (shown);

  return job != NULL ? job->integration->settings : NULL;
}

size_t
host_count (const struct herald_job *shown)
{
  const struct job *job = host_present (shown);

  return job != NULL ? job_shown (job) : 0;
}

/* The slot of delivery i; NULL, and a fault, if there is none. */
static const struct slot *
find_slot (const struct herald_job *shown, size_t i)
{
  struct job *job = host_present (shown);
  size_t n = job != NULL ? job_shown (job) : 0;

  if (i < n)
    return job_slot (job, i);
  job_spoil (host_job (), "it asks for delivery %zu of %zu", i, n);
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

const char *
host_value (const struct herald_job *job, size_t i, const char *target)
{
  if (target == NULL || find_slot (job, i) == NULL)
    return "";
  return job_value (host_present (job), i, target);
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
host_job_id (const struct herald_job *shown)
{
  const struct job *job = host_present (shown);

  return job != NULL ? job_make_id (job) : "";
}

struct herald_request *
host_request (struct herald_job *shown, const char *method, const char *url,
              herald_reply_fn *on_reply)
{
  return request_new (host_present (shown), method, url, on_reply);
}
