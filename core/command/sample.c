/* sample.c - an event made up for tests.
 *
 * SPDX-License-Identifier: MIT
 */

#include "sample.h"

#include <string.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/text.h"

/* JSON, so that numbers and booleans are what they are in real events. */
static const struct {
  const char *key;
  const char *json;
} sample_values[] = {
  { "address", "\"12 Example Street\"" },
  { "companyName", "\"Example Ltd\"" },
  { "connectionCountry", "\"FR\"" },
  { "country", "\"France\"" },
  { "countryCode", "\"FR\"" },
  { "cp", "\"75001\"" },
  { "customCheckbox", "true" },
  { "date", "\"2026-01-02\"" },
  { "dateWithTimezone", "\"2026-01-02T03:04:05+01:00\"" },
  { "dob", "\"1990-01-02\"" },
  { "firstName", "\"Test\"" },
  { "gender", "\"f\"" },
  { "ipAddress", "\"192.0.2.1\"" },
  { "lastName", "\"Person\"" },
  { "levelsPlayed", "3" },
  { "locale", "\"en\"" },
  { "optinNewsletter", "true" },
  { "phoneNumber", "\"+33100000000\"" },
  { "played", "true" },
  { "score", "42" },
  { "timeTaken", "61" },
  { "town", "\"Paris\"" },
  { "updatedAt", "\"2026-01-02T03:04:05Z\"" },
  { "updatedAtTimeStamp", "1767323045" },
  { "website", "\"https://www.example.com/\"" },
};

static void
sample_add_value (struct buf *out, const struct catalogue_field *field,
                  const char *email)
{
  struct buf text;

  for (size_t i = 0; i < sizeof sample_values / sizeof sample_values[0]; i++)
    if (strcmp (field->key, sample_values[i].key) == 0) {
      buf_add_text (out, sample_values[i].json);
      return;
    }
  if (strcmp (field->key, "email") == 0) {
    text_add_json (out, email, strlen (email));
    return;
  }
  buf_init (&text, 0);
  buf_printf (&text, "Sample %s", field->label);
  text_add_json (out, text.data, text.len);
  buf_done (&text);
}

struct event *
sample_event (const struct catalogue *catalogue, const char *workspace,
              const char *email)
{
  struct event_reader *reader = event_reader_new (NULL);
  struct event *event = NULL;
  struct event_error error;
  char id[CRYPTO_UUID_LEN + 1];
  struct buf text;

  buf_init (&text, 0);
  crypto_uuid_random (id);
  buf_printf (&text, "{\"specversion\":\"1.0\",\"id\":\"%s\","
              "\"source\":\"urn:herald:test\",\"type\":\"test\","
              "\"workspace\":", id);
  text_add_json (&text, workspace, strlen (workspace));
  buf_add_text (&text, ",\"time\":\"");
  date_add_rfc3339 (&text, date_now_ms ());
  buf_add_text (&text, "\",\"data\":{");
  for (size_t i = 0; i < catalogue_count (catalogue); i++) {
    const struct catalogue_field *field = catalogue_at (catalogue, i);

    buf_printf (&text, "%s\"%s\":", i > 0 ? "," : "", field->key);
    sample_add_value (&text, field,
                      email != NULL ? email : "test.person@example.com");
  }
  buf_add_text (&text, "}}");
  event_reader_read (reader, text.data, text.len, &event, &error);
  buf_done (&text);
  event_reader_free (reader);
  return event;
}
