/* logging.h - how this run logs: what the options say, then herald.xml.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LOGGING_H
#define HERALD_LOGGING_H

#include <stdbool.h>

#include "command.h"
#include "config/herald_xml.h"

/* auto, plain, logfmt or json. */
bool logging_is_format (const char *text);

/* Of a command that a person waits for: plain unless --log says other. */
void logging_begin (const struct command_globals *globals);

/* Of a daemon's process, such as "worker-0" (the string must live on): at
 * its start with NULL, when herald.xml was read, and after each reload.
 * --log and -v go before what <log> says.  A flood of lines of one kind
 * is cut short from now on. */
void logging_daemon (const struct command_globals *globals,
                     const char *process, const struct herald_log *log);

#endif
