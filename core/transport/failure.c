/* failure.c - why there is no answer, in an operator's words.
 *
 * SPDX-License-Identifier: MIT
 */

#include "failure.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

enum { FAILURE_HOST_LEN = 255 };

static const struct {
  const char *scheme;
  const char *port;
} default_ports[] = {
  { "https", "443" }, { "http", "80" }, { "smtp", "25" }, { "smtps", "465" }
};

static const char *
default_port (const char *scheme, size_t len)
{
  for (size_t i = 0; i < sizeof default_ports / sizeof *default_ports; i++)
    if (strlen (default_ports[i].scheme) == len
        && strncasecmp (default_ports[i].scheme, scheme, len) == 0)
      return default_ports[i].port;
  return NULL;
}

void
failure_add_host (struct buf *out, const char *url, int with_port)
{
  const char *host = strstr (url, "://");
  const char *port = NULL;
  size_t len, end;

  if (host) {
    port = default_port (url, (size_t) (host - url));
    host += 3;
  } else
    host = url;
  len = strcspn (host, "/?#\\");
  for (size_t i = 0; i < len; i++)
    if (host[i] == '@') {
      host += i + 1;
      len -= i + 1;
      i = (size_t) -1;
    }
  end = host[0] == '[' ? strcspn (host, "]") + 1 : strcspn (host, ":");
  if (end > len)
    end = len;
  for (size_t i = 0; i < end && i < FAILURE_HOST_LEN; i++)
    buf_add_char (out, (unsigned char) host[i] > ' ' ? host[i] : '?');
  if (!with_port)
    return;
  if (end < len && len - end <= 6)
    buf_add (out, host + end, len - end);
  else if (port)
    buf_printf (out, ":%s", port);
}

static void
add_connect (struct buf *out, const struct failure *failure,
             const char *where)
{
  switch (failure->os_error) {
  case ECONNREFUSED:
    buf_printf (out, "nothing listens at %s", where);
    break;
  case ENETUNREACH:
  case EHOSTUNREACH:
    buf_printf (out, "there is no route to %s", where);
    break;
  case EMFILE:
  case ENFILE:
    buf_printf (out, "no connection to %s: too many files are open; raise "
                "LimitNOFILE (ulimit -n)", where);
    break;
  case 0:
    buf_printf (out, "no connection to %s", where);
    break;
  default:
    buf_printf (out, "no connection to %s: %s", where,
                strerror (failure->os_error));
  }
  if (failure->proxy)
    buf_add_text (out, " (the proxy in herald.xml)");
}

static void
add_timeout (struct buf *out, const struct failure *failure,
             const char *where)
{
  if (failure->cause == CAUSE_CONNECT_TIMEOUT)
    buf_printf (out, "no connection to %s in ", where);
  else
    buf_printf (out, "no answer from %s in ", where);
  number_add_duration (out, failure->limit_ms);
}

static void
add_certificate (struct buf *out, const struct failure *failure,
                 const char *host)
{
  const char *ca_file = failure->ca_file;

  switch (failure->cause) {
  case CAUSE_CA_UNKNOWN:
    buf_printf (out, "the certificate of %s is not trusted by %s: set <tls "
                "ca-file=\"...\"/> in herald.xml or mend the server", host,
                ca_file ? ca_file : "the system's certificate authorities");
    break;
  case CAUSE_CERTIFICATE_NAME:
    buf_printf (out, "the certificate of %s is for another name: correct "
                "the host name or mend the server", host);
    break;
  case CAUSE_CERTIFICATE_EXPIRED:
    buf_printf (out, "the certificate of %s has expired or is not valid "
                "yet: mend the server or this machine's clock", host);
    break;
  default:
    buf_printf (out, "the certificate of %s is not accepted%s%s", host,
                failure->detail ? ": " : "",
                failure->detail ? failure->detail : "");
  }
}

