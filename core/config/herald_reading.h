/* herald_reading.h - what the parts that read herald.xml share.
 *
 * Only for herald_*.c.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_HERALD_READING_H
#define HERALD_HERALD_READING_H

#include "config/herald_xml.h"
#include "config/xml.h"

struct herald_reading {
  const struct xml_doc *doc;
  struct herald_xml *xml;
  struct arena *arena;
  struct problems *problems;
};

/* A problem at that element. */
void herald_complain (const struct herald_reading *reading,
                      enum problem_severity severity,
                      const struct xml_node *node, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 4, 5)));
/* xml_expect, without text. */
void herald_expect (const struct herald_reading *reading,
                    const struct xml_node *node,
                    const char *const *attributes,
                    const char *const *children);
/* An attribute that must be there and not be empty; NULL after a
 * complaint. */
const char *herald_required (const struct herald_reading *reading,
                             const struct xml_node *node, const char *name);
/* A path as written, or beside herald.xml if it is relative. */
const char *herald_beside (const struct herald_reading *reading,
                           const char *path);

/* Attributes that may be left out: *ret_value stays as it is without one,
 * and after a complaint. */
struct herald_range {
  int64_t least, most;
  const char *text;             /* both as they are written: "1ms and 1h" */
};
void herald_read_duration (const struct herald_reading *reading,
                           const struct xml_node *node, const char *name,
                           const struct herald_range *range,
                           int64_t *ret_ms);
void herald_read_size (const struct herald_reading *reading,
                       const struct xml_node *node, const char *name,
                       const struct herald_range *range,
                       int64_t *ret_bytes);
void herald_read_count (const struct herald_reading *reading,
                        const struct xml_node *node, const char *name,
                        const struct herald_range *range,
                        int64_t *ret_count);
/* One of choices, which ends with NULL. */
void herald_read_choice (const struct herald_reading *reading,
                         const struct xml_node *node, const char *name,
                         const char *const *choices, size_t *ret_choice);

/* The parts; each sets its defaults, and reads node unless that is
 * NULL. */
void herald_read_intake (const struct herald_reading *reading,
                         const struct xml_node *node);
void herald_read_log (const struct herald_reading *reading,
                      const struct xml_node *node);
void herald_read_store (const struct herald_reading *reading,
                        const struct xml_node *node);
void herald_read_workers (const struct herald_reading *reading,
                          const struct xml_node *node);

#endif
