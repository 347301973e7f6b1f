/* supervisor_reload.c - the configuration, read again by herald serve.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/service.h"
#include "serve/supervisor_state.h"

enum {
  RELOAD_MS = 60 * 1000         /* for all children to say that it is done */
};

static bool
same_text (const char *a, const char *b)
{
  return a == b || (a != NULL && b != NULL && strcmp (a, b) == 0);
}

/* What has become of each integration, as far as files tell. */
static void
reload_tell_integrations (struct supervisor *supervisor,
                          const struct configuration *old)
{
  const struct configuration *fresh = supervisor->configuration;
  struct renewal *renewal = supervisor->renewal;

  for (size_t i = 0; i < fresh->n_descriptors; i++) {
    const struct descriptor *now = fresh->descriptors[i];
    const struct descriptor *before = configuration_find (old, now->name);
    unsigned char a[CRYPTO_SHA256_LEN], b[CRYPTO_SHA256_LEN];

    if (fresh->owners[i] != NULL || now->is_recalled) {
      renewal_kept (renewal, "integration %s: its file has errors, so it "
                    "goes on as it was", now->name);
      continue;
    }
    if (before == NULL) {
      renewal_changed (renewal, "integration %s: added%s", now->name,
                       now->has_errors ? ", with errors" : "");
      continue;
    }
    configuration_digest (fresh, now, a);
    configuration_digest (old, before, b);
    if (now->is_enabled != before->is_enabled)
      renewal_changed (renewal, "integration %s: %s", now->name,
                       now->is_enabled ? "enabled" : "disabled");
    else if (memcmp (a, b, sizeof a) != 0)
      renewal_changed (renewal, "integration %s: changed", now->name);
  }
  for (size_t i = 0; i < old->n_descriptors; i++)
    if (configuration_find (fresh, old->descriptors[i]->name) == NULL)
      renewal_changed (renewal, "integration %s: removed",
                       old->descriptors[i]->name);
}

static void
reload_tell_host (struct supervisor *supervisor,
                  const struct configuration *old)
{
  const struct herald_xml *fresh = supervisor->configuration->herald;
  unsigned char a[CRYPTO_SHA256_LEN], b[CRYPTO_SHA256_LEN];

  configuration_host_digest (supervisor->configuration, a);
  configuration_host_digest (old, b);
  if (memcmp (a, b, sizeof a) != 0)
    renewal_changed (supervisor->renewal, "network, certificates, timeouts "
                     "or limits: the workers start anew");
  if (supervisor->config->state_directory == NULL
      && !same_text (fresh->state_directory, old->herald->state_directory))
    renewal_kept (supervisor->renewal, "the state directory stays %s until "
                  "herald serve is started again",
                  supervisor->state_directory);
}

/* Another store: all of them have it at once, or none. */
static bool
reload_is_other_store (struct supervisor *supervisor,
                       const struct herald_store *old)
{
  const struct herald_store *fresh
    = &supervisor->configuration->herald->store;

  if (same_text (fresh->engine, old->engine)
      && same_text (fresh->directory, old->directory))
    return false;
  renewal_changed (supervisor->renewal, "another store: what waits in the "
                   "one before stays there until that is configured again");
  return true;
}

/* What a process reads once, when it opens the store or begins to listen. */
static void
reload_tell_start (struct supervisor *supervisor,
                   const struct herald_xml *old, bool has_sockets)
{
  const struct herald_xml *fresh = supervisor->configuration->herald;
  const struct herald_store *a = &fresh->store, *b = &old->store;

  if (a->window_ms != b->window_ms || a->history_ms != b->history_ms
      || a->history_rows != b->history_rows
      || a->most_bytes != b->most_bytes || a->commit_ms != b->commit_ms
      || a->commit_most != b->commit_most)
    renewal_kept (supervisor->renewal, "<store>: its window, history, most "
                  "and commit stay until herald serve is started again");
  if (!has_sockets
      && (fresh->intake.timeout_ms != old->intake.timeout_ms
          || fresh->intake.max_connections != old->intake.max_connections))
    renewal_kept (supervisor->renewal, "<intake>: timeout and connections of "
                  "its limits stay until herald serve is started again");
}

