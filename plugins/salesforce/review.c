/* review.c - what can be wrong with an integration before anything is sent.
 *
 * SPDX-License-Identifier: MIT
 */

#include "review.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REVIEW_FIRST_VERSION = 46 };     /* earlier ones answer otherwise */

#define REVIEW_LETTERS \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static void
review_domain (const struct herald_settings *settings)
{
  const char *domain = herald->text (settings, "domain");

  if (strcasecmp (domain, "login.salesforce.com") == 0
      || strcasecmp (domain, "test.salesforce.com") == 0
      || strstr (domain, ".lightning.force.com") != NULL)
    herald->complain (settings, "domain",
                      "must be your My Domain host, like "
                      "acme.my.salesforce.com (see Setup, My Domain): %s gives "
                      "no token for an app's own credentials",
                      domain);
  else if (domain[strspn (domain, REVIEW_LETTERS "-.")] != '\0'
           || strchr (domain, '.') == NULL)
    herald->complain (settings, "domain",
                      "must be a host alone, like acme.my.salesforce.com");
}

static void
review_name (const struct herald_settings *settings, const char *name)
{
  const char *value = herald->text (settings, name);

  if (value[strspn (value, REVIEW_LETTERS "_")] != '\0')
    herald->complain (settings, name,
                      "must be an API name: letters, digits and _, like "
                      "Herald_Id__c");
}

static void
review_version (const struct herald_settings *settings)
{
  const char *version = herald->text (settings, "version");

  if (*version != 'v'
      || strcmp (version + 1 + strspn (version + 1, "0123456789"), ".0") != 0
      || strtol (version + 1, NULL, 10) < REVIEW_FIRST_VERSION)
    herald->complain (settings, "version", "must be v%d.0 or later",
                      REVIEW_FIRST_VERSION);
}

void
review_settings (const struct herald_settings *settings)
{
  review_domain (settings);
  review_name (settings, "object");
  review_name (settings, "external-id-field");
  review_version (settings);
}

/* What Salesforce asks of every contact and lead, and what it takes in the
 * path or beside the fields. */
void
review_map (const struct herald_settings *settings)
{
  const char *object = herald->text (settings, "object");
  const char *id_field = herald->text (settings, "external-id-field");
  bool is_lead = strcasecmp (object, "Lead") == 0;

  if (herald->maps (settings, id_field))
    herald->complain (settings, id_field,
                      "is the External ID Field, set from External ID Source: "
                      "remove its row from <map>");
  if (herald->maps (settings, "Id"))
    herald->complain (settings, "Id",
                      "is given by Salesforce: remove its row from <map>");
  if (!is_lead && strcasecmp (object, "Contact") != 0)
    return;
  if (!herald->maps (settings, "LastName"))
    herald->complain (settings, "LastName",
                      "is missing, and Salesforce makes no %s without it: add "
                      "<field name=\"LastName\" source=\"lastName\" "
                      "default=\"-\"/> to <map>",
                      object);
  if (!herald->maps (settings, "Email") && strcasecmp (id_field, "Email") != 0)
    herald->warn (settings, "Email",
                  "is not mapped, so nobody can write to these people: add "
                  "<field name=\"Email\" source=\"email\"/> to <map>");
  /* With person accounts a lead without one is a person: no error. */
  if (is_lead && !herald->maps (settings, "Company"))
    herald->warn (settings, "Company",
                  "is not mapped; unless person accounts are on, Salesforce "
                  "makes no Lead without it: add <field name=\"Company\" "
                  "value=\"-\"/> to <map>");
}
