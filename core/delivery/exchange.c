/* exchange.c - carry a job to its end over the transport.
 *
 * SPDX-License-Identifier: MIT
 */

#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The plugin's side and the transport's are made of the same shapes, so
 * that a request is handed over without copying. */
_Static_assert (sizeof (struct request_header)
                == sizeof (struct transport_header), "headers differ");
_Static_assert (sizeof (struct message_header)
                == sizeof (struct transport_header), "headers differ");

/* A request on its way. */
struct sending {
  struct sending *next;         /* in the free list */
  struct exchange *exchange;
  struct herald_request *request;
  struct transport_request wire;
  struct transport_mail mail;
};

struct exchange {
  struct exchange *next;        /* waiting for a token, or free */
  struct exchanger *exchanger;
  struct job *job;
  exchange_done_fn *done;
  void *data;
  size_t n_pending;
};

/* Jobs that wait for a token of one integration. */
struct token_fetch {
  struct token_fetch *next;
  struct exchanger *exchanger;
  struct integration *integration;
  struct exchange *first, **last;
};

struct exchanger {
  struct transport *transport;
  struct sending *free_sendings;
  struct exchange *free_exchanges;
  struct token_fetch *fetches;
};

struct exchanger *
exchanger_new (struct transport *transport)
{
  struct exchanger *exchanger = memory_zeroed (1, sizeof *exchanger);

  exchanger->transport = transport;
  return exchanger;
}

void
exchanger_free (struct exchanger *exchanger)
{
  if (exchanger == NULL)
    return;
  while (exchanger->free_sendings != NULL) {
    struct sending *sending = exchanger->free_sendings;

    exchanger->free_sendings = sending->next;
    free (sending);
  }
  while (exchanger->free_exchanges != NULL) {
    struct exchange *exchange = exchanger->free_exchanges;

    exchanger->free_exchanges = exchange->next;
    free (exchange);
  }
  free (exchanger);
}

static struct sending *
sending_new (struct exchange *exchange, struct herald_request *request)
{
  struct exchanger *exchanger = exchange->exchanger;
  struct sending *sending = exchanger->free_sendings;

  if (sending != NULL)
    exchanger->free_sendings = sending->next;
  else
    sending = memory_alloc (sizeof *sending);
  memset (sending, 0, sizeof *sending);
  sending->exchange = exchange;
  sending->request = request;
  return sending;
}

static void
sending_free (struct sending *sending)
{
  struct exchanger *exchanger = sending->exchange->exchanger;

  sending->next = exchanger->free_sendings;
  exchanger->free_sendings = sending;
}

static void
sending_set_mail (struct sending *sending, const struct message *message)
{
  struct transport_mail *mail = &sending->mail;

  mail->from = message->from;
  mail->to = (const char *const *) message->to;
  mail->n_to = message->n_to;
  mail->headers = (const struct transport_header *) message->headers;
  mail->n_headers = message->n_headers;
  mail->text = message->text;
  mail->html = message->html;
  sending->wire.mail = mail;
}

static void
sending_set_wire (struct sending *sending)
{
  const struct integration *integration
    = job_integration (sending->exchange->job);
  const struct herald_request *request = sending->request;
  struct transport_request *wire = &sending->wire;

  wire->method = request->method;
  wire->url = request->url.data;
  wire->headers = (const struct transport_header *) request->headers;
  wire->n_headers = request->n_headers;
  if (request->kind != REQUEST_NO_BODY && request->kind != REQUEST_MESSAGE) {
    wire->body = request->body.data;
    wire->body_len = request->body.len;
  }
  if (request->message != NULL)
    sending_set_mail (sending, request->message);
  wire->user = request->user;
  wire->password = request->password;
  wire->tls = (enum transport_tls) request->tls;
  wire->http2 = integration->http2;
  wire->connect_ms = integration->connect_ms;
  wire->total_ms = integration->total_ms;
}

/* What SMTP has instead of headers. */
static const char *
exchange_stage_name (const struct transport_reply *reply)
{
  switch (reply->stage) {
  case TRANSPORT_STAGE_CONNECT:
    return "connect";
  case TRANSPORT_STAGE_LOGIN:
    return "login";
  case TRANSPORT_STAGE_SENDER:
    return "sender";
  case TRANSPORT_STAGE_RECIPIENT:
    return reply->recipient == 0 ? "recipient" : "bcc";
  case TRANSPORT_STAGE_MESSAGE:
  case TRANSPORT_STAGE_DONE:
    break;
  }
  return "message";
}

