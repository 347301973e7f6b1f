/* descriptor_delivery.c - what <delivery> of a descriptor says.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/number.h"
#include "config/descriptor_reading.h"

enum {
  MAX_RETRIES = 32,
  MAX_DURATION = 64,            /* bytes of one, as written */
  MAX_RATE = 1000000,
  SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR
};

static const char *const delivery_children[] = {
  "retry", "rate", "batch", "in-flight", "timeouts", "http", "fallback", NULL
};

/* An attribute with a number from 1 to most; else *ret_value stays. */
static void
read_count (const struct descriptor_reading *reading,
            const struct xml_node *node, const char *name, int64_t most,
            uint32_t *ret_value)
{
  const char *text = xml_attribute (node, name);
  int64_t value;

  if (text == NULL)
    return;
  if (number_read (text, strlen (text), 1, most, &value) < 0)
    descriptor_complain (reading, node, "%s=\"%.32s\" of <%s> is no number "
                         "between 1 and %lld", name, text, node->name,
                         (long long) most);
  else
    *ret_value = (uint32_t) value;
}

/* An attribute with a duration from least to most, which most_text
 * spells; else *ret_ms stays. */
static void
read_span (const struct descriptor_reading *reading,
           const struct xml_node *node, const char *name, int64_t least,
           int64_t most, const char *most_text, int64_t *ret_ms)
{
  const char *text = xml_attribute (node, name);
  int64_t ms;

  if (text == NULL)
    return;
  if (number_read_duration (text, &ms) < 0 || ms < least || ms > most)
    descriptor_complain (reading, node, "%s=\"%.32s\" of <%s> is no duration "
                         "between %lld ms and %s; write it like 10s", name,
                         text, node->name, (long long) least, most_text);
  else
    *ret_ms = ms;
}

/* One entry of the schedule; -1 if it is none. */
static int
read_delay (const char *text, size_t len, int64_t *ret_ms)
{
  char entry[MAX_DURATION];
  int64_t ms;

  if (len >= sizeof entry)
    return -1;
  memcpy (entry, text, len);
  entry[len] = '\0';
  if (number_read_duration (entry, &ms) < 0 || ms < 1
      || ms > 7 * (int64_t) DAY)
    return -1;
  *ret_ms = ms;
  return 0;
}

static void
read_retry (const struct descriptor_reading *reading,
            const struct xml_node *node)
{
  static const char *const attributes[] = { "schedule", NULL };
  static const char space[] = " \t\r\n";
  struct descriptor_delivery *delivery = &reading->descriptor->delivery;
  const char *at = descriptor_required (reading, node, "schedule");
  int64_t delays[MAX_RETRIES];
  int64_t *copy;
  size_t n = 0;

  descriptor_expect (reading, node, attributes, NULL);
  if (at == NULL)
    return;
  for (at += strspn (at, space); *at != '\0'; at += strspn (at, space)) {
    size_t len = strcspn (at, space);

    if (n == MAX_RETRIES || read_delay (at, len, &delays[n]) < 0)
      break;
    n++;
    at += len;
  }
  if (*at != '\0' && n < MAX_RETRIES) {
    descriptor_complain (reading, node, "\"%.*s\" in the retry schedule is "
                         "no duration between 1ms and 7d; write it like "
                         "5s 30s 2m", (int) strcspn (at, space), at);
    return;
  }
  if (*at != '\0' || n == 0) {
    descriptor_complain (reading, node, "the retry schedule must have 1 to "
                         "%d entries", MAX_RETRIES);
    return;
  }
  copy = arena_zeroed (reading->arena, n, sizeof *copy);
  memcpy (copy, delays, n * sizeof *copy);
  delivery->retry_ms = copy;
  delivery->n_retries = n;
}

static void
read_rate (const struct descriptor_reading *reading,
           const struct xml_node *node)
{
  static const char *const attributes[] = { "limit", "per", NULL };
  struct descriptor_delivery *delivery = &reading->descriptor->delivery;
  int64_t per_ms = SECOND;

  descriptor_expect (reading, node, attributes, NULL);
  descriptor_required (reading, node, "limit");
  read_count (reading, node, "limit", MAX_RATE, &delivery->rate_limit);
  read_span (reading, node, "per", 1, DAY, "24h", &per_ms);
  if (delivery->rate_limit > 0)
    delivery->rate_ms = (uint32_t) per_ms;
}

