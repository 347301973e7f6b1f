/* herald_xml.h - herald.xml: what the host decides.
 *
 *   <herald xmlns="urn:herald:config:1">
 *     <workspaces><workspace name="acme"/></workspaces>
 *     <fields><field key="favouriteColour" label="Favourite Colour"/></fields>
 *     <network>
 *       <allow cidr="10.1.0.0/16"/>       private ranges that may be reached
 *       <allow-http/>                     plain http, to loopback only
 *       <proxy url="http://proxy:3128"/>
 *     </network>
 *     <tls ca-file="/etc/ssl/certs/ca-certificates.crt"/>
 *     <timeouts connect="10s" total="60s"/>
 *     <limits event="1M" reply="1M"/>
 *     <state directory="/var/lib/herald"/>
 *     <defaults provider="drimify">
 *       <setting name="relay">smtp://relay</setting>
 *     </defaults>
 *   </herald>
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_HERALD_XML_H
#define HERALD_HERALD_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "event/catalogue.h"
#include "problem.h"
#include "setting.h"

struct herald_defaults {        /* <defaults provider=...> */
  const char *provider;
  unsigned line;
  size_t n_settings;
  const struct setting *settings;
};

struct herald_xml {
  const char *path;
  size_t n_workspaces;
  const char **workspaces;
  struct catalogue *catalogue;          /* the built-in fields and <fields> */
  size_t n_allowed;
  const char **allowed;                 /* "10.1.0.0/16", checked */
  bool allow_http;
  const char *proxy;                    /* NULL: none */
  const char *ca_file;                  /* NULL: the system's */
  int64_t connect_ms, total_ms;
  int64_t max_event, max_reply;         /* bytes */
  const char *state_directory;          /* NULL: the built-in one */
  size_t n_defaults;
  const struct herald_defaults *defaults;
};

/* All memory is arena's but the catalogue, which herald_xml_done frees.
 * NULL with problems added. */
struct herald_xml *herald_xml_read (const char *path, struct arena *arena,
                                    struct problems *problems);
void herald_xml_done (struct herald_xml *xml);

bool herald_xml_has_workspace (const struct herald_xml *xml,
                               const char *name);

#endif
