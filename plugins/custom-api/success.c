/* success.c - the statuses that mean delivered.
 *
 * SPDX-License-Identifier: MIT
 */

#include "success.h"

#include <string.h>

/* What follows the three digits, or NULL. */
static const char *
success_read_status (const char *text, int *ret_status)
{
  int status = 0;

  for (size_t k = 0; k < 3; k++) {
    if (text[k] < '0' || text[k] > '9')
      return NULL;
    status = status * 10 + (text[k] - '0');
  }
  if (status < SUCCESS_FIRST_STATUS || status > SUCCESS_LAST_STATUS)
    return NULL;
  *ret_status = status;
  return text + 3 + strspn (text + 3, " ");
}

/* "200-204, 409" */
static int
success_read_list (struct success *success, const char *text)
{
  int first, last;

  for (;; text += 1 + strspn (text + 1, " ")) {
    text = success_read_status (text, &first);
    if (text == NULL)
      return -1;
    last = first;
    if (*text == '-')
      text = success_read_status (text + 1 + strspn (text + 1, " "), &last);
    if (text == NULL || last < first)
      return -1;
    memset (&success->has[first], true, (size_t) (last - first + 1));
    if (*text != ',')
      return *text == '\0' ? 0 : -1;
  }
}

void
success_read (struct success *success, const struct herald_settings *settings)
{
  memset (success->has, false, sizeof success->has);
  if (success_read_list (success, herald->text (settings, "success")) < 0)
    herald->complain (settings, "success",
                      "must list statuses between %d and %d, like \"200-204, "
                      "409\"",
                      SUCCESS_FIRST_STATUS, SUCCESS_LAST_STATUS);
}

bool
success_has (const struct success *success, int32_t status)
{
  return status >= SUCCESS_FIRST_STATUS && status <= SUCCESS_LAST_STATUS
         && success->has[status];
}
