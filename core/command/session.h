/* session.h - what most commands start with: the configuration read, the
 * integrations opened, and if asked for, a network.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SESSION_H
#define HERALD_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "config/configuration.h"
#include "delivery/exchange.h"
#include "provider/integration.h"
#include "provider/loader.h"
#include "provider/proof.h"
#include "transport/transport.h"

struct session {
  struct problems *problems;
  struct configuration *configuration;
  struct loader *loader;
  const char *state_directory;
  size_t n_integrations;        /* as many as descriptors, in their order */
  struct integration **integrations;    /* NULL: it could not be opened */
  bool *is_elsewhere;           /* of each: not opened, as only the service
                                   has its secrets; nothing else is wrong */

  /* After session_connect (). */
  struct loop *loop;
  struct guard *guard;
  struct transport *transport;
  struct exchanger *exchanger;
};

/* Read everything.  Never NULL; configuration is NULL if it can't be used
 * at all, and problems says why. */
struct session *session_open (const struct command_globals *globals,
                              enum secrets secrets);
void session_close (struct session *session);

/* -1 after logging why not. */
int session_connect (struct session *session, unsigned max_connections);

/* Log all problems; true if there were errors. */
bool session_report (const struct session *session);

/* The open integration of that name, or NULL after saying on standard
 * error why not: unknown (with the nearest name), or broken. */
struct integration *session_find (const struct session *session,
                                  const char *name);
/* The descriptor of that name, broken or not, or NULL after saying so. */
const struct descriptor *session_descriptor (const struct session *session,
                                             const char *name);
/* After a descriptor was changed: say what is left to do where a daemon
 * runs. */
void session_say_reload (const struct session *session);
/* A mailer whose test e-mail was not accepted with these settings. */
bool session_is_untested (const struct session *session,
                          const struct integration *integration);

#endif
