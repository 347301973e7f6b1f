/* keyring.h - order keys: deliveries of the same key go one by one.
 *
 * A key is held from the moment its first delivery may go until that has
 * ended; those that come meanwhile wait in line behind it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_KEYRING_H
#define HERALD_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "delivery.h"

struct keyring;

struct keyring *keyring_new (void);
/* Nothing may be held any more. */
void keyring_free (struct keyring *keyring);

/* True: delivery holds its key now and may go.  False: it waits. */
bool keyring_hold (struct keyring *keyring, struct delivery *delivery);
/* It has ended: the next of its key, which holds it now, or NULL. */
struct delivery *keyring_release (struct keyring *keyring,
                                  const struct delivery *delivery);

#endif
