/* batch-sink.c - a receiver of batches that answers as the services do.
 *
 * usage: batch-sink PORT
 *
 * A POST to .../batch/upsert is answered as HubSpot would: 200, and for each
 * input a result with its objectWriteTraceId (all inputs must have one, and
 * there may be 100 at most).  Any other POST is answered as SendGrid would:
 * 202, an empty body and X-Message-Id.  GET /counts tells how many
 * requests and inputs came, as two numbers; an input of SendGrid's is one of
 * "to".  One thread, loopback, HTTP/1.1 with Content-Length only.
 *
 * SPDX-License-Identifier: MIT
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  MOST_CONNECTIONS = 1024,
  MOST_REQUEST = 4 << 20,
  MOST_REPLY = 1 << 20,
  MOST_INPUTS = 100,
  MOST_TRACE = 64
};

struct connection {
  char *in;
  size_t len;
};

static struct pollfd fds[MOST_CONNECTIONS + 1]; /* [0] listens */
static struct connection connections[MOST_CONNECTIONS + 1];
static nfds_t n_fds = 1;
static unsigned long n_requests, n_inputs;
static char reply[MOST_REPLY + 512], body[MOST_REPLY];

static const char *
find (const char *text, size_t len, const char *what)
{
  return memmem (text, len, what, strlen (what));
}

/* The value of a header, or NULL; head ends with an empty line. */
static const char *
find_header (const char *head, const char *name)
{
  size_t len = strlen (name);
  const char *line;

  for (line = strstr (head, "\r\n"); line != NULL && line[2] != '\r';
       line = strstr (line + 2, "\r\n"))
    if (strncasecmp (line + 2, name, len) == 0 && line[2 + len] == ':')
      return line + 3 + len;
  return NULL;
}

/* The answer to an upsert in body; its length, or 0 if the inputs break the
 * rules. */
static size_t
answer_upsert (const char *text, size_t len)
{
  static const char name[] = "\"objectWriteTraceId\":\"";
  const char *end = text + len, *at = text, *trace;
  size_t n = 0, out;

  out = (size_t) sprintf (body, "{\"status\":\"COMPLETE\",\"results\":[");
  while ((at = find (at, (size_t) (end - at), name)) != NULL) {
    size_t trace_len;

    trace = at + sizeof name - 1;
    at = memchr (trace, '"', (size_t) (end - trace));
    if (at == NULL)
      return 0;
    trace_len = (size_t) (at - trace);
    if (n == MOST_INPUTS || trace_len > MOST_TRACE)
      return 0;
    out += (size_t) sprintf (
      body + out,
      "%s{\"id\":\"%lu\",\"new\":true,\"objectWriteTraceId\":\"%.*s\","
      "\"properties\":{\"createdate\":\"2026-11-23T09:00:00.000Z\","
      "\"hs_object_id\":\"%lu\",\"lastmodifieddate\":"
      "\"2026-11-23T09:00:00.000Z\"},\"createdAt\":"
      "\"2026-11-23T09:00:00.000Z\",\"updatedAt\":"
      "\"2026-11-23T09:00:00.000Z\",\"archived\":false}",
      n > 0 ? "," : "", 151000000 + n_inputs + n, (int) trace_len, trace,
      151000000 + n_inputs + n);
    n++;
  }
  n_inputs += n;
  out += (size_t) sprintf (body + out,
                           "],\"startedAt\":\"2026-11-23T09:00:00.000Z\","
                           "\"completedAt\":\"2026-11-23T09:00:00.100Z\"}");
  return n > 0 ? out : 0;
}

static void
count_mails (const char *text, size_t len)
{
  const char *end = text + len;

  while ((text = find (text, (size_t) (end - text), "\"to\":[")) != NULL) {
    n_inputs++;
    text++;
  }
}

