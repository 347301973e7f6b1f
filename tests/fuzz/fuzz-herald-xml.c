/* fuzz-herald-xml.c - any bytes, read as herald.xml.
 *
 * What is read must hold what herald_xml.h promises, and what can't be
 * read must have a problem that says so.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"
#include "config/herald_xml.h"
#include "config/network.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
expect (bool is_so)
{
  if (!is_so)
    abort ();
}

static void
check_allow (const struct herald_xml *xml, const struct herald_allow *allow)
{
  expect ((allow->user == NULL) != (allow->group == NULL));
  expect (allow->all_workspaces ? allow->n_workspaces == 0
                                : allow->n_workspaces > 0);
  for (size_t k = 0; k < allow->n_workspaces; k++)
    expect (herald_xml_has_workspace (xml, allow->workspaces[k]));
}

static void
check_listen (const struct herald_xml *xml,
              const struct herald_listen *listen)
{
  struct network_address address;
  char reason[200];

  expect ((listen->address == NULL) != (listen->socket == NULL));
  if (listen->address != NULL) {
    expect (network_read_address (listen->address, &address, reason) == 0);
    expect (strcmp (address.text, listen->address) == 0);
    expect (listen->n_allows == 0 && listen->mode == 0);
  } else
    expect (listen->socket[0] == '/' && strlen (listen->socket) <= 107
            && listen->mode <= 0777);
  for (size_t k = 0; k < listen->n_allows; k++)
    check_allow (xml, &listen->allows[k]);
}

static void
check (const struct herald_xml *xml)
{
  const struct herald_store *store = &xml->store;
  const struct herald_intake *intake = &xml->intake;
  const struct herald_workers *workers = &xml->workers;

  for (size_t k = 0; k < xml->n_workspaces; k++) {
    expect (herald_xml_has_workspace (xml, xml->workspaces[k]));
    expect (k == 0 || strcmp (xml->workspaces[k - 1],
                              xml->workspaces[k]) < 0);
  }
  expect (xml->total_ms >= xml->connect_ms && xml->connect_ms > 0);
  expect (store->engine != NULL && store->window_ms > 0
          && store->history_ms >= 0 && store->history_rows >= 0
          && store->most_bytes >= 0 && store->commit_ms >= 0
          && store->commit_most > 0 && store->commit_most <= 100000);
  expect (store->directory == NULL || store->directory[0] == '/');
  expect (intake->n_listens > 0 && intake->max_body >= 1024
          && intake->max_connections > 0 && intake->max_events > 0
          && intake->timeout_ms > 0);
  for (size_t k = 0; k < intake->n_listens; k++)
    check_listen (xml, &intake->listens[k]);
  expect (workers->number > 0 && workers->number <= 64
          && workers->watchdog_ms > 0 && workers->stop_ms >= 0);
  expect (xml->log.level >= LOG_LEVEL_ERROR
          && xml->log.level <= LOG_LEVEL_DEBUG);
  for (size_t k = 0; k < xml->n_defaults; k++)
    for (size_t i = 0; i < xml->defaults[k].n_settings; i++)
      expect (xml->defaults[k].settings[i].value == NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct arena *arena = arena_new (0);
  struct problems *problems = problems_new ();
  struct herald_xml *xml;

  xml = herald_xml_read_text ((const char *) data, size, "/etc/herald.xml",
                              SECRETS_UNREAD, arena, problems);
  if (xml != NULL)
    check (xml);
  expect ((xml == NULL) == (problems_errors (problems) > 0));
  for (size_t k = 0; k < problems_count (problems); k++)
    expect (problems_at (problems, k)->text[0] != '\0'
            && strpbrk (problems_at (problems, k)->text, "\r\n") == NULL);
  herald_xml_done (xml);
  problems_free (problems);
  arena_free (arena);
  redact_forget_all ();
  return 0;
}
