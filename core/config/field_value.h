/* field_value.h - one value of a setting, checked against its field.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_FIELD_VALUE_H
#define HERALD_FIELD_VALUE_H

#include <stdint.h>

#include "base/arena.h"
#include "config/settings.h"
#include "herald-plugin.h"

struct field_value {
  const char *text;             /* as the plugin reads it */
  int64_t number;               /* of a number, duration, bool, choice */
};

enum { FIELD_VALUE_REASON = 400 };

/* -1 with what is wrong, to follow the setting's name: "must be between 1
 * and 65535".  Only names of fields, choices and mapping rows are quoted,
 * never another value. */
int field_value_read (const struct herald_field *field, const char *text,
                      const struct settings_scope *scope,
                      struct arena *arena, struct field_value *ret_value,
                      char ret_reason[FIELD_VALUE_REASON]);

#endif
