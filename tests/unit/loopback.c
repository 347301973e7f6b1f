/* loopback.c - small servers for the tests of transport.
 *
 * SPDX-License-Identifier: MIT
 */

#include "loopback.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

_Atomic int loopback_connections, loopback_requests;
char loopback_last[65536];

struct listener {
  int fd;
  void *(*serve) (void *connection);
};

static void
say (int fd, const char *text)
{
  size_t len = strlen (text);

  while (len > 0) {
    ssize_t n = send (fd, text, len, MSG_NOSIGNAL);

    if (n <= 0)
      return;
    text += n;
    len -= (size_t) n;
  }
}

static void
reset (int fd)
{
  struct linger now = { .l_onoff = 1, .l_linger = 0 };

  setsockopt (fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* A request, head and body; its length, 0 at the end. */
static size_t
read_request (int fd, char *out, size_t size)
{
  size_t len = 0;

  for (;;) {
    const char *end = strstr (out, "\r\n\r\n"), *length;
    ssize_t n;

    if (end) {
      length = strcasestr (out, "\r\nContent-Length:");
      size_t body = length && length < end
                      ? strtoul (length + 17, NULL, 10) : 0;
      if (len >= (size_t) (end + 4 - out) + body)
        return len;
    }
    if (len + 1 >= size)
      return 0;
    n = recv (fd, out + len, size - 1 - len, 0);
    if (n <= 0)
      return 0;
    len += (size_t) n;
    out[len] = '\0';
  }
}

static void
say_many (int fd, const char *what, int n)
{
  char line[100];

  for (int i = 0; i < n; i++) {
    snprintf (line, sizeof line, "%s%d: %060d\r\n", what, i, i);
    say (fd, line);
  }
}

/* False: the connection ends. */
static int
answer (int fd, const char *path, const char *request, size_t len)
{
  char head[200];

  if (!strncmp (request, "CONNECT no.", 11))
    return say (fd, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), 0;
  if (!strncmp (request, "CONNECT login.", 14))
    return say (fd, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"), 0;
  if (!strcmp (path, "/half"))
    return say (fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), 0;
  if (!strcmp (path, "/halfhead"))
    return say (fd, "HTTP/1.1 503 No\r\nRetry-"), 0;
  if (!strcmp (path, "/reset"))
    return reset (fd), 0;
  if (!strcmp (path, "/slow"))
    return recv (fd, head, 1, 0) > 0;
  if (!strcmp (path, "/stall"))
    return say (fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"),
           recv (fd, head, 1, 0) > 0;
  if (!strcmp (path, "/garbage"))
    return say (fd, "SSH-2.0-OpenSSH_9\r\n\r\n"), 0;
  if (!strcmp (path, "/later"))
    usleep (50000);
  if (!strcmp (path, "/huge")) {
    say (fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    for (int i = 0; i < 100000; i++)
      say (fd, "0123456789");
  } else if (!strcmp (path, "/redirect"))
    say (fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\n"
             "Content-Length: 0\r\n\r\n");
  else if (!strcmp (path, "/hints"))
    say (fd, "HTTP/1.1 103 Early\r\nLink: early\r\n\r\nHTTP/1.1 429 Slow\r\n"
             "Retry-After:   7  \r\nX-Empty:\r\nContent-Length: 2\r\n\r\nno");
  else if (!strcmp (path, "/many")) {
    say (fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    say_many (fd, "X-", 200);
    say (fd, "\r\n");
  } else if (!strcmp (path, "/endless")) {
    say (fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    say_many (fd, "X-", 5000);
    return 0;
  } else if (!strcmp (path, "/trailers"))
    say (fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "2\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n");
  else if (!strncmp (request, "HEAD ", 5))
    say (fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  else {
    snprintf (head, sizeof head,
              "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
    say (fd, head);
    say (fd, request);
  }
  return strcmp (path, "/goodbye") != 0;
}

static void *
serve_http (void *connection)
{
  int fd = (int) (intptr_t) connection;
  char *request = calloc (1, sizeof loopback_last);
  char path[100];
  size_t len;

  while ((len = read_request (fd, request, sizeof loopback_last)) > 0) {
    const char *start = strchr (request, ' ') + 1;

    snprintf (path, sizeof path, "%.*s", (int) strcspn (start, " ?"), start);
    memcpy (loopback_last, request, len + 1);
    loopback_requests++;
    if (!answer (fd, path, request, len))
      break;
    request[0] = '\0';
  }
  free (request);
  close (fd);
  return NULL;
}

static size_t
read_line (FILE *in, char *line, size_t size)
{
  if (!fgets (line, (int) size, in))
    return 0;
  if (strlen (loopback_last) + strlen (line) < sizeof loopback_last)
    strcat (loopback_last, line);
  return strlen (line);
}

/* False: the connection ends. */
static int
take_message (FILE *in, int fd)
{
  char line[2000];

  say (fd, "354 go on\r\n");
  while (read_line (in, line, sizeof line) && strcmp (line, ".\r\n") != 0)
    ;
  loopback_requests++;
  if (strstr (loopback_last, "\r\nSubject: drop"))
    return 0;
  say (fd, strstr (loopback_last, "\r\nSubject: spam")
             ? "554 5.7.1 no spam\r\n" : "250 2.0.0 queued\r\n");
  /* What a server says to a connection that idles too long. */
  if (strstr (loopback_last, "\r\nSubject: bye"))
    return say (fd, "421 4.4.2 timeout\r\n"), 0;
  return 1;
}

static int
obey (FILE *in, int fd, const char *line, int *n_messages)
{
  if (!strncmp (line, "EHLO nosize", 11))
    say (fd, "250 loopback\r\n");
  else if (!strncmp (line, "EHLO old", 8))
    say (fd, "502 what\r\n");
  else if (!strncmp (line, "EHLO notls", 10))
    say (fd, "250-loopback\r\n250 STARTTLS\r\n");
  else if (!strncmp (line, "STARTTLS", 8))
    say (fd, "454 4.7.0 not now\r\n");
  else if (!strncmp (line, "EHLO", 4))
    say (fd, "250-loopback\r\n250-AUTH PLAIN\r\n250 SIZE\r\n");
  else if (!strncmp (line, "AUTH PLAIN", 10)) {
    char login[500];

    say (fd, "334 \r\n");
    if (!read_line (in, login, sizeof login))
      return 0;
    /* NUL "user" NUL "good" */
    say (fd, strcmp (login, "AHVzZXIAZ29vZA==\r\n")
               ? "535 5.7.8 no\r\n" : "235 ok\r\n");
  } else if (!strncmp (line, "MAIL FROM:<never@", 17))
    say (fd, "550 5.7.1 not you\r\n");
  else if (!strncmp (line, "MAIL FROM:<hang@", 16)) {
    char wait[10];

    return fgets (wait, sizeof wait, in) != NULL;
  } else if (!strncmp (line, "MAIL FROM:<dies@", 16))
    return 0;
  else if (!strncmp (line, "MAIL FROM:<dies-late@", 21) && *n_messages > 0)
    return 0;
  else if (!strncmp (line, "RCPT TO:<no", 11))
    say (fd, "550-5.1.1 no such\r\n550 5.1.1 user\r\n");
  else if (!strncmp (line, "RCPT TO:<later", 14))
    say (fd, "451 4.3.0 later\r\n");
  else if (!strncmp (line, "RCPT TO:<gone", 13))
    return 0;
  else if (!strncmp (line, "DATA", 4))
    return ++*n_messages, take_message (in, fd);
  else if (!strncmp (line, "QUIT", 4))  /* and no answer */
    sleep (1);
  else
    say (fd, "250 2.1.0 ok\r\n");
  return 1;
}

static void *
serve_smtp (void *connection)
{
  int fd = (int) (intptr_t) connection;
  FILE *in = fdopen (fd, "r");
  char line[2000];
  int n_messages = 0;

  loopback_last[0] = '\0';
  say (fd, "220 loopback ESMTP\r\n");
  while (read_line (in, line, sizeof line)) {
    if (!strncmp (line, "MAIL", 4))
      memmove (loopback_last, line, strlen (line) + 1);
    if (!obey (in, fd, line, &n_messages))
      break;
  }
  fclose (in);
  return NULL;
}

static void *
accept_all (void *data)
{
  struct listener *listener = data;

  for (;;) {
    pthread_t thread;
    int fd = accept (listener->fd, NULL, NULL);

    if (fd < 0)
      return NULL;
    loopback_connections++;
    if (pthread_create (&thread, NULL, listener->serve,
                        (void *) (intptr_t) fd) == 0)
      pthread_detach (thread);
  }
}

static int
bind_any (int *ret_fd)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t len = sizeof address;

  *ret_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (bind (*ret_fd, (struct sockaddr *) &address, len) < 0
      || getsockname (*ret_fd, (struct sockaddr *) &address, &len) < 0)
    abort ();
  return ntohs (address.sin_port);
}

static int
start (struct listener *listener)
{
  pthread_t thread;
  int port = bind_any (&listener->fd);

  if (listen (listener->fd, 1024) < 0
      || pthread_create (&thread, NULL, accept_all, listener) != 0)
    abort ();
  pthread_detach (thread);
  return port;
}

int
loopback_start_http (void)
{
  static struct listener listener = { -1, serve_http };

  return start (&listener);
}

int
loopback_start_smtp (void)
{
  static struct listener listener = { -1, serve_smtp };

  return start (&listener);
}

int
loopback_dead_port (void)
{
  int fd, port = bind_any (&fd);

  close (fd);
  return port;
}