/* True if the intake is to have other sockets. */
static bool
reload_listen (struct supervisor *supervisor)
{
  char reason[300];

  switch (listeners_set (supervisor->listeners,
                         &supervisor->configuration->herald->intake, reason,
                         sizeof reason)) {
    case LISTENERS_SAME:
      return false;
    case LISTENERS_CHANGED:
      renewal_changed (supervisor->renewal, "listens on other sockets");
      return true;
    case LISTENERS_BUSY:
    case LISTENERS_FAILED:
      break;
  }
  log_error ("%s; listening as before", reason);
  renewal_kept (supervisor->renewal, "listens where it did: %s", reason);
  return false;
}

/* True if the intake has a variable of the environment that has become a
 * secret's, and is to have it no more. */
static bool
reload_hide (struct supervisor *supervisor, const struct configuration *old)
{
  const char *const *before = configuration_variables (old);
  const char *const *hidden
    = configuration_variables (supervisor->configuration);
  bool is_more = false;

  for (size_t i = 0; hidden[i] != NULL; i++) {
    size_t k = 0;

    while (before[k] != NULL && strcmp (before[k], hidden[i]) != 0)
      k++;
    is_more |= before[k] == NULL && getenv (hidden[i]) != NULL;
  }
  child_set_hidden (supervisor->intake, hidden);
  return is_more;
}

static void
reload_intake (struct supervisor *supervisor, const struct configuration *old,
               bool is_other_store)
{
  bool has_sockets = reload_listen (supervisor);
  bool has_secret = reload_hide (supervisor, old);

  if (!is_other_store)
    reload_tell_start (supervisor, old->herald, has_sockets || has_secret);
  if (loop_timer_is_set (supervisor->listen_timer))
    return;                     /* it is not started yet */
  if (has_sockets || has_secret || is_other_store)
    child_restart (supervisor->intake, supervisor_stop_ms (supervisor));
  else
    child_reload (supervisor->intake);
}

static void
reload_workers (struct supervisor *supervisor, bool is_other_store)
{
  int64_t stop_ms = supervisor_stop_ms (supervisor);
  uint32_t n = supervisor_wants_workers (supervisor);

  if (supervisor->is_replacing)
    return;
  if (n != supervisor->n_workers) {
    renewal_changed (supervisor->renewal, "%u workers instead of %u: all "
                     "start anew", (unsigned) n,
                     (unsigned) supervisor->n_workers);
    supervisor->is_replacing = true;
  }
  for (uint32_t i = 0; i < supervisor->n_workers; i++) {
    struct child *worker = supervisor->workers[i];

    child_set_watchdog (worker, supervisor->configuration->herald
                                  ->workers.watchdog_ms);
    if (supervisor->is_replacing)
      child_stop (worker, stop_ms);
    else if (is_other_store)
      child_restart (worker, stop_ms);
    else
      child_reload (worker);
  }
}

/* Everybody has the new one now, or it took too long. */
static void
reload_end (struct supervisor *supervisor, bool is_failed)
{
  struct renewal *renewal = supervisor->renewal;

  supervisor->is_reloading = false;
  loop_timer_stop (supervisor->reload_timer);
  renewal_end (renewal, is_failed);
  log_notice ("reload: %s; %u change%s, %u left as it was",
              is_failed ? "failed, everything stays as it was"
              : renewal_n_kept (renewal) > 0 ? "done in part" : "done",
              renewal_n_changed (renewal),
              renewal_n_changed (renewal) == 1 ? "" : "s",
              renewal_n_kept (renewal));
  supervisor_tell (supervisor, supervisor->was_ready ? "READY=1\n" : "");
  if (supervisor->is_reload_due)
    supervisor_reload (supervisor);
}

/* What is another's can't be told, and nobody knows when it ends; what
 * comes after it reads what is new by itself. */
