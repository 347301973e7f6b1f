/* review.h - what can be wrong with an integration before anything is sent.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef SALESFORCE_REVIEW_H
#define SALESFORCE_REVIEW_H

#include "herald-plugin.h"

/* Complain of, or warn of, what Salesforce would refuse. */
void review_settings (const struct herald_settings *settings);
void review_map (const struct herald_settings *settings);

#endif /* SALESFORCE_REVIEW_H */
