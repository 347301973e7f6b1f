/* fixture.h - an integration as a case describes it, and its events.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef PLUGIN_TEST_FIXTURE_H
#define PLUGIN_TEST_FIXTURE_H

#include <stddef.h>

#include "case.h"
#include "config/configuration.h"
#include "event/event.h"
#include "provider/integration.h"

#define FIXTURE_WORKSPACE "acme"

struct fixture {
  const struct test_case *test;
  struct arena *arena;
  struct problems *problems;
  struct herald_xml herald;
  struct herald_defaults defaults;
  struct configuration configuration;
  struct descriptor *descriptor;
  struct integration *integration;      /* NULL: it did not open */
  size_t n_events;
  struct event **events;
};

/* What is wrong is in problems.  loader knows the plugin already. */
void fixture_open (struct fixture *fixture, const struct test_case *test,
                   struct loader *loader, const struct provider *provider);
/* The case's events, each string of their data changed by change (unless
 * it is NULL), which returns arena memory or NULL to keep it.  -1 with a
 * reason. */
typedef const char *fixture_change_fn (void *data, const char *text);
int fixture_read_events (struct fixture *fixture, fixture_change_fn *change,
                         void *data, char *ret_reason, size_t size);
void fixture_close (struct fixture *fixture);

/* 00000000-0000-8000-8000-00000000000N, of event k. */
const char *fixture_delivery_id (const struct fixture *fixture, size_t k);

#endif
