/* settings.h - the values of one integration, checked against what its
 * plugin declares.
 *
 * struct herald_settings, opaque in the SDK, is this.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SETTINGS_H
#define HERALD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "event/catalogue.h"
#include "event/mapping.h"
#include "herald-plugin.h"
#include "problem.h"
#include "setting.h"

/* What the check needs to know besides the values. */
struct settings_scope {
  const char *integration;
  const char *file;             /* the descriptor */
  unsigned line;                /* of <settings>, for what is missing */
  const struct catalogue *catalogue;
  const struct mapping *mapping;        /* rows: of <map> or <parameters> */
  const struct herald_mail *mail;       /* what each mail has; NULL: none */
  bool allow_http;              /* http URLs to loopback are fine */
  bool is_private_file;         /* others can't read the descriptor, so
                                   secrets may stand in it */
};

/* Check the given settings, then the host's defaults for what is not
 * given, against the declared fields (already the core's copies, in an
 * array).  Errors: unknown names (nearest one named), a required one
 * missing (its label and an example), wrong type, choice, range, more
 * than one where not MANY, HOST_ONLY in a descriptor, an inline SECRET in
 * a file that others can read, a SOURCE that is no source field, a TARGET
 * that no row maps, a default that is to be used and could not be fetched;
 * warnings: DEPRECATED, a setting whose .when does not
 * hold, which then reads as not given.  Empty values count as not given.
 * Returns NULL only if there were errors, or a value is not to be had here
 * (SECRETS_ELSEWHERE), all else being right. */
struct herald_settings *
settings_new (struct arena *arena, const struct settings_scope *scope,
              const struct herald_field *fields, size_t n_fields,
              const struct setting *given, size_t n_given,
              const struct setting *defaults, size_t n_defaults,
              struct problems *problems);

/* Its secrets are not masked on its account any more.  What was given to
 * settings_new must still be there.  NULL is fine; the arena's memory
 * stays. */
void settings_forget (const struct herald_settings *settings);

/* As in the SDK's text, text_at, number and maps.  is_known: false when
 * the plugin asks for a setting it did not declare (its fault). */
const char *settings_text (const struct herald_settings *settings,
                           const char *name);
const char *settings_text_at (const struct herald_settings *settings,
                              const char *name, size_t k);
int64_t settings_number (const struct herald_settings *settings,
                         const char *name);
bool settings_maps (const struct herald_settings *settings,
                    const char *target);
bool settings_knows (const struct herald_settings *settings,
                     const char *name);

/* complain () and warn (): a problem at the line of that setting.  The
 * problems of settings_new must live until settings_seal, after which
 * complaints are only counted. */
void settings_complain (const struct herald_settings *settings,
                        enum problem_severity severity, const char *name,
                        const char *text);
size_t settings_complaints (const struct herald_settings *settings);
void settings_seal (struct herald_settings *settings);
void settings_limit_batch (const struct herald_settings *settings,
                           uint32_t most);
uint32_t settings_batch_limit (const struct herald_settings *settings);
                                        /* 0: not limited */
/* The most deliveries a job of this integration can have (herald->batch);
 * integration.c knows it.  1 until set. */
void settings_set_batch (struct herald_settings *settings, uint32_t most);
uint32_t settings_batch (const struct herald_settings *settings);
const struct herald_mail *
settings_mail (const struct herald_settings *settings);
/* What the plugin said in .open of its records (herald->whole_records). */
void settings_want_whole (const struct herald_settings *settings);
bool settings_wants_whole (const struct herald_settings *settings);

/* The field flagged HERALD_ORDER_KEY that has a value, or NULL. */
const struct herald_field *
settings_order_key (const struct herald_settings *settings);

/* Every name and value, in the order declared, in a form in which no two
 * different sets read alike: what a proof of the settings is made of.
 * Holds secrets. */
void settings_add_canonical (const struct herald_settings *settings,
                             struct buf *out);

#endif
