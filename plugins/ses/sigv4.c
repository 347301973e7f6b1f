/* sigv4.c - Amazon's Signature Version 4, of any request.
 *
 * Three texts, each made of the one before: the canonical request, the
 * string to sign, the signature.  The specification is "Create a signed
 * AWS API request" of AWS Identity and Access Management; its test suite
 * is tests/unit/test-sigv4.c.
 *
 * SPDX-License-Identifier: MIT
 */

#include "sigv4.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

enum { SIGV4_HASH = 32, SIGV4_DAY = 8 }; /* bytes; letters of YYYYMMDD */

static const char sigv4_algorithm[] = "AWS4-HMAC-SHA256";

/* Names in order, and the lines of headers. */
struct sigv4_headers {
  const char *names; /* "host;x-amz-date" */
  const char *lines;
};

/* "20150830T123600Z" */
static const char *
sigv4_date (int64_t time_ms)
{
  time_t seconds = (time_t) (time_ms / 1000);
  struct tm parts = { 0 };
  char text[64] = "";

  gmtime_r (&seconds, &parts);
  strftime (text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return herald->format ("%s", text);
}

static const char *
sigv4_hash (const void *data, size_t len)
{
  unsigned char hash[SIGV4_HASH];

  herald->sha256 (data, len, hash);
  return herald->hex (hash, sizeof hash);
}

/* Without ".", ".." and empty segments, each of the others escaped once
 * more. */
static const char *
sigv4_path (const char *path)
{
  const char *made = "";
  bool has_slash = *path != '\0' && path[strlen (path) - 1] == '/';

  while (*path != '\0') {
    size_t len = strcspn (path, "/");
    const char *segment = herald->format ("%.*s", (int) len, path);

    if (strcmp (segment, "..") == 0) {
      const char *last = strrchr (made, '/');

      made = last == NULL ? ""
                          : herald->format ("%.*s", (int) (last - made), made);
    } else if (len > 0 && strcmp (segment, ".") != 0)
      made = herald->format ("%s/%s", made, herald->url_escape (segment));
    path += len + (path[len] == '/');
  }
  return has_slash || *made == '\0' ? herald->format ("%s/", made) : made;
}

/* Add to pairs that are in order, behind those of its name; or, where
 * values matter, by value among them. */
static void
sigv4_insert (struct herald_header *pairs, size_t n,
              const struct herald_header *pair, bool by_value)
{
  for (; n > 0; n--) {
    int order = strcmp (pairs[n - 1].name, pair->name);

    if (order == 0 && by_value)
      order = strcmp (pairs[n - 1].value, pair->value);
    if (order <= 0)
      break;
    pairs[n] = pairs[n - 1];
  }
  pairs[n] = *pair;
}

static const char *
sigv4_query (const struct sigv4_request *request)
{
  struct herald_header *pairs
    = herald->alloc ((request->n_query + 1) * sizeof *pairs);
  const char *made = "";

  for (size_t k = 0; k < request->n_query; k++) {
    struct herald_header pair
      = { herald->url_escape (request->query[k].name),
          herald->url_escape (request->query[k].value) };

    sigv4_insert (pairs, k, &pair, true);
  }
  for (size_t k = 0; k < request->n_query; k++)
    made = herald->format ("%s%s%s=%s", made, k > 0 ? "&" : "", pairs[k].name,
                           pairs[k].value);
  return made;
}

/* Locales have no say in which letters are small. */
static const char *
sigv4_lower (const char *name)
{
  size_t len = strlen (name);
  char *made = herald->alloc (len + 1);

  for (size_t k = 0; k < len; k++)
    made[k]
      = (char) (name[k] >= 'A' && name[k] <= 'Z' ? name[k] + 32 : name[k]);
  return made;
}

/* No space at the ends, and one between words. */
static const char *
sigv4_trim (const char *value)
{
  static const char spaces[] = " \t\r\n";
  char *made = herald->alloc (strlen (value) + 1), *to = made;

  value += strspn (value, spaces);
  while (*value != '\0') {
    size_t len = strcspn (value, spaces);

    memcpy (to, value, len);
    to += len;
    value += len;
    value += strspn (value, spaces);
    if (*value != '\0')
      *to++ = ' ';
  }
  return made;
}

static struct sigv4_headers
sigv4_headers (const struct herald_header *headers, size_t n)
{
  struct herald_header *pairs = herald->alloc ((n + 1) * sizeof *pairs);
  struct sigv4_headers made = { "", "" };

  for (size_t k = 0; k < n; k++) {
    struct herald_header pair
      = { sigv4_lower (headers[k].name), sigv4_trim (headers[k].value) };

    sigv4_insert (pairs, k, &pair, false);
  }
  for (size_t k = 0; k < n; k++) {
    bool is_repeated = k > 0 && strcmp (pairs[k].name, pairs[k - 1].name) == 0;

    if (is_repeated)
      made.lines = herald->format ("%s,%s", made.lines, pairs[k].value);
    else {
      made.names = herald->format ("%s%s%s", made.names, k > 0 ? ";" : "",
                                   pairs[k].name);
      made.lines = herald->format ("%s%s%s:%s", made.lines, k > 0 ? "\n" : "",
                                   pairs[k].name, pairs[k].value);
    }
  }
  return made;
}

/* A key for one day, region and service, and with it the signature. */
static const char *
sigv4_mac (const struct sigv4_keys *keys, const char *day, const char *text)
{
  const char *first = herald->format ("AWS4%s", keys->secret_key);
  const char *const steps[]
    = { keys->region, keys->service, "aws4_request", text };
  unsigned char mac[SIGV4_HASH], next[SIGV4_HASH];

  herald->hmac_sha256 (first, strlen (first), day, strlen (day), mac);
  for (size_t k = 0; k < HERALD_COUNT (steps); k++) {
    herald->hmac_sha256 (mac, sizeof mac, steps[k], strlen (steps[k]), next);
    memcpy (mac, next, sizeof mac);
  }
  return herald->hex (mac, sizeof mac);
}

void
sigv4_sign (const struct sigv4_request *request, const struct sigv4_keys *keys,
            struct sigv4_signature *ret_signature)
{
  const char *date = sigv4_date (request->time_ms);
  const char *day = herald->format ("%.*s", SIGV4_DAY, date);
  const char *scope = herald->format ("%s/%s/%s/aws4_request", day,
                                      keys->region, keys->service);
  size_t n = request->n_headers;
  struct herald_header *all = herald->alloc ((n + 2) * sizeof *all);
  struct sigv4_headers headers;
  const char *text;

  for (size_t k = 0; k < n; k++)
    all[k] = request->headers[k];
  all[n++] = (struct herald_header){ "x-amz-date", date };
  if (keys->session_token != NULL)
    all[n++]
      = (struct herald_header){ "x-amz-security-token", keys->session_token };
  headers = sigv4_headers (all, n);

  text = herald->format ("%s\n%s\n%s\n%s\n\n%s\n%s", request->method,
                         sigv4_path (request->path), sigv4_query (request),
                         headers.lines, headers.names,
                         sigv4_hash (request->body, request->body_len));
  text = herald->format ("%s\n%s\n%s\n%s", sigv4_algorithm, date, scope,
                         sigv4_hash (text, strlen (text)));
  ret_signature->date = date;
  ret_signature->authorization = herald->format (
    "%s Credential=%s/%s, SignedHeaders=%s, Signature=%s", sigv4_algorithm,
    keys->access_key, scope, headers.names, sigv4_mac (keys, day, text));
}
