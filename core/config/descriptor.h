/* descriptor.h - one integration as its XML file describes it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DESCRIPTOR_H
#define HERALD_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "event/condition.h"
#include "event/event.h"
#include "event/mail_form.h"
#include "event/mapping.h"
#include "herald_xml.h"
#include "problem.h"
#include "setting.h"

struct descriptor_delivery {    /* <delivery>; 0 or NULL: not given */
  size_t n_retries;             /* <retry schedule="5s 30s 2m"/> */
  const int64_t *retry_ms;
  uint32_t rate_limit;          /* <rate limit="100" per="10s"/> */
  uint32_t rate_ms;
  uint32_t batch_max;           /* <batch max="100" wait="200ms"/> */
  int64_t batch_wait_ms;        /* -1: not given */
  uint32_t in_flight;           /* <in-flight max="32"/> */
  int64_t connect_ms, total_ms; /* <timeouts connect="10s" total="60s"/> */
  bool http2;                   /* <http version="2"/> */
  const char *fallback;         /* <fallback integration="backup"/> */
  unsigned fallback_line;
};

struct descriptor {
  const char *path;             /* of the file */
  const char *name;
  const char *provider;
  const char *label;            /* NULL: the provider's preset */
  bool is_enabled;
  bool is_private;              /* others can't read the file */
  bool has_errors;              /* of its own: it must not be used */
  bool is_recalled;             /* of the last good copy of the file, which
                                   is broken (configuration_recall ()) */
  unsigned line, settings_line, mail_line, map_line;
  bool all_workspaces;
  size_t n_workspaces;
  const char **workspaces;      /* sorted (names.h) */
  size_t n_conditions;
  const struct condition **conditions;
  size_t n_settings;
  struct setting *settings;
  struct mapping *mapping;      /* never NULL */
  bool has_map;                 /* <map> was there */
  struct mail_form *mail;       /* NULL: no <mail> */
  struct descriptor_delivery delivery;
  unsigned char digest[CRYPTO_SHA256_LEN];      /* of what the file says but
                                   for comments, and of its settings' values
                                   from elsewhere */
};

enum {                          /* ceilings, past which XML is refused */
  DESCRIPTOR_MAX_IN_FLIGHT = 10000,
  DESCRIPTOR_MAX_BATCH = 10000
};

/* All memory is arena's.  Returns a descriptor even when it has errors, as
 * long as the root says its name, so that it can be listed; NULL else. */
struct descriptor *descriptor_read (const char *path,
                                    const struct herald_xml *host,
                                    struct arena *arena,
                                    struct problems *problems);
/* Of a copy of the file at path. */
struct descriptor *descriptor_read_copy (const char *copy, const char *path,
                                         const struct herald_xml *host,
                                         struct arena *arena,
                                         struct problems *problems);
struct descriptor *descriptor_read_text (const char *text, size_t len,
                                         const char *path,
                                         const struct herald_xml *host,
                                         struct arena *arena,
                                         struct problems *problems);

/* The arena is about to go: its secrets are not masked any more on its
 * account. */
void descriptor_forget (const struct descriptor *descriptor);

/* Names: [a-z][a-z0-9-]*, at most 64. */
bool descriptor_is_name (const char *name);

bool descriptor_serves (const struct descriptor *descriptor,
                        const char *workspace);
/* NULL if the event is wanted; else the condition that did not hold. */
const struct condition *
descriptor_unmet (const struct descriptor *descriptor,
                  const struct event *event);

/* Set enabled="..." in the file, in place: comments, order and spacing
 * stay, the file is replaced in one step with its owner and mode. -1 with
 * a reason that does not name the file. */
int descriptor_set_enabled (const char *path, bool is_enabled,
                            char *ret_reason, size_t size);

#endif
