/* descriptor_reading.h - what the parts that read a descriptor share.
 *
 * Only for descriptor*.c.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DESCRIPTOR_READING_H
#define HERALD_DESCRIPTOR_READING_H

#include "config/descriptor.h"
#include "config/xml.h"

#define DESCRIPTOR_NS "urn:herald:integration:1"

struct descriptor_reading {
  const struct xml_doc *doc;
  const struct herald_xml *host;
  struct arena *arena;
  struct problems *problems;
  struct descriptor *descriptor;
};

/* An error at that element. */
void descriptor_complain (const struct descriptor_reading *reading,
                          const struct xml_node *node, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 3, 4)));
/* xml_expect, without text. */
void descriptor_expect (const struct descriptor_reading *reading,
                        const struct xml_node *node,
                        const char *const *attributes,
                        const char *const *children);
/* An attribute that must be there and not be empty; NULL after a
 * complaint. */
const char *descriptor_required (const struct descriptor_reading *reading,
                                 const struct xml_node *node,
                                 const char *name);

/* The rows of <map> or <parameters>. */
void descriptor_read_rows (const struct descriptor_reading *reading,
                           const struct xml_node *node,
                           const char *row_name, struct mapping *mapping);
void descriptor_read_mail (const struct descriptor_reading *reading,
                           const struct xml_node *node);
void descriptor_read_delivery (const struct descriptor_reading *reading,
                               const struct xml_node *node);

#endif
