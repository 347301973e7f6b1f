/* descriptor_mail.c - what <mail> of a descriptor says.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/text.h"
#include "config/descriptor_reading.h"

enum { MAX_ID = 256 };

static const char *const mail_children[] = {
  "from", "reply-to", "to", "bcc", "subject", "text", "html", "header",
  "template", "parameters", NULL
};
static const char *const mail_repeated[] = { "header", NULL };

/* Compile a text of node; NULL after a complaint, or if there is
 * none. */
static const struct template *
compile (const struct descriptor_reading *reading,
         const struct xml_node *node, const char *text, bool is_html)
{
  const struct template *template;
  char reason[200];

  if (text == NULL || text[0] == '\0')
    return NULL;
  template = template_new (reading->arena, text, is_html,
                           reading->host->catalogue, reason);
  if (template == NULL)
    descriptor_complain (reading, node, "<%s>: %s", node->name, reason);
  return template;
}

/* A constant address as it goes on the wire, or NULL. */
static const char *
read_address (const struct descriptor_reading *reading,
              const struct xml_node *node)
{
  const char *address = xml_attribute (node, "address");
  struct buf wire = BUF_INIT (1024);
  const char *reason = "";
  const char *copy = NULL;

  if (address == NULL)
    return NULL;
  if (address_add (&wire, address, strlen (address), &reason) < 0)
    descriptor_complain (reading, node, "address= of <%s> is no e-mail "
                         "address: %s", node->name, reason);
  else
    copy = arena_strndup (reading->arena, wire.data, wire.len);
  buf_done (&wire);
  return copy;
}

/* A mailer that fixes its sender takes a name alone, so an address is
 * asked for where the provider is known. */
static void
read_from (const struct descriptor_reading *reading,
           const struct xml_node *node, struct mail_form *form)
{
  static const char *const attributes[] = { "name", "address", NULL };

  descriptor_expect (reading, node, attributes, NULL);
  form->from_name = compile (reading, node, xml_attribute (node, "name"),
                             false);
  form->from_address = read_address (reading, node);
}

static void
read_reply_to (const struct descriptor_reading *reading,
               const struct xml_node *node, struct mail_form *form)
{
  static const char *const attributes[] = { "name", "address", NULL };

  descriptor_expect (reading, node, attributes, NULL);
  descriptor_required (reading, node, "address");
  form->reply_to_name = compile (reading, node,
                                 xml_attribute (node, "name"), false);
  form->reply_to_address = read_address (reading, node);
}

static void
read_bcc (const struct descriptor_reading *reading,
          const struct xml_node *node, struct mail_form *form)
{
  static const char *const attributes[] = { "address", NULL };

  descriptor_expect (reading, node, attributes, NULL);
  descriptor_required (reading, node, "address");
  form->bcc_address = read_address (reading, node);
}

static void
read_to (const struct descriptor_reading *reading,
         const struct xml_node *node, struct mail_form *form)
{
  static const char *const attributes[] = { "source", "name", NULL };
  const struct catalogue *catalogue = reading->host->catalogue;
  const char *source = descriptor_required (reading, node, "source");
  const char *nearest;

  descriptor_expect (reading, node, attributes, NULL);
  form->to_name = compile (reading, node, xml_attribute (node, "name"),
                           false);
  if (source == NULL)
    return;
  if (catalogue_find (catalogue, source, strlen (source)) != NULL) {
    form->to_source = arena_strdup (reading->arena, source);
    return;
  }
  nearest = catalogue_nearest (catalogue, source);
  descriptor_complain (reading, node, "source=\"%.64s\" of <to> is no source "
                       "field%s%s%s", source,
                       nearest != NULL ? "; did you mean " : "",
                       nearest != NULL ? nearest : "",
                       nearest != NULL ? "?" : "");
}

/* The text without blank lines before it and space after it. */
static const char *
without_margins (const struct descriptor_reading *reading, const char *text)
{
  const char *start = text;
  size_t len;

  for (const char *at = text; strchr (" \t\r\n", *at) != NULL && *at != '\0';
       at++)
    if (*at == '\n')
      start = at + 1;
  for (len = strlen (start); len > 0; len--)
    if (strchr (" \t\r\n", start[len - 1]) == NULL)
      break;
  return arena_strndup (reading->arena, start, len);
}

