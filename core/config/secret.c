/* secret.c - where a setting's value comes from: file, env, credential.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/secret.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/trust.h"

enum { MAX_PATH = 4096 };

/* One line break at the end, as every editor leaves it, is not meant. */
static size_t
without_line_break (const char *value, size_t len)
{
  if (len > 0 && value[len - 1] == '\n')
    len--;
  if (len > 0 && value[len - 1] == '\r')
    len--;
  return len;
}

/* Check what was read and cut its line break off; on failure wipe and
 * free it. */
static char *
accept (char *value, size_t len, const char *what, const char *where,
        char *ret_reason, size_t size)
{
  size_t kept = without_line_break (value, len);
  const char *fault = NULL;

  if (kept == 0)
    fault = "is empty; write the value into it";
  else if (len > SECRET_MAX_LEN)
    fault = "holds more than 64 KiB";
  else if (!text_is_utf8 (value, kept))
    fault = "holds bytes that are not UTF-8 text";
  if (fault == NULL) {
    value[kept] = '\0';
    return value;
  }
  snprintf (ret_reason, size, "%s %s %s", what, where, fault);
  memory_wipe (value, len);
  free (value);
  return NULL;
}

static char *
read_path (const char *path, const char *what, char *ret_reason,
           size_t size)
{
  char reason[300];
  size_t len = 0;
  char *value = trust_read (path, TRUST_PRIVATE, SECRET_MAX_LEN + 2, &len,
                            reason, sizeof reason);

  if (value == NULL) {
    snprintf (ret_reason, size, "%s %s: %s", what, path, reason);
    return NULL;
  }
  return accept (value, len, what, path, ret_reason, size);
}

static char *
read_file (const char *where, const char *dir, char *ret_reason,
           size_t size)
{
  char path[MAX_PATH];
  int len;

  if (where[0] == '/')
    len = snprintf (path, sizeof path, "%s", where);
  else
    len = snprintf (path, sizeof path, "%s/%s", dir, where);
  if (len < 0 || (size_t) len >= sizeof path) {
    snprintf (ret_reason, size, "the secret file's path is too long");
    return NULL;
  }
  return read_path (path, "the secret file", ret_reason, size);
}

static char *
read_variable (const char *name, bool *ret_is_elsewhere, char *ret_reason,
               size_t size)
{
  const char *value = getenv (name);
  size_t len;

  if (value == NULL) {
    *ret_is_elsewhere = true;
    snprintf (ret_reason, size, "the environment variable %s is not set",
              name);
    return NULL;
  }
  len = strlen (value);
  return accept (memory_strndup (value, len), len,
                 "the environment variable", name, ret_reason, size);
}

/* A command of the unit beside the service may have the variable, and no
 * access to what it names. */
static char *
read_credential (const char *name, bool *ret_is_elsewhere, char *ret_reason,
                 size_t size)
{
  const char *dir = getenv ("CREDENTIALS_DIRECTORY");
  char path[MAX_PATH];
  int len;

  if (strchr (name, '/') != NULL || name[0] == '.') {
    snprintf (ret_reason, size, "a credential's name has no slash and does "
              "not start with a dot");
    return NULL;
  }
  *ret_is_elsewhere = dir == NULL || access (dir, R_OK | X_OK) != 0;
  if (dir == NULL || dir[0] == '\0') {
    snprintf (ret_reason, size, "the credential %s can't be read: "
              "CREDENTIALS_DIRECTORY is not set; start herald through "
              "systemd with LoadCredential=%s:...", name, name);
    return NULL;
  }
  len = snprintf (path, sizeof path, "%s/%s", dir, name);
  if (len < 0 || (size_t) len >= sizeof path) {
    snprintf (ret_reason, size, "the credential's path is too long");
    return NULL;
  }
  return read_path (path, "the credential", ret_reason, size);
}

char *
secret_read (const char *from, const char *where, const char *dir,
             bool *ret_is_elsewhere, char *ret_reason, size_t size)
{
  *ret_is_elsewhere = false;
  if (where[0] == '\0') {
    snprintf (ret_reason, size, "from=\"%s\" does not say which", from);
    return NULL;
  }
  if (strcmp (from, "file") == 0)
    return read_file (where, dir, ret_reason, size);
  if (strcmp (from, "env") == 0)
    return read_variable (where, ret_is_elsewhere, ret_reason, size);
  if (strcmp (from, "credential") == 0)
    return read_credential (where, ret_is_elsewhere, ret_reason, size);
  snprintf (ret_reason, size, "from=\"%.32s\" is none of \"file\", \"env\" "
            "and \"credential\"", from);
  return NULL;
}