static void
exchange_answer (struct job *job, struct herald_request *request,
                 const struct transport_reply *reply)
{
  struct request_header stage = { "stage", "" };
  struct job_answer answer = {
    .status = reply->status,
    .body = reply->body,
    .body_len = reply->body_len,
    .headers = (const struct request_header *) reply->headers,
    .n_headers = reply->n_headers,
  };

  if (request->is_smtp) {
    stage.value = exchange_stage_name (reply);
    answer.headers = &stage;
    answer.n_headers = 1;
  }
  job_answer (job, request, &answer);
}

static void exchange_go_on (struct exchange *exchange);

static void
exchange_replied (void *data, const struct transport_reply *reply)
{
  struct sending *sending = data;
  struct exchange *exchange = sending->exchange;
  struct herald_request *request = sending->request;

  sending_free (sending);
  exchange->n_pending--;
  switch (reply->result) {
  case TRANSPORT_ANSWERED:
    exchange_answer (exchange->job, request, reply);
    break;
  case TRANSPORT_REFUSED:
    job_no_answer (exchange->job, request, true, reply->class,
                   reply->error);
    break;
  case TRANSPORT_NO_ANSWER:
    job_no_answer (exchange->job, request, false, reply->class,
                   reply->error);
    break;
  case TRANSPORT_CANCELLED:
    job_no_answer (exchange->job, request, false, FAILURE_OTHER,
                   "herald was stopped");
    break;
  }
  exchange_go_on (exchange);
}

/* Send what the job has made; true if there is nothing more to wait for. */
static bool
exchange_pump (struct exchange *exchange)
{
  struct exchanger *exchanger = exchange->exchanger;
  struct herald_request *request;

  while ((request = job_take (exchange->job)) != NULL) {
    struct sending *sending = sending_new (exchange, request);

    sending_set_wire (sending);
    exchange->n_pending++;
    transport_send (exchanger->transport, &sending->wire, exchange_replied,
                    sending);
  }
  return exchange->n_pending == 0;
}

static void
exchange_free (struct exchange *exchange)
{
  exchange->next = exchange->exchanger->free_exchanges;
  exchange->exchanger->free_exchanges = exchange;
}

static void
exchange_finish (struct exchange *exchange)
{
  exchange_done_fn *done = exchange->done;
  void *data = exchange->data;
  struct job *job = exchange->job;

  exchange_free (exchange);
  done (data, job);
}

static void
exchange_go_on (struct exchange *exchange)
{
  if (exchange_pump (exchange))
    exchange_finish (exchange);
}

/* The token job is done: those that waited go on, or fail as it did. */
static void
token_fetched (void *data, struct job *job)
{
  struct token_fetch *fetch = data, **link;
  const struct job_verdict *verdict = job_verdict (job);
  struct exchange *exchange = fetch->first;

  for (link = &fetch->exchanger->fetches; *link != fetch;)
    link = &(*link)->next;
  *link = fetch->next;
  free (fetch);

  while (exchange != NULL) {
    struct exchange *next = exchange->next;

    job_adopt_limits (exchange->job, job);
    if (job_wants_token (exchange->job))
      job_fail (exchange->job, &verdict->outcome);
    else
      job_build (exchange->job);
    exchange_go_on (exchange);
    exchange = next;
  }
  job_free (job);
}

static void
token_await (struct exchange *exchange)
{
  struct exchanger *exchanger = exchange->exchanger;
  struct integration *integration = job_integration (exchange->job);
  struct token_fetch *fetch;
  struct job *job;

  exchange->next = NULL;
  for (fetch = exchanger->fetches; fetch != NULL; fetch = fetch->next)
    if (fetch->integration == integration) {
      *fetch->last = exchange;
      fetch->last = &exchange->next;
      return;
    }
  fetch = memory_zeroed (1, sizeof *fetch);
  fetch->exchanger = exchanger;
  fetch->integration = integration;
  fetch->first = exchange;
  fetch->last = &exchange->next;
  fetch->next = exchanger->fetches;
  exchanger->fetches = fetch;
  job = job_new (integration, JOB_TOKEN, NULL, 0);
  if (exchange_run (exchanger, job, token_fetched, fetch))
    token_fetched (fetch, job);
}

bool
exchange_run (struct exchanger *exchanger, struct job *job,
              exchange_done_fn *done, void *data)
{
  struct exchange *exchange = exchanger->free_exchanges;

  if (exchange != NULL)
    exchanger->free_exchanges = exchange->next;
  else
    exchange = memory_alloc (sizeof *exchange);
  *exchange = (struct exchange) {
    .exchanger = exchanger, .job = job, .done = done, .data = data,
  };
  if (job_wants_token (job)) {
    token_await (exchange);
    return false;
  }
  job_build (job);
  if (!exchange_pump (exchange))
    return false;
  exchange_free (exchange);
  return true;
}