/* The causes that time does not mend. */
static bool
add_refusal (struct buf *out, const struct failure *failure,
             const char *host, const char *where)
{
  switch (failure->cause) {
  case CAUSE_URL:
    buf_printf (out, "the URL for %s is not valid: it needs https, http, "
                "smtp or smtps, a host, no login and no space", host);
    return true;
  case CAUSE_REQUEST:
    buf_printf (out, "the request for %s can't be sent: %s", host,
                failure->detail);
    return true;
  case CAUSE_GUARD:
    buf_printf (out, "%s may not be reached: %s", host, failure->detail);
    return true;
  case CAUSE_PROXY_LOGIN:
    buf_printf (out, "the proxy %s asks for a login: check <proxy> in "
                "herald.xml", where);
    return true;
  case CAUSE_CA_UNKNOWN:
  case CAUSE_CERTIFICATE_NAME:
  case CAUSE_CERTIFICATE_EXPIRED:
  case CAUSE_CERTIFICATE:
    add_certificate (out, failure, host);
    return true;
  case CAUSE_CA_FILE:
    buf_printf (out, "the certificate authorities in %s can't be read: set "
                "<tls ca-file=\"...\"/> in herald.xml",
                failure->ca_file ? failure->ca_file : "the default file");
    return true;
  case CAUSE_NO_STARTTLS:
    buf_printf (out, "%s does not offer STARTTLS, so the mail would go in "
                "the clear: use its TLS port, or set the security to none",
                where);
    return true;
  case CAUSE_NO_LOGIN:
    buf_printf (out, "%s takes no login of a kind that is known here (PLAIN, "
                "LOGIN, CRAM-MD5): remove the login, or use its port for "
                "submission with TLS", where);
    return true;
  case CAUSE_LOGIN_NOT_OFFERED:
    buf_printf (out, "%s offers no login (AUTH): remove the login, or use "
                "its port for submission with TLS", where);
    return true;
  default:
    return false;
  }
}

enum transport_result
failure_add (struct buf *out, const struct failure *failure)
{
  struct buf host = BUF_INIT (FAILURE_HOST_LEN + 8);
  struct buf where = BUF_INIT (FAILURE_HOST_LEN + 8);
  enum transport_result result = TRANSPORT_NO_ANSWER;
  bool is_proxy = failure->proxy && (failure->cause == CAUSE_CONNECT
                                     || failure->cause == CAUSE_PROXY_LOGIN);
  const char *detail = failure->detail ? failure->detail : "unknown reason";

  failure_add_host (&host, failure->url, false);
  failure_add_host (&where, is_proxy ? failure->proxy : failure->url, true);
  switch (failure->cause) {
  case CAUSE_RESOLVE:
    buf_printf (out, "could not resolve host %s", host.data);
    break;
  case CAUSE_RESOLVE_PROXY:
    buf_add_text (out, "could not resolve the proxy's host ");
    failure_add_host (out, failure->proxy ? failure->proxy : "", false);
    break;
  case CAUSE_CONNECT:
    add_connect (out, failure, where.data);
    break;
  case CAUSE_PROXY:
    buf_printf (out, "the proxy does not connect to %s: %s", where.data,
                detail);
    break;
  case CAUSE_CONNECT_TIMEOUT:
  case CAUSE_TIMEOUT:
    add_timeout (out, failure, where.data);
    break;
  case CAUSE_TLS:
    buf_printf (out, "TLS with %s failed: %s", where.data, detail);
    break;
  case CAUSE_RESET:
    buf_printf (out, "%s closed the connection without an answer",
                where.data);
    break;
  case CAUSE_STREAM:
    buf_printf (out, "%s broke the HTTP/2 stream off without an answer",
                where.data);
    break;
  case CAUSE_NO_PROTOCOL:
    buf_printf (out, "what %s answers is not understood: is it the right "
                "port?", where.data);
    break;
  default:
    if (add_refusal (out, failure, host.data, where.data))
      result = TRANSPORT_REFUSED;
    else
      buf_printf (out, "no answer from %s: %s", where.data, detail);
  }
  buf_done (&host);
  buf_done (&where);
  return result;
}

enum failure_class
failure_class (enum failure_cause cause)
{
  switch (cause) {
  case CAUSE_RESOLVE:
  case CAUSE_RESOLVE_PROXY:
  case CAUSE_CONNECT:
  case CAUSE_CONNECT_TIMEOUT:
  case CAUSE_PROXY:
  case CAUSE_RESET:
  case CAUSE_STREAM:
    return FAILURE_CONNECT;
  case CAUSE_TIMEOUT:
    return FAILURE_TIMEOUT;
  case CAUSE_TLS:
  case CAUSE_CA_UNKNOWN:
  case CAUSE_CA_FILE:
  case CAUSE_CERTIFICATE:
  case CAUSE_CERTIFICATE_NAME:
  case CAUSE_CERTIFICATE_EXPIRED:
  case CAUSE_NO_STARTTLS:
    return FAILURE_TLS;
  case CAUSE_NO_PROTOCOL:
    return FAILURE_SERVER;
  case CAUSE_URL:
  case CAUSE_REQUEST:
  case CAUSE_GUARD:
  case CAUSE_PROXY_LOGIN:
  case CAUSE_NO_LOGIN:
  case CAUSE_LOGIN_NOT_OFFERED:
    return FAILURE_CREDENTIALS;
  case CAUSE_OTHER:
    break;
  }
  return FAILURE_OTHER;
}
