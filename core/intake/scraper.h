/* scraper.h - the figures for /metrics, made by a thread of their own.
 *
 * Counting what a large store holds takes a while, which neither requests
 * nor commits shall wait for.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SCRAPER_H
#define HERALD_SCRAPER_H

#include <stddef.h>

#include "base/loop.h"
#include "http.h"
#include "queue/queue.h"

struct scraper;

/* Opens the store for itself when it is first asked.  NULL: there is no
 * thread to be had. */
struct scraper *scraper_new (struct loop *loop, const char *run_directory,
                             const struct queue_config *queue);
void scraper_free (struct scraper *scraper);    /* NULL is fine */

/* Answers the request when the figures are there, or with 503 if too many
 * wait already. */
void scraper_ask (struct scraper *scraper, struct http_request *request);

#endif
