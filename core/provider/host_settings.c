/* host_settings.c - what plugins read of their settings, and say of them.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/settings.h"
#include "host_table.h"
#include "job_state.h"

/* What is missing may not have been declared: that is the plugin's fault,
 * and no setting's. */
static void
check_declared (const struct herald_settings *settings, const char *name)
{
  if (settings != NULL && name != NULL && settings_knows (settings, name))
    return;
  job_spoil (host_job (),
             "it reads the setting %s, which it does not "
             "declare",
             name != NULL ? name : "NULL");
}

const char *
host_text (const struct herald_settings *settings, const char *name)
{
  const char *text = NULL;

  if (settings != NULL && name != NULL)
    text = settings_text (settings, name);
  if (text == NULL)
    check_declared (settings, name);
  return text;
}

const char *
host_text_at (const struct herald_settings *settings, const char *name,
              size_t k)
{
  const char *text = NULL;

  if (settings != NULL && name != NULL)
    text = settings_text_at (settings, name, k);
  if (text == NULL)
    check_declared (settings, name);
  return text;
}

int64_t
host_number (const struct herald_settings *settings, const char *name)
{
  int64_t number = 0;

  if (settings != NULL && name != NULL)
    number = settings_number (settings, name);
  if (number == 0)
    check_declared (settings, name);
  return number;
}

int
host_maps (const struct herald_settings *settings, const char *target)
{
  return settings != NULL && target != NULL
         && settings_maps (settings, target);
}

static void host_complain_as (enum problem_severity severity,
                              const struct herald_settings *settings,
                              const char *name, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 4, 0)));

static void
host_complain_as (enum problem_severity severity,
                  const struct herald_settings *settings, const char *name,
                  const char *fmt, va_list args)
{
  if (settings == NULL || fmt == NULL)
    return;
  settings_complain (settings, severity, name,
                     arena_vprintf (host_arena (), fmt, args));
}

void
host_complain (const struct herald_settings *settings, const char *name,
               const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  host_complain_as (PROBLEM_ERROR, settings, name, fmt, args);
  va_end (args);
}

void
host_warn (const struct herald_settings *settings, const char *name,
           const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  host_complain_as (PROBLEM_WARNING, settings, name, fmt, args);
  va_end (args);
}

void
host_limit_batch (const struct herald_settings *settings, uint32_t most)
{
  if (settings != NULL && most > 0)
    settings_limit_batch (settings, most);
}

uint32_t
host_batch (const struct herald_settings *settings)
{
  uint32_t most = settings != NULL ? settings_batch (settings) : 0;

  return most > 0 ? most : 1;
}

const struct herald_mail *
host_mail_form (const struct herald_settings *settings)
{
  return settings != NULL ? settings_mail (settings) : NULL;
}

void
host_whole_records (const struct herald_settings *settings)
{
  if (settings != NULL)
    settings_want_whole (settings);
}
