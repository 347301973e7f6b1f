/* host_table.h - the table's functions; herald-plugin.h says what each
 * promises.  All take NULL where a plugin may hand on what it read.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_HOST_TABLE_H
#define HERALD_HOST_TABLE_H

#include "herald-plugin.h"
#include "host.h"

/* The job of the callback under way, or NULL. */
struct job *host_job (void);

const char *host_text (const struct herald_settings *settings,
                       const char *name);
const char *host_text_at (const struct herald_settings *settings,
                          const char *name, size_t k);
int64_t host_number (const struct herald_settings *settings, const char *name);
int host_maps (const struct herald_settings *settings, const char *target);
void host_complain (const struct herald_settings *settings, const char *name,
                    const char *fmt, ...) HERALD_PRINTF (3, 4);
void host_warn (const struct herald_settings *settings, const char *name,
                const char *fmt, ...) HERALD_PRINTF (3, 4);
void host_limit_batch (const struct herald_settings *settings, uint32_t most);
uint32_t host_batch (const struct herald_settings *settings);
const struct herald_mail *
host_mail_form (const struct herald_settings *settings);
void host_whole_records (const struct herald_settings *settings);

const struct herald_settings *host_settings (const struct herald_job *job);
size_t host_count (const struct herald_job *job);
const struct herald_delivery *host_delivery (const struct herald_job *job,
                                             size_t i);
const char *host_record (const struct herald_job *job, size_t i);
const char *host_value (const struct herald_job *job, size_t i,
                        const char *target);
const char *host_source (const struct herald_job *job, size_t i,
                         const char *key);
const struct herald_mail *host_mail (const struct herald_job *job, size_t i);
const char *host_job_id (const struct herald_job *job);
struct herald_request *host_request (struct herald_job *job,
                                     const char *method, const char *url,
                                     herald_reply_fn *on_reply);

void host_delivered (struct herald_job *job, size_t i, const char *reference);
void host_retry (struct herald_job *job, size_t i, int64_t after_ms,
                 const char *fmt, ...) HERALD_PRINTF (4, 5);
void host_rejected (struct herald_job *job, size_t i, const char *fmt, ...)
  HERALD_PRINTF (3, 4);
void host_settle (struct herald_job *job, const struct herald_reply *reply,
                  int outcome, const char *fmt, ...) HERALD_PRINTF (4, 5);
void host_verified (struct herald_job *job, int how, const char *fmt, ...)
  HERALD_PRINTF (3, 4);
void host_wait (struct herald_job *job, int64_t ms);
void host_rate (struct herald_job *job, uint32_t requests, uint32_t per_ms);
void host_token (struct herald_job *job, const char *token,
                 const char *base_url, int64_t lifetime_ms);
const char *host_token_url (const struct herald_job *job);

size_t host_covered (const struct herald_reply *reply, size_t k);
const char *host_reply_header (const struct herald_reply *reply,
                               const char *name);
int64_t host_header_number (const struct herald_reply *reply,
                            const char *name);
int host_json_kind (const struct herald_reply *reply, const char *fmt, ...)
  HERALD_PRINTF (2, 3);
const char *host_json_text (const struct herald_reply *reply, const char *fmt,
                            ...) HERALD_PRINTF (2, 3);
int64_t host_json_number (const struct herald_reply *reply, const char *fmt,
                          ...) HERALD_PRINTF (2, 3);
size_t host_json_count (const struct herald_reply *reply, const char *fmt, ...)
  HERALD_PRINTF (2, 3);

#endif
