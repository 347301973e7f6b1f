/* check.c - herald check: is the configuration right?
 *
 * SPDX-License-Identifier: MIT
 */

#include "check.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/json_doc.h"
#include "command.h"
#include "intake/tokens.h"
#include "options.h"
#include "output.h"

/* Not when the file is read: that may be before there are any. */
static void
check_allow (const struct session *session, unsigned line,
             const struct herald_allow *allow)
{
  const char *name = allow->user != NULL ? allow->user : allow->group;
  bool is_there;

  if (name[strspn (name, "0123456789")] == '\0')
    return;
  is_there = allow->user != NULL ? getpwnam (name) != NULL
                                 : getgrnam (name) != NULL;
  if (!is_there)
    problems_add (session->problems, PROBLEM_WARNING,
                  session->configuration->herald->path, line, NULL,
                  "there is no %s \"%s\" on this host, so nobody gets in as "
                  "that", allow->user != NULL ? "user" : "group", name);
}

static void
check_tokens (const struct session *session)
{
  const struct herald_xml *host = session->configuration->herald;
  unsigned line = host->intake.tokens_line;
  struct tokens *tokens;
  char reason[400];

  tokens = tokens_read (host->intake.tokens_path, reason, sizeof reason);
  if (tokens == NULL) {
    problems_add (session->problems, PROBLEM_ERROR, host->path, line, NULL,
                  "%s: %s", host->intake.tokens_path, reason);
    return;
  }
  for (size_t k = 0; tokens_at (tokens, k) != NULL; k++) {
    const struct caller *caller = tokens_at (tokens, k);

    for (size_t i = 0; i < caller->n_workspaces; i++)
      if (!herald_xml_has_workspace (host, caller->workspaces[i]))
        problems_add (session->problems, PROBLEM_WARNING, host->path, line,
                      NULL, "%s: the token of %s is for workspace \"%s\", "
                      "which is not declared", host->intake.tokens_path,
                      caller->name, caller->workspaces[i]);
  }
  tokens_free (tokens);
}

void
check_intake (const struct session *session)
{
  const struct herald_intake *intake;

  if (session->configuration == NULL)
    return;
  intake = &session->configuration->herald->intake;
  if (intake->tokens_path != NULL)
    check_tokens (session);
  for (size_t i = 0; i < intake->n_listens; i++)
    for (size_t k = 0; k < intake->listens[i].n_allows; k++)
      check_allow (session, intake->listens[i].line,
                   &intake->listens[i].allows[k]);
}

static void
check_print_json (const struct session *session)
{
  struct json_doc *doc = json_doc_object ();
  struct json_doc *list = json_doc_array ();

  for (size_t i = 0; i < problems_count (session->problems); i++) {
    const struct problem *problem = problems_at (session->problems, i);
    struct json_doc *row = json_doc_object ();

    json_doc_put (row, "severity",
                  json_doc_text (problem->severity == PROBLEM_ERROR
                                   ? "error" : "warning"));
    json_doc_put (row, "file", json_doc_text (problem->file));
    json_doc_put (row, "line", json_doc_number (problem->line));
    json_doc_put (row, "integration", json_doc_text (problem->integration));
    json_doc_put (row, "text", json_doc_text (problem->text));
    json_doc_push (list, row);
  }
  json_doc_put (doc, "errors",
                json_doc_number ((int64_t)
                                 problems_errors (session->problems)));
  json_doc_put (doc, "problems", list);
  output_json (doc);
}

static void
check_print_summary (const struct session *session)
{
  size_t errors = problems_errors (session->problems);
  size_t warnings = problems_warnings (session->problems);
  size_t good = 0, elsewhere = 0, broken = 0;

  for (size_t i = 0; i < session->n_integrations; i++) {
    good += session->integrations[i] != NULL;
    elsewhere += session->is_elsewhere[i];
  }
  if (session->configuration != NULL)
    broken = session->n_integrations - good - elsewhere
             + session->configuration->n_unread;
  printf ("%zu integration%s in order, ", good, good == 1 ? "" : "s");
  if (elsewhere > 0)
    printf ("%zu not checked in full, ", elsewhere);
  printf ("%zu broken, %zu error%s, %zu warning%s\n", broken,
          errors, errors == 1 ? "" : "s", warnings,
          warnings == 1 ? "" : "s");
}

int
command_check (const struct command_globals *globals, int argc, char **argv)
{
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "json", 0, NULL, "print the problems as JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "check",
    .usage = "[options]",
    .about = "Read herald.xml, every descriptor in conf.d and the plugins "
             "they name, and say what is wrong: file, line, what, and how "
             "to mend it.  Nothing is sent.",
    .rows = rows,
    .notes = "exit codes: 0 nothing wrong, 1 errors, 2 bad usage, 3 the "
             "configuration can't be used",
  };
  struct session *session;
  int n, status = EXIT_DONE;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  session = session_open (globals, SECRETS_ELSEWHERE);
  check_intake (session);
  if (is_json)
    check_print_json (session);
  else
    session_report (session);
  if (session->configuration == NULL)
    status = EXIT_CONFIG;
  else {
    if (!is_json)
      check_print_summary (session);
    if (problems_errors (session->problems) > 0)
      status = EXIT_NOT_ALL;
  }
  session_close (session);
  return status;
}
