/* proof.c - a mailer sends nothing until its test e-mail was accepted.
 *
 * SPDX-License-Identifier: MIT
 */

#include "proof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/json_doc.h"
#include "base/memory.h"
#include "base/new_file.h"
#include "base/trust.h"

enum { PROOF_KEY_LEN = 32, PROOF_MAX_LEN = 4096 };

/* A file of the directory, malloc'd. */
static char *
proof_path (const char *directory, const char *name, const char *suffix)
{
  struct buf path = BUF_INIT (0);

  buf_printf (&path, "%s/%s%s", directory, name, suffix);
  return buf_steal (&path);
}

static int
refuse_errno (char *reason, size_t size, const char *what, const char *path)
{
  snprintf (reason, size, "can't %s %s: %s", what, path, strerror (errno));
  return -1;
}

/* Replaced in one step, or, if is_kept, made unless it is there. */
static int
place (const char *directory, const char *path, bool is_kept,
       const void *data, size_t len, char *reason, size_t size)
{
  struct buf beside = BUF_INIT (0);
  char *temporary;
  int status;

  buf_printf (&beside, "%s.%ld.tmp", path, (long) getpid ());
  temporary = buf_steal (&beside);
  status = new_file_write (temporary, data, len, 0600);
  if (status == 0 && is_kept) {
    status = link (temporary, path);
    if (status == -1 && errno == EEXIST)
      status = 0;
    unlink (temporary);
  } else if (status == 0)
    status = rename (temporary, path);
  if (status == 0)
    status = new_file_sync_directory (directory);
  if (status == -1) {
    refuse_errno (reason, size, "write", path);
    unlink (temporary);
  }
  free (temporary);
  return status;
}

static char *
read_key (const char *directory, char *reason, size_t size)
{
  char *path = proof_path (directory, "key", "");
  size_t len = 0;
  char *key = trust_read (path, TRUST_PRIVATE, PROOF_KEY_LEN + 1, &len,
                          reason, size);

  if (key != NULL && len != PROOF_KEY_LEN) {
    snprintf (reason, size, "%s is damaged: remove it and test again",
              path);
    free (key);
    key = NULL;
  }
  free (path);
  return key;
}

static char *
make_key (const char *directory, char *reason, size_t size)
{
  unsigned char bytes[PROOF_KEY_LEN];
  char *path = proof_path (directory, "key", "");
  int status = 0;

  if (access (path, F_OK) == -1) {
    crypto_random (bytes, sizeof bytes);
    status = place (directory, path, true, bytes, sizeof bytes, reason,
                    size);
    memory_wipe (bytes, sizeof bytes);
  }
  free (path);
  return status == -1 ? NULL : read_key (directory, reason, size);
}

/* Each part with its length in front, so that no two read alike. */
static void
add_part (struct buf *out, const char *text)
{
  if (text == NULL)
    buf_add_text (out, "-;");
  else
    buf_printf (out, "%zu:%s;", strlen (text), text);
}

static void
add_fingerprint (struct buf *out, const struct integration *integration,
                 const char *key)
{
  const struct mail_form *mail = integration->descriptor->mail;
  unsigned char mac[CRYPTO_SHA256_LEN];
  struct buf all = BUF_INIT (0);

  add_part (&all, "herald proof 1");
  add_part (&all, integration->provider->name);
  add_part (&all, mail == NULL ? NULL : mail->from_address);
  add_part (&all, mail == NULL ? NULL : mail->reply_to_address);
  add_part (&all, mail == NULL ? NULL : mail->bcc_address);
  add_part (&all, mail == NULL ? NULL : mail->template_id);
  settings_add_canonical (integration->settings, &all);
  crypto_hmac_sha256 (key, PROOF_KEY_LEN, all.data, all.len, mac);
  crypto_add_hex (out, mac, sizeof mac);
  memory_wipe (all.data, all.len);
  buf_done (&all);
}

static struct json_doc *
read_proof (const char *directory, const char *name)
{
  char reason[512];
  char *path = proof_path (directory, name, ".json");
  size_t len = 0;
  char *text = trust_read (path, 0, PROOF_MAX_LEN, &len, reason,
                           sizeof reason);
  struct json_doc *doc = text == NULL ? NULL
                                      : json_doc_read (text, len, reason);

  free (text);
  free (path);
  return doc;
}

enum proof_kind
proof_read (const char *state_directory,
            const struct integration *integration, int64_t *ret_time_ms)
{
  char reason[512];
  struct json_doc *doc = read_proof (state_directory, integration->name);
  const char *known, *when;
  char *key = NULL;
  struct buf own = BUF_INIT (0);
  enum proof_kind kind = PROOF_NONE;

  if (doc == NULL)
    return PROOF_NONE;
  known = json_doc_as_text (json_doc_get (doc, "fingerprint"));
  when = json_doc_as_text (json_doc_get (doc, "accepted"));
  key = read_key (state_directory, reason, sizeof reason);
  if (known != NULL && when != NULL && key != NULL) {
    add_fingerprint (&own, integration, key);
    kind = strlen (known) == own.len
           && crypto_equal (known, own.data, own.len) ? PROOF_GOOD
                                                      : PROOF_STALE;
    if (ret_time_ms != NULL)
      *ret_time_ms = date_read_rfc3339 (when, strlen (when));
  }
  if (key != NULL)
    memory_wipe (key, PROOF_KEY_LEN);
  free (key);
  buf_done (&own);
  json_doc_free (doc);
  return kind;
}

int
proof_write (const char *state_directory,
             const struct integration *integration, char *ret_reason,
             size_t size)
{
  struct buf text = BUF_INIT (0);
  struct json_doc *doc;
  char *key, *path, *written;
  int status;

  if (mkdir (state_directory, 0700) == -1 && errno != EEXIST)
    return refuse_errno (ret_reason, size, "make the directory",
                         state_directory);
  key = make_key (state_directory, ret_reason, size);
  if (key == NULL)
    return -1;

  doc = json_doc_object ();
  json_doc_put (doc, "integration", json_doc_text (integration->name));
  json_doc_put (doc, "provider",
                json_doc_text (integration->provider->name));
  add_fingerprint (&text, integration, key);
  json_doc_put (doc, "fingerprint", json_doc_text (text.data));
  buf_clear (&text);
  date_add_rfc3339 (&text, date_now_ms ());
  json_doc_put (doc, "accepted", json_doc_text (text.data));
  written = json_doc_write (doc, true);
  path = proof_path (state_directory, integration->name, ".json");
  status = place (state_directory, path, false, written, strlen (written),
                  ret_reason, size);

  free (path);
  free (written);
  json_doc_free (doc);
  buf_done (&text);
  memory_wipe (key, PROOF_KEY_LEN);
  free (key);
  return status;
}

void
proof_remove (const char *state_directory, const char *name)
{
  char *path = proof_path (state_directory, name, ".json");

  unlink (path);
  free (path);
}