static bool
reload_has_all (const struct supervisor *supervisor)
{
  const struct child *intake = supervisor->intake;

  if (supervisor->is_replacing
      || (!child_is_settled (intake) && !child_waits_for_place (intake)))
    return false;
  for (uint32_t i = 0; i < supervisor->n_workers; i++)
    if (!child_is_settled (supervisor->workers[i])
        && !child_waits_for_place (supervisor->workers[i]))
      return false;
  return true;
}

static void
reload_tell_late (struct supervisor *supervisor, const struct child *child)
{
  if (child_waits_for_place (child))
    renewal_kept (supervisor->renewal, "%s of a former herald serve goes on "
                  "as it was until it has ended", child_name (child));
  else if (!child_is_settled (child))
    renewal_kept (supervisor->renewal, "%s is not up with it yet, see the "
                  "log", child_name (child));
}

void
supervisor_reload_goes_on (struct supervisor *supervisor)
{
  if (!supervisor->is_reloading)
    return;
  if (!reload_has_all (supervisor)
      && loop_timer_is_set (supervisor->reload_timer))
    return;
  reload_tell_late (supervisor, supervisor->intake);
  for (uint32_t i = 0; i < supervisor->n_workers; i++)
    reload_tell_late (supervisor, supervisor->workers[i]);
  reload_end (supervisor, false);
}

static void
reload_apply (struct supervisor *supervisor, struct configuration *old)
{
  bool is_other_store = reload_is_other_store (supervisor,
                                               &old->herald->store);

  reload_tell_host (supervisor, old);
  reload_tell_integrations (supervisor, old);
  child_set_watchdog (supervisor->intake, supervisor->configuration->herald
                                            ->workers.watchdog_ms);
  reload_intake (supervisor, old, is_other_store);
  reload_workers (supervisor, is_other_store);
}

/* Before the processes read it: one that crashes later finds them.  Which
 * integrations go on with theirs is told by who has them. */
void
supervisor_keep_copies (struct supervisor *supervisor,
                        struct configuration *configuration)
{
  struct problems *problems = problems_new ();
  char reason[500];

  configuration_recall (configuration, supervisor->state_directory,
                        problems);
  problems_free (problems);
  if (configuration_remember (configuration, supervisor->state_directory,
                              reason, sizeof reason) != 0)
    log_warning ("not every file of conf.d could be copied, so one that is "
                 "broken when a process starts may not be served: %s",
                 reason);
}

void
supervisor_reload (struct supervisor *supervisor)
{
  const struct supervisor_config *config = supervisor->config;
  struct configuration *old = supervisor->configuration, *fresh;
  struct problems *problems;

  if (supervisor->phase != SUPERVISOR_RUNS)
    return;
  supervisor->is_reload_due = supervisor->is_reloading;
  if (supervisor->is_reloading)
    return;
  supervisor->is_reloading = true;
  service_notify_reloading ();
  renewal_begin (supervisor->renewal);
  problems = problems_new ();
  fresh = configuration_read (config->config_directory, SECRETS_UNREAD,
                              problems);
  if (fresh != NULL) {
    configuration_keep_old (fresh, old, problems);
    supervisor_keep_copies (supervisor, fresh);
  }
  config->read (config->data, problems,
                fresh != NULL ? fresh->herald : NULL);
  problems_free (problems);
  if (fresh == NULL) {
    renewal_kept (supervisor->renewal, "everything: the configuration can't "
                  "be used, see \"herald check\"");
    reload_end (supervisor, true);
    return;
  }
  supervisor->configuration = fresh;
  loop_timer_set (supervisor->reload_timer,
                  loop_now_us (supervisor->loop) + RELOAD_MS * 1000);
  /* Children answer one after the other, but none before all are told. */
  supervisor->is_reloading = false;
  reload_apply (supervisor, old);
  supervisor->is_reloading = true;
  configuration_free (old);
  supervisor_reload_goes_on (supervisor);
}
