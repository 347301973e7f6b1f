/* integration-fixture.h - a host of its own, to open integrations on.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef INTEGRATION_FIXTURE_H
#define INTEGRATION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/redact.h"
#include "provider/integration.h"

/* What an XML descriptor of a test needs around its middle. */
#define DESCRIPTOR(provider, middle)                                \
  "<integration xmlns=\"urn:herald:integration:1\" name=\"crm\""    \
  " provider=\"" provider "\" enabled=\"true\">"                    \
  "<workspaces all=\"true\"/>" middle "</integration>"

struct host_fixture {
  struct arena *arena;
  struct problems *problems;
  struct herald_xml herald;
  struct configuration configuration;
  struct loader *loader;
};

static inline void
host_fixture_open (struct host_fixture *host)
{
  memset (host, 0, sizeof *host);
  host->arena = arena_new (0);
  host->problems = problems_new ();
  host->herald.path = "herald.xml";
  host->herald.catalogue = catalogue_new ();
  host->configuration.arena = host->arena;
  host->configuration.directory = ".";
  host->configuration.herald = &host->herald;
  host->loader = loader_new (NULL);
}

static inline void
host_fixture_close (struct host_fixture *host)
{
  loader_free (host->loader);
  catalogue_free (host->herald.catalogue);
  problems_free (host->problems);
  arena_free (host->arena);
  redact_forget_all ();
}

static inline void
host_fixture_adopt (struct host_fixture *host,
                    const struct herald_plugin *plugin)
{
  static const struct herald_abi abi = {
    HERALD_ABI_MAJOR, HERALD_ABI_MINOR, sizeof (struct herald_plugin),
    sizeof (struct herald_field), 0
  };
  char reason[1200];

  if (loader_adopt (host->loader, &abi, plugin, reason, sizeof reason)
      == NULL)
    fail_msg ("%s", reason);
}

/* NULL: problems says why. */
static inline struct integration *
host_fixture_integration (struct host_fixture *host, const char *xml)
{
  struct descriptor *descriptor
    = descriptor_read_text (xml, strlen (xml), "conf.d/crm.xml",
                            &host->herald, host->arena, host->problems);

  if (descriptor == NULL || descriptor->has_errors)
    fail_msg ("%s", problems_at (host->problems, 0)->text);
  descriptor->is_private = true;
  return integration_open (&host->configuration, descriptor, host->loader,
                           host->problems);
}

#endif