/* All space between words as one space: a subject may be wrapped. */
static const char *
on_one_line (const struct descriptor_reading *reading, const char *text)
{
  struct buf line = BUF_INIT (0);
  const char *copy;

  for (text += strspn (text, " \t\r\n"); *text != '\0';
       text += strspn (text, " \t\r\n")) {
    size_t len = strcspn (text, " \t\r\n");

    if (line.len > 0)
      buf_add_char (&line, ' ');
    buf_add (&line, text, len);
    text += len;
  }
  copy = arena_strndup (reading->arena, line.data, line.len);
  buf_done (&line);
  return copy;
}

static void
expect_text (const struct descriptor_reading *reading,
             const struct xml_node *node, const char *const *attributes)
{
  xml_expect (reading->doc, node, attributes, NULL, 1,
              reading->descriptor->name, reading->problems);
}

static void
read_subject (const struct descriptor_reading *reading,
              const struct xml_node *node, struct mail_form *form)
{
  expect_text (reading, node, NULL);
  form->subject = compile (reading, node, on_one_line (reading, node->text),
                           false);
}

static void
read_text (const struct descriptor_reading *reading,
           const struct xml_node *node, struct mail_form *form)
{
  expect_text (reading, node, NULL);
  form->text = compile (reading, node, without_margins (reading, node->text),
                        false);
}

/* Written without CDATA, HTML's elements are XML elements: say so. */
static void
read_html (const struct descriptor_reading *reading,
           const struct xml_node *node, struct mail_form *form)
{
  if (node->child != NULL) {
    descriptor_complain (reading, node, "<html> has elements in it; write "
                         "<html><![CDATA[ ... ]]></html>");
    return;
  }
  expect_text (reading, node, NULL);
  form->html = compile (reading, node, without_margins (reading, node->text),
                        true);
}

static void
read_template (const struct descriptor_reading *reading,
               const struct xml_node *node, struct mail_form *form)
{
  static const char *const attributes[] = { "id", NULL };
  const char *id = descriptor_required (reading, node, "id");

  descriptor_expect (reading, node, attributes, NULL);
  if (id == NULL)
    return;
  if (!text_is_one_line (id, strlen (id)) || strlen (id) > MAX_ID)
    descriptor_complain (reading, node, "id= of <template> must be one line "
                         "of at most %d bytes", MAX_ID);
  else
    form->template_id = arena_strdup (reading->arena, id);
}

static void
read_parameters (const struct descriptor_reading *reading,
                 const struct xml_node *node, struct mail_form *form)
{
  static const char *const children[] = { "parameter", NULL };

  descriptor_expect (reading, node, NULL, children);
  descriptor_read_rows (reading, node, "parameter", form->parameters);
}

/* Headers that have an element of their own, or are herald's. */
struct owner {
  const char *name;
  const char *element;
};

static const struct owner owned[] = {
  { "From", "<from>" }, { "Sender", "<from>" }, { "To", "<to>" },
  { "Cc", "<to>" }, { "Bcc", "<bcc>" }, { "Reply-To", "<reply-to>" },
  { "Subject", "<subject>" }, { "Date", NULL }, { "Message-ID", NULL },
  { "MIME-Version", NULL }, { "Content-Type", NULL },
  { "Content-Transfer-Encoding", NULL }, { "Content-Disposition", NULL },
  { "Return-Path", NULL }, { "Received", NULL }
};

