/* session.c - what most commands start with.
 *
 * SPDX-License-Identifier: MIT
 */

#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/redact.h"
#include "base/text.h"
#include "serve/pidfile.h"

/* Integrations that are opened only where their secrets are. */
static void
session_open_integration (struct session *session, size_t i)
{
  const struct descriptor *descriptor
    = session->configuration->descriptors[i];
  size_t errors = problems_errors (session->problems);

  if (descriptor->has_errors)
    return;
  session->integrations[i]
    = integration_open (session->configuration, descriptor, session->loader,
                        session->problems);
  session->is_elsewhere[i] = session->integrations[i] == NULL
                             && problems_errors (session->problems) == errors;
}

struct session *
session_open (const struct command_globals *globals, enum secrets secrets)
{
  struct session *session = memory_zeroed (1, sizeof *session);
  struct configuration *configuration;

  session->problems = problems_new ();
  session->loader = loader_new (globals->plugin_directory);
  configuration = configuration_read (globals->config_directory, secrets,
                                      session->problems);
  session->configuration = configuration;
  if (configuration == NULL)
    return session;
  session->state_directory = globals->state_directory;
  if (session->state_directory == NULL)
    session->state_directory = configuration->herald->state_directory;
  if (session->state_directory == NULL)
    session->state_directory = HERALD_STATEDIR;
  session->n_integrations = configuration->n_descriptors;
  session->integrations = memory_zeroed (session->n_integrations + 1,
                                         sizeof *session->integrations);
  session->is_elsewhere = memory_zeroed (session->n_integrations + 1,
                                         sizeof *session->is_elsewhere);
  for (size_t i = 0; i < session->n_integrations; i++)
    session_open_integration (session, i);
  return session;
}

void
session_close (struct session *session)
{
  if (session == NULL)
    return;
  transport_free (session->transport);
  exchanger_free (session->exchanger);
  guard_free (session->guard);
  loop_free (session->loop);
  for (size_t i = 0; i < session->n_integrations; i++)
    integration_close (session->integrations[i]);
  free (session->integrations);
  free (session->is_elsewhere);
  configuration_free (session->configuration);
  loader_free (session->loader);
  problems_free (session->problems);
  free (session);
  redact_forget_all ();
}

int
session_connect (struct session *session, unsigned max_connections)
{
  const struct herald_xml *host = session->configuration->herald;
  struct transport_config config = {
    .ca_file = host->ca_file,
    .proxy = host->proxy,
    .max_reply = (size_t) host->max_reply,
    .max_connections = max_connections,
  };
  char reason[200];

  session->guard = guard_new (host->allowed, host->n_allowed, reason);
  if (session->guard == NULL) {
    log_error ("%s: %s", host->path, reason);
    return -1;
  }
  session->loop = loop_new ();
  config.guard = session->guard;
  session->transport = transport_new (session->loop, &config, reason);
  if (session->transport == NULL) {
    log_error ("%s: %s", host->path, reason);
    return -1;
  }
  session->exchanger = exchanger_new (session->transport);
  return 0;
}

bool
session_report (const struct session *session)
{
  return problems_log (session->problems, true);
}

/* Whether there is a problem with conf.d/NAME.xml. */
static bool
session_is_unread (const struct session *session, const char *name)
{
  struct buf path = BUF_INIT (0);
  bool is_found = false;

  buf_printf (&path, "%s/conf.d/%s.xml", session->configuration->directory,
              name);
  for (size_t i = 0; i < problems_count (session->problems); i++)
    if (strcmp (problems_at (session->problems, i)->file, path.data) == 0)
      is_found = true;
  buf_done (&path);
  return is_found;
}

const struct descriptor *
session_descriptor (const struct session *session, const char *name)
{
  const struct configuration *configuration = session->configuration;
  const struct descriptor *found;
  const char **names, *nearest;

  if (configuration == NULL)
    return NULL;
  found = configuration_find (configuration, name);
  if (found != NULL)
    return found;
  names = memory_zeroed (configuration->n_descriptors + 1, sizeof *names);
  for (size_t i = 0; i < configuration->n_descriptors; i++)
    names[i] = configuration->descriptors[i]->name;
  nearest = text_nearest (name, names);
  if (session_is_unread (session, name))
    log_error ("there is no integration %s: %s/conf.d/%s.xml has errors, see "
               "\"herald check\"", name, configuration->directory, name);
  else if (nearest != NULL)
    log_error ("there is no integration %s in %s/conf.d; did you mean %s?",
               name, configuration->directory, nearest);
  else
    log_error ("there is no integration %s in %s/conf.d; \"herald list\" "
               "shows what there is", name, configuration->directory);
  free (names);
  return NULL;
}

static void
session_report_errors (const struct session *session, const char *name)
{
  for (size_t i = 0; i < problems_count (session->problems); i++) {
    const struct problem *problem = problems_at (session->problems, i);

    if (problem->severity == PROBLEM_ERROR
        && strcmp (problem->integration, name) == 0)
      problem_log (problem);
  }
  log_error ("integration %s can't be used: its configuration has errors",
             name);
}

struct integration *
session_find (const struct session *session, const char *name)
{
  const struct descriptor *descriptor = session_descriptor (session, name);

  if (descriptor == NULL)
    return NULL;
  for (size_t i = 0; i < session->n_integrations; i++)
    if (session->integrations[i] != NULL
        && session->integrations[i]->descriptor == descriptor)
      return session->integrations[i];
  session_report_errors (session, name);
  return NULL;
}

void
session_say_reload (const struct session *session)
{
  if (pidfile_find (session->state_directory) != 0)
    log_notice ("herald serve goes on as before until \"herald reload\"");
}

bool
session_is_untested (const struct session *session,
                     const struct integration *integration)
{
  return integration->is_mailer
         && proof_read (session->state_directory, integration, NULL)
              != PROOF_GOOD;
}