/* The whole answer to one request, in reply; its length. */
static size_t
answer (const char *head, const char *text, size_t len)
{
  const char *line_end = strstr (head, "\r\n");
  size_t out;

  if (strncmp (head, "GET ", 4) == 0)
    out = (size_t) sprintf (body, "%lu %lu\n", n_requests, n_inputs);
  else if (find (head, (size_t) (line_end - head), "/batch/upsert") != NULL) {
    n_requests++;
    out = answer_upsert (text, len);
  } else {
    n_requests++;
    count_mails (text, len);
    return (size_t) sprintf (reply,
                             "HTTP/1.1 202 Accepted\r\nX-Message-Id: "
                             "sink%lu\r\nContent-Length: 0\r\n\r\n",
                             n_requests);
  }
  out = (size_t) sprintf (reply,
                          "HTTP/1.1 %s\r\nContent-Type: "
                          "application/json;charset=utf-8\r\n"
                          "Content-Length: %zu\r\n\r\n%.*s",
                          out > 0 ? "200 OK" : "400 Bad Request", out,
                          (int) out, body);
  return out;
}

static bool
write_all (int fd, const char *text, size_t len)
{
  while (len > 0) {
    ssize_t n = write (fd, text, len);

    if (n <= 0)
      return false;
    text += n;
    len -= (size_t) n;
  }
  return true;
}

/* Answer what is complete; false ends the connection. */
static bool
serve (int fd, struct connection *connection)
{
  for (;;) {
    char *in = connection->in, *head_end;
    const char *length;
    size_t whole;

    in[connection->len] = '\0';
    head_end = strstr (in, "\r\n\r\n");
    if (head_end == NULL)
      return connection->len < MOST_REQUEST;
    length = find_header (in, "Content-Length");
    whole = (size_t) (head_end + 4 - in)
            + (length != NULL ? strtoul (length, NULL, 10) : 0);
    if (whole > MOST_REQUEST)
      return false;
    if (connection->len < whole)
      return true;
    if (!write_all (fd, reply,
                    answer (in, head_end + 4,
                            whole - (size_t) (head_end + 4 - in))))
      return false;
    connection->len -= whole;
    memmove (in, in + whole, connection->len);
  }
}

static void
drop (nfds_t k)
{
  close (fds[k].fd);
  free (connections[k].in);
  n_fds--;
  fds[k] = fds[n_fds];
  connections[k] = connections[n_fds];
}

static void
take (void)
{
  int fd = accept (fds[0].fd, NULL, NULL), on = 1;

  if (fd < 0)
    return;
  if (n_fds > MOST_CONNECTIONS) {
    close (fd);
    return;
  }
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fds[n_fds] = (struct pollfd){ .fd = fd, .events = POLLIN };
  connections[n_fds].in = malloc (MOST_REQUEST + 1);
  connections[n_fds].len = 0;
  if (connections[n_fds].in == NULL)
    exit (1);
  n_fds++;
}

static bool
read_some (nfds_t k)
{
  struct connection *connection = &connections[k];
  ssize_t n = read (fds[k].fd, connection->in + connection->len,
                    MOST_REQUEST - connection->len);

  if (n <= 0)
    return false;
  connection->len += (size_t) n;
  return serve (fds[k].fd, connection);
}

int
main (int argc, char *argv[])
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  int on = 1;

  if (argc != 2) {
    fprintf (stderr, "usage: batch-sink PORT\n");
    return 2;
  }
  signal (SIGPIPE, SIG_IGN);
  address.sin_port = htons ((uint16_t) strtoul (argv[1], NULL, 10));
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  fds[0].fd = socket (AF_INET, SOCK_STREAM, 0);
  fds[0].events = POLLIN;
  setsockopt (fds[0].fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind (fds[0].fd, (struct sockaddr *) &address, sizeof address) < 0
      || listen (fds[0].fd, 1024) < 0) {
    perror ("batch-sink");
    return 1;
  }
  while (poll (fds, n_fds, -1) > 0) {
    for (nfds_t k = n_fds; k-- > 1;)
      if (fds[k].revents != 0 && !read_some (k))
        drop (k);
    if (fds[0].revents != 0)
      take ();
  }
  return 1;
}
