/* job_render.c - what a job's events look like to the plugin.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "config/descriptor.h"
#include "event/mail_form.h"
#include "event/mapping.h"
#include "event/template.h"
#include "host.h"
#include "job_state.h"

/* An event's values may be EVENT_MAX_DEPTH deep, and the mapping puts
 * objects around them. */
enum { MOST_DEPTH = 2 * EVENT_MAX_DEPTH };

static int
render_record (struct job *job, struct slot *slot,
               const struct mapping *mapping, const char **ret_reason)
{
  const struct integration *integration = job->integration;
  struct buf *out = host_scratch ();
  unsigned flags = 0;
  char reason[200] = "";

  if ((integration->provider->plugin.caps & HERALD_TEXT_VALUES) != 0)
    flags |= MAPPING_TEXT;
  if (settings_wants_whole (integration->settings))
    flags |= MAPPING_WHOLE;
  if (mapping == NULL)
    buf_add_text (out, "{}");
  else if (mapping_write (mapping, slot->event, flags, out, reason) < 0) {
    *ret_reason = job_redact (job, "", reason);
    return -1;
  }
  if (out->is_over) {
    *ret_reason = "the record is too large";
    return -1;
  }
  slot->record_len = out->len;
  slot->record
    = memcpy (arena_alloc (job->arena, out->len + 1), out->data, out->len + 1);
  return 0;
}

int
job_render (struct job *job, struct slot *slot, const char *to_address,
            const char **ret_reason)
{
  const struct descriptor *descriptor = job->integration->descriptor;
  char reason[200] = "";

  if (!job->integration->is_mailer)
    return render_record (job, slot, descriptor->mapping, ret_reason);
  if (descriptor->mail == NULL) {
    *ret_reason = "the descriptor has no <mail>";
    return -1;
  }
  slot->mail = arena_zeroed (job->arena, 1, sizeof *slot->mail);
  if (mail_form_write (descriptor->mail, slot->event, to_address, job->arena,
                       slot->mail, reason)
      < 0) {
    slot->mail = NULL;
    *ret_reason = job_redact (job, "", reason);
    return -1;
  }
  integration_number_template (job->integration, slot->mail);
  return render_record (job, slot, descriptor->mail->parameters, ret_reason);
}

/* The node of a target in the indexed record: a member of that very name,
 * or by a dotted path where the descriptor nests. */
static uint32_t
find_target (const struct json_index *index, const char *target)
{
  uint32_t node = json_index_member (index, 0, target, strlen (target));

  if (node == 0 && strchr (target, '.') != NULL) {
    node = json_index_path (index, target);
    if (node == UINT32_MAX)
      node = 0;
  }
  return node;
}

const char *
job_value (struct job *job, size_t i, const char *target)
{
  const struct slot *slot = job_slot (job, i);
  struct json_error error;
  struct buf *out;
  uint32_t node;

  if (job->indexed != i) {
    job->indexed = job->n_slots;
    if (json_index_read (&job->index, slot->record, slot->record_len,
                         MOST_DEPTH, 0, &error)
        < 0)
      return "";
    job->indexed = i;
  }
  node = find_target (&job->index, target);
  if (node == 0)
    return "";
  out = host_scratch ();
  json_index_add_text (&job->index, node, out);
  return arena_strndup (job->arena, out->data, out->len);
}

const char *
job_make_id (const struct job *job)
{
  struct buf *out;

  if (job->id[0] != '\0')
    return job->id;
  out = host_scratch ();
  for (size_t i = 0; i < job_shown (job); i++) {
    buf_add_text (out, job_slot (job, i)->delivery.id);
    buf_add_char (out, '\n');
  }
  crypto_uuid_of (out->data, out->len, job->id);
  return job->id;
}

static bool
is_same_always (const struct template *template)
{
  return template == NULL || template_is_constant (template);
}

/* No event changes anything but to and the parameters. */
static bool
form_is_constant (const struct mail_form *form)
{
  for (size_t k = 0; k < form->n_headers; k++)
    if (!is_same_always (form->headers[k].value))
      return false;
  return is_same_always (form->from_name)
         && is_same_always (form->reply_to_name)
         && is_same_always (form->subject) && is_same_always (form->text)
         && is_same_always (form->html);
}

/* With its NUL, so that no two lists of texts read alike. */
static void
add_part (struct buf *out, const char *text)
{
  if (text == NULL)
    buf_add_char (out, '\1');
  else
    buf_add (out, text, strlen (text) + 1);
}

static void
add_mailbox (struct buf *out, const struct herald_mailbox *mailbox)
{
  add_part (out, mailbox->name);
  add_part (out, mailbox->address);
}

uint64_t
job_alike (struct integration *integration, struct event *event,
           struct arena *scratch)
{
  const struct mail_form *form = integration->descriptor->mail;
  unsigned char hash[CRYPTO_SHA256_LEN];
  struct herald_mail mail = { .subject = NULL };
  struct buf *out;
  uint64_t alike;
  char reason[200];

  if (!integration->is_mailer || form == NULL
      || (integration->provider->plugin.caps & HERALD_ALIKE) == 0
      || form_is_constant (form)
      || mail_form_write (form, event, NULL, scratch, &mail, reason) < 0)
    return 0;
  out = host_scratch ();
  add_mailbox (out, &mail.from);
  add_mailbox (out, &mail.reply_to);
  add_mailbox (out, &mail.bcc);
  add_part (out, mail.subject);
  add_part (out, mail.text);
  add_part (out, mail.html);
  add_part (out, mail.template_id);
  for (uint32_t k = 0; k < mail.n_headers; k++) {
    add_part (out, mail.headers[k].name);
    add_part (out, mail.headers[k].value);
  }
  crypto_sha256 (out->data, out->len, hash);
  memcpy (&alike, hash, sizeof alike);
  return alike | 1; /* not the 0 of what could not be made */
}
