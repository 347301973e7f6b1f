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
 *     <store directory="/var/lib/herald/store" window="24h" history="30d"
 *            history-rows="2000000" most="10G">
 *       <commit wait="2ms" most="512"/>
 *     </store>
 *     <intake>
 *       <listen address="127.0.0.1:8414"/>
 *       <listen socket="/run/herald/intake.sock" mode="0660">
 *         <allow user="www-data" workspace="acme"/>
 *       </listen>
 *       <tokens path="intake.tokens"/>
 *       <limits body="8M" connections="1000" timeout="10s" events="10000"/>
 *     </intake>
 *     <workers number="1" watchdog="30s" stop="30s"/>
 *     <log format="auto" level="notice"/>
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
#include "base/crypto.h"
#include "base/log.h"
#include "event/catalogue.h"
#include "problem.h"
#include "setting.h"

struct herald_defaults {        /* <defaults provider=...> */
  const char *provider;
  unsigned line;
  size_t n_settings;
  const struct setting *settings;
};

struct herald_store {           /* <store> */
  const char *engine;           /* "sqlite" */
  const char *directory;        /* NULL: "store" in the state directory */
  int64_t window_ms;            /* how long an id counts as seen */
  int64_t history_ms, history_rows;     /* how long, and how much */
  int64_t most_bytes;           /* 0: no limit */
  int64_t commit_ms;            /* how long a commit waits for more ... */
  uint32_t commit_most;         /* ... and how many it is at most */
};

struct herald_allow {           /* <allow> of a socket */
  const char *user, *group;     /* a name or a number; one of them is NULL.
                                   Whether it exists was not looked up */
  bool all_workspaces;
  size_t n_workspaces;
  const char **workspaces;      /* all of them declared */
};

struct herald_listen {          /* <listen> */
  unsigned line;                /* 0: the default */
  const char *address;          /* "127.0.0.1:8414", "[::1]:8414"; NULL: a
                                   socket.  network_read_address () takes
                                   it */
  const char *socket;           /* its path; NULL: an address */
  unsigned mode;                /* of the socket */
  size_t n_allows;              /* besides root and our own user */
  const struct herald_allow *allows;
};

struct herald_intake {          /* <intake> */
  size_t n_listens;             /* 1 at least */
  const struct herald_listen *listens;
  const char *tokens_path;      /* NULL: none; not opened */
  unsigned tokens_line;
  int64_t max_body, timeout_ms; /* of a request */
  uint32_t max_connections, max_events;
};

struct herald_workers {         /* <workers> */
  uint32_t number;
  int64_t watchdog_ms, stop_ms;
};

enum herald_log_format {
  HERALD_LOG_AUTO,              /* plain on a terminal, else logfmt */
  HERALD_LOG_PLAIN, HERALD_LOG_LOGFMT, HERALD_LOG_JSON
};

struct herald_log {             /* <log>; options of the command go before */
  enum herald_log_format format;
  enum log_level level;
};

struct herald_xml {
  const char *path;
  bool is_private;              /* others can't read it */
  bool is_recalled;             /* from its last good copy */
  enum secrets secrets;         /* UNREAD: ca_file was not looked at */
  size_t n_workspaces;
  const char **workspaces;      /* sorted (names.h) */
  struct catalogue *catalogue;          /* the built-in fields and <fields> */
  size_t n_allowed;
  const char **allowed;                 /* "10.1.0.0/16", checked */
  bool allow_http;
  const char *proxy;                    /* NULL: none */
  const char *ca_file;                  /* NULL: the system's */
  unsigned char ca_digest[CRYPTO_SHA256_LEN];   /* of what it holds */
  int64_t connect_ms, total_ms;
  int64_t max_event, max_reply;         /* bytes */
  const char *state_directory;          /* NULL: the built-in one */
  struct herald_store store;
  struct herald_intake intake;
  struct herald_workers workers;
  struct herald_log log;
  size_t n_defaults;
  const struct herald_defaults *defaults;
};

/* All memory is arena's but the catalogue, which herald_xml_done frees.
 * NULL with problems added; a default that can't be fetched is none yet
 * (setting.h).  With SECRETS_UNREAD no other file is opened. */
struct herald_xml *herald_xml_read (const char *path, enum secrets secrets,
                                    struct arena *arena,
                                    struct problems *problems);
/* From another file, as if it were the one at path. */
struct herald_xml *herald_xml_read_copy (const char *copy, const char *path,
                                         enum secrets secrets,
                                         struct arena *arena,
                                         struct problems *problems);
/* The same of a text; path is for messages. */
struct herald_xml *herald_xml_read_text (const char *text, size_t len,
                                         const char *path,
                                         enum secrets secrets,
                                         struct arena *arena,
                                         struct problems *problems);
void herald_xml_done (struct herald_xml *xml);

bool herald_xml_has_workspace (const struct herald_xml *xml,
                               const char *name);

#endif
