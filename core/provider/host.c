/* host.c - the table of functions that plugins are given.
 *
 * Its members are functions of host_table.h and request.h.
 *
 * SPDX-License-Identifier: MIT
 */

#include <config.h>

#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "host_table.h"
#include "job_state.h"

enum {
  MOST_STRAY = 1 << 20,    /* memory taken outside callbacks */
  MOST_SCRATCH = 64 * 1024 /* kept between uses */
};

static struct host_scope *current;
static const struct host_watch *watched;

void
host_enter (struct host_scope *scope, struct arena *arena, struct job *job,
            const char *integration)
{
  static uint64_t serial;

  scope->serial = ++serial;
  scope->arena = arena;
  scope->job = job;
  scope->integration = integration;
  scope->outer = current;
  current = scope;
  if (watched != NULL)
    watched->enter (watched->data, scope);
}

void
host_leave (struct host_scope *scope)
{
  current = scope->outer;
  if (watched != NULL)
    watched->leave (watched->data, scope);
}

void
host_watch (const struct host_watch *watch)
{
  watched = watch;
}

const struct host_scope *
host_current (void)
{
  return current;
}

struct arena *
host_arena (void)
{
  static struct arena *stray;

  if (current != NULL)
    return current->arena;
  log_error ("a plugin is at fault: it asks for memory outside a callback");
  if (stray == NULL)
    stray = arena_new (0);
  if (arena_used (stray) > MOST_STRAY)
    arena_reset (stray);
  return stray;
}

struct buf *
host_scratch (void)
{
  static struct buf scratch = BUF_INIT (REQUEST_MAX_BODY);

  if (scratch.size > MOST_SCRATCH)
    buf_done (&scratch);
  buf_clear (&scratch);
  return &scratch;
}

struct job *
host_job (void)
{
  return current != NULL ? current->job : NULL;
}

/* Outside any callback no plugin runs: it is the core that asks. */
struct job *
host_present (const struct herald_job *shown)
{
  struct job *job = (struct job *) (uintptr_t) shown;

  if (shown == NULL || current == NULL || current->job == job)
    return job;
  job_spoil (current->job, "it uses a job that it kept from another callback");
  return NULL;
}

struct reply *
host_present_reply (const struct herald_reply *shown)
{
  /* The plugin got it as the first member. */
  struct reply *reply = (struct reply *) (uintptr_t) shown;

  if (shown == NULL || current == NULL
      || (current->job != NULL && current->job->reply == reply))
    return reply;
  job_spoil (current->job,
             "it uses a reply that it kept from another callback");
  return NULL;
}

static void host_log (int level, const char *fmt, ...) HERALD_PRINTF (2, 3);

static void
host_log (int level, const char *fmt, ...)
{
  const struct job *job = host_job ();
  const char *delivery = NULL;
  va_list args;

  if (fmt == NULL)
    return;
  if (level < HERALD_ERROR || level > HERALD_DEBUG)
    level = HERALD_ERROR;
  if (job != NULL && job_shown (job) == 1)
    delivery = job_slot (job, 0)->delivery.id;
  log_context (current != NULL ? current->integration : NULL, delivery);
  va_start (args, fmt);
  log_at ((enum log_level) level, fmt, args);
  va_end (args);
  log_context (NULL, NULL);
}

const struct herald_host host_table = {
  .struct_size = sizeof (struct herald_host),
  .abi_major = HERALD_ABI_MAJOR,
  .abi_minor = HERALD_ABI_MINOR,
  .version = PACKAGE_VERSION,
  .log = host_log,
  .now_ms = date_now_ms,
  .text = host_text,
  .text_at = host_text_at,
  .number = host_number,
  .maps = host_maps,
  .complain = host_complain,
  .warn = host_warn,
  .limit_batch = host_limit_batch,
  .batch = host_batch,
  .mail_form = host_mail_form,
  .whole_records = host_whole_records,
  .settings = host_settings,
  .count = host_count,
  .delivery = host_delivery,
  .record = host_record,
  .value = host_value,
  .source = host_source,
  .mail = host_mail,
  .job_id = host_job_id,
  .request = host_request,
  .covers = request_covers,
  .tag = request_tag,
  .query = request_query,
  .header = request_header,
  .header_line = request_header_line,
  .basic_auth = request_basic_auth,
  .bearer_auth = request_bearer_auth,
  .tls = request_tls,
  .append = request_append,
  .append_member = request_append_member,
  .append_values = request_append_values,
  .merge = request_merge,
  .body = request_body,
  .param = request_param,
  .form = request_form,
  .message = request_message,
  .body_text = request_body_text,
  .covered = host_covered,
  .delivered = host_delivered,
  .retry = host_retry,
  .rejected = host_rejected,
  .settle = host_settle,
  .verified = host_verified,
  .wait = host_wait,
  .rate = host_rate,
  .token = host_token,
  .token_url = host_token_url,
  .reply_header = host_reply_header,
  .header_number = host_header_number,
  .json_kind = host_json_kind,
  .json_text = host_json_text,
  .json_number = host_json_number,
  .json_count = host_json_count,
  .alloc = host_alloc,
  .format = host_format,
  .quote = host_quote,
  .unquote = host_unquote,
  .member = host_member,
  .url_escape = host_url_escape,
  .html_escape = host_html_escape,
  .mailbox = host_mailbox,
  .encoded = host_encoded,
  .clip = host_clip,
  .date = host_date,
  .hex = host_hex,
  .base64 = host_base64,
  .base64_decode = host_base64_decode,
  .sha256 = host_sha256,
  .hmac_sha256 = host_hmac_sha256,
};