static void
read_batch (const struct descriptor_reading *reading,
            const struct xml_node *node)
{
  static const char *const attributes[] = { "max", "wait", NULL };
  struct descriptor_delivery *delivery = &reading->descriptor->delivery;

  descriptor_expect (reading, node, attributes, NULL);
  read_count (reading, node, "max", DESCRIPTOR_MAX_BATCH,
              &delivery->batch_max);
  read_span (reading, node, "wait", 0, 10 * MINUTE, "10m",
             &delivery->batch_wait_ms);
}

static void
read_in_flight (const struct descriptor_reading *reading,
                const struct xml_node *node)
{
  static const char *const attributes[] = { "max", NULL };

  descriptor_expect (reading, node, attributes, NULL);
  descriptor_required (reading, node, "max");
  read_count (reading, node, "max", DESCRIPTOR_MAX_IN_FLIGHT,
              &reading->descriptor->delivery.in_flight);
}

static void
read_timeouts (const struct descriptor_reading *reading,
               const struct xml_node *node)
{
  static const char *const attributes[] = { "connect", "total", NULL };
  struct descriptor_delivery *delivery = &reading->descriptor->delivery;
  int64_t connect, total;

  descriptor_expect (reading, node, attributes, NULL);
  read_span (reading, node, "connect", 1, HOUR, "1h",
             &delivery->connect_ms);
  read_span (reading, node, "total", 1, HOUR, "1h", &delivery->total_ms);
  connect = delivery->connect_ms > 0 ? delivery->connect_ms
                                     : reading->host->connect_ms;
  total = delivery->total_ms > 0 ? delivery->total_ms
                                 : reading->host->total_ms;
  if (total < connect)
    descriptor_complain (reading, node, "the total timeout is shorter than "
                         "the one to connect; give both");
}

static void
read_http (const struct descriptor_reading *reading,
           const struct xml_node *node)
{
  static const char *const attributes[] = { "version", NULL };
  const char *version = descriptor_required (reading, node, "version");

  descriptor_expect (reading, node, attributes, NULL);
  if (version == NULL)
    return;
  if (strcmp (version, "1.1") != 0 && strcmp (version, "2") != 0)
    descriptor_complain (reading, node, "version=\"%.16s\" of <http> is "
                         "neither 1.1 nor 2", version);
  reading->descriptor->delivery.http2 = strcmp (version, "2") == 0;
}

/* Whether there is such an integration, configuration.c sees. */
static void
read_fallback (const struct descriptor_reading *reading,
               const struct xml_node *node)
{
  static const char *const attributes[] = { "integration", NULL };
  struct descriptor_delivery *delivery = &reading->descriptor->delivery;
  const char *name = descriptor_required (reading, node, "integration");

  descriptor_expect (reading, node, attributes, NULL);
  if (name == NULL)
    return;
  if (!descriptor_is_name (name))
    descriptor_complain (reading, node, "integration=\"%.64s\" of "
                         "<fallback> is no name: small letters, digits and "
                         "-", name);
  else if (strcmp (name, reading->descriptor->name) == 0)
    descriptor_complain (reading, node, "<fallback> names the integration "
                         "itself; name another one, or remove it");
  else
    delivery->fallback = arena_strdup (reading->arena, name);
  delivery->fallback_line = node->line;
}

struct part {
  const char *name;
  void (*read) (const struct descriptor_reading *reading,
                const struct xml_node *node);
};

static const struct part parts[] = {
  { "retry", read_retry }, { "rate", read_rate }, { "batch", read_batch },
  { "in-flight", read_in_flight }, { "timeouts", read_timeouts },
  { "http", read_http }, { "fallback", read_fallback }
};

void
descriptor_read_delivery (const struct descriptor_reading *reading,
                          const struct xml_node *node)
{
  descriptor_expect (reading, node, NULL, delivery_children);
  xml_expect_once (reading->doc, node, NULL, reading->descriptor->name,
                   reading->problems);
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    const struct xml_node *child = xml_child (node, parts[k].name);

    if (child != NULL)
      parts[k].read (reading, child);
  }
}