/* RFC 5322 field names, less the punctuation nobody uses. */
static bool
is_header_name (const char *name)
{
  size_t len = strspn (name, "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

  return len > 0 && len <= 64 && name[len] == '\0';
}

/* -1 after a complaint. */
static int
check_header_name (const struct descriptor_reading *reading,
                   const struct xml_node *node, const char *name)
{
  if (!is_header_name (name)) {
    descriptor_complain (reading, node, "\"%.64s\" is no header's name: "
                         "letters, digits, - and _", name);
    return -1;
  }
  for (size_t k = 0; k < sizeof owned / sizeof *owned; k++) {
    if (strcasecmp (owned[k].name, name) != 0)
      continue;
    if (owned[k].element != NULL)
      descriptor_complain (reading, node, "header %s is made of %s; remove "
                           "this one", owned[k].name, owned[k].element);
    else
      descriptor_complain (reading, node, "header %s is herald's; remove "
                           "this one", owned[k].name);
    return -1;
  }
  return 0;
}

static void
read_header (const struct descriptor_reading *reading,
             const struct xml_node *node, struct mail_form *form)
{
  static const char *const attributes[] = { "name", NULL };
  const char *name = descriptor_required (reading, node, "name");
  const struct template *value;

  expect_text (reading, node, attributes);
  if (name == NULL || check_header_name (reading, node, name) < 0)
    return;
  value = compile (reading, node, on_one_line (reading, node->text), false);
  if (value == NULL) {
    if (node->text[strspn (node->text, " \t\r\n")] == '\0')
      descriptor_complain (reading, node, "header %s has no value; write "
                           "<header name=\"%s\">value</header>", name, name);
    return;
  }
  for (size_t k = 0; k < form->n_headers; k++)
    if (text_equal_fold (form->headers[k].name, name)) {
      descriptor_complain (reading, node, "there is a header %s already; "
                           "remove one", name);
      return;
    }
  form->headers[form->n_headers].name = arena_strdup (reading->arena, name);
  form->headers[form->n_headers].value = value;
  form->n_headers++;
}

struct part {
  const char *name;
  void (*read) (const struct descriptor_reading *reading,
                const struct xml_node *node, struct mail_form *form);
};

static const struct part parts[] = {
  { "from", read_from }, { "reply-to", read_reply_to },
  { "to", read_to }, { "bcc", read_bcc }, { "subject", read_subject },
  { "text", read_text }, { "html", read_html },
  { "template", read_template }, { "parameters", read_parameters }
};

static void
read_headers (const struct descriptor_reading *reading,
              const struct xml_node *mail, struct mail_form *form)
{
  const struct xml_node *node;
  size_t n = 0;

  for (node = mail->child; node != NULL; node = node->next)
    n++;
  form->headers = arena_zeroed (reading->arena, n + 1,
                                sizeof *form->headers);
  for (node = mail->child; node != NULL; node = node->next)
    if (strcmp (node->name, "header") == 0)
      read_header (reading, node, form);
}

/* What a mail must have, once all of it is read. */
static void
check_whole (const struct descriptor_reading *reading,
             const struct xml_node *mail)
{
  bool has_body = xml_child (mail, "text") != NULL
                  || xml_child (mail, "html") != NULL;
  bool has_template = xml_child (mail, "template") != NULL;
  const struct xml_node *subject = xml_child (mail, "subject");

  if (xml_child (mail, "to") == NULL)
    descriptor_complain (reading, mail, "<mail> has no recipient; add <to "
                         "source=\"email\"/>");
  if (has_body && has_template)
    descriptor_complain (reading, mail, "<mail> has both a <template> and a "
                         "<text> or <html>; remove one");
  if (!has_body && !has_template)
    descriptor_complain (reading, mail, "<mail> has nothing to say; add "
                         "<text>, <html> or <template id=\"...\"/>");
  if (!has_template
      && (subject == NULL
          || subject->text[strspn (subject->text, " \t\r\n")] == '\0'))
    descriptor_complain (reading, mail, "<mail> has no subject; add "
                         "<subject>...</subject>");
}

/* An element that is there and empty would leave a mail without body. */
static void
check_body (const struct descriptor_reading *reading,
            const struct xml_node *mail)
{
  static const char *const names[] = { "text", "html", NULL };

  for (size_t k = 0; names[k] != NULL; k++) {
    const struct xml_node *node = xml_child (mail, names[k]);

    if (node != NULL && node->child == NULL
        && node->text[strspn (node->text, " \t\r\n")] == '\0')
      descriptor_complain (reading, node, "<%s> is empty; write the text "
                           "into it, or remove it", names[k]);
  }
}

void
descriptor_read_mail (const struct descriptor_reading *reading,
                      const struct xml_node *node)
{
  struct mail_form *form = arena_zeroed (reading->arena, 1, sizeof *form);

  descriptor_expect (reading, node, NULL, mail_children);
  xml_expect_once (reading->doc, node, mail_repeated,
                   reading->descriptor->name, reading->problems);
  form->parameters = mapping_new (reading->arena, false);
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    const struct xml_node *child = xml_child (node, parts[k].name);

    if (child != NULL)
      parts[k].read (reading, child, form);
  }
  read_headers (reading, node, form);
  check_whole (reading, node);
  check_body (reading, node);
  reading->descriptor->mail = form;
  reading->descriptor->mail_line = node->line;
}
