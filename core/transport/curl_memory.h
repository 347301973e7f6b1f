/* curl_memory.h - where libcurl's buffers lie.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CURL_MEMORY_H
#define HERALD_CURL_MEMORY_H

/* The least that libcurl takes as CURLOPT_UPLOAD_BUFFERSIZE. */
enum { CURL_MEMORY_BUFFER = 16 * 1024 };

/* curl_global_init, with allocation functions that know that buffer; to be
 * called once for each curl_global_cleanup.  -1 if libcurl does not
 * start. */
int curl_memory_init (void);
#endif
