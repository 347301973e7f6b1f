/* xml.c - a small XML file as a tree (only here: libxml2).
 *
 * The parser's tree is copied into one of ours and dropped at once, so
 * nothing else sees it.  The parser's messages quote what stands in the
 * file, which may be a secret: only their kind and line are used.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/trust.h"

struct xml_doc {
  struct arena *arena;
  const char *path;
  const char *ns;
  const struct xml_node *root;
  bool is_private;
  struct problems *problems;    /* while it is read */
};

/* The first thing the parser complained of. */
struct parse_state {
  unsigned line;
  int code;
  unsigned other_line;          /* of the start tag of a mismatch */
  bool has_doctype;
};

struct parse_reason {
  int code;
  const char *text;
};

#define WRITE_ESCAPES "; write & as &amp; and < as &lt;"

static const struct parse_reason parse_reasons[] = {
  { XML_ERR_DOCUMENT_EMPTY, "there is no XML in it" },
  { XML_ERR_DOCUMENT_END, "something follows the root element" },
  { XML_ERR_UNDECLARED_ENTITY, "an entity is not known" WRITE_ESCAPES },
  { XML_WAR_UNDECLARED_ENTITY, "an entity is not known" WRITE_ESCAPES },
  { XML_ERR_ENTITYREF_SEMICOL_MISSING,
    "an entity is not closed" WRITE_ESCAPES },
  { XML_ERR_NAME_REQUIRED, "a name is missing" WRITE_ESCAPES },
  { XML_ERR_LT_IN_ATTRIBUTE,
    "an attribute has a < in its value; write it as &lt;" },
  { XML_ERR_INVALID_CHAR, "a character that XML does not allow" },
  { XML_ERR_INVALID_CHARREF, "a character reference that XML does not "
                             "allow" },
  { XML_ERR_ATTRIBUTE_REDEFINED, "an attribute is given twice" },
  { XML_ERR_ATTRIBUTE_NOT_STARTED, "an attribute's value has no quotes" },
  { XML_ERR_ATTRIBUTE_NOT_FINISHED,
    "an attribute's value lacks its closing quote" },
  { XML_ERR_ATTRIBUTE_WITHOUT_VALUE, "an attribute has no value" },
  { XML_ERR_SPACE_REQUIRED, "a space is missing between attributes" },
  { XML_ERR_GT_REQUIRED, "a tag is not closed with >" },
  { XML_ERR_TAG_NOT_FINISHED, "an element is not closed" },
  { XML_ERR_LTSLASH_REQUIRED, "an element is not closed" },
  { XML_ERR_COMMENT_NOT_FINISHED, "a comment is not closed" },
  { XML_ERR_HYPHEN_IN_COMMENT, "a comment has -- in it" },
  { XML_ERR_CDATA_NOT_FINISHED, "a CDATA section is not closed" },
  { XML_ERR_PI_NOT_FINISHED, "a processing instruction is not closed" },
  { XML_ERR_RESERVED_XML_NAME,
    "an XML declaration that is not at the very start of the file" },
  { XML_NS_ERR_UNDEFINED_NAMESPACE, "a prefix that is not declared" }
};

static const char *
parse_reason (int code)
{
  for (size_t k = 0; k < sizeof parse_reasons / sizeof *parse_reasons; k++)
    if (parse_reasons[k].code == code)
      return parse_reasons[k].text;
  return "the XML is not well-formed";
}

/* The parameter is const from libxml2 2.12 on. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *parser_error;
#else
typedef xmlError *parser_error;
#endif

static void
note_error (void *data, parser_error error)
{
  xmlParserCtxt *parser = data;
  struct parse_state *state = parser != NULL ? parser->_private : NULL;

  if (state == NULL || error == NULL || state->code != XML_ERR_OK)
    return;
  state->code = error->code;
  state->line = error->line > 0 ? (unsigned) error->line : 0;
  if (error->code == XML_ERR_TAG_NAME_MISMATCH && error->int1 > 0)
    state->other_line = (unsigned) error->int1;
}

/* Called before anything of the document type is read. */
static void
refuse_doctype (void *data, const xmlChar *name, const xmlChar *public_id,
                const xmlChar *system_id)
{
  xmlParserCtxt *parser = data;
  struct parse_state *state = parser->_private;

  (void) name;
  (void) public_id;
  (void) system_id;
  if (!state->has_doctype) {
    state->has_doctype = true;
    state->line = (unsigned) xmlSAX2GetLineNumber (parser);
  }
  xmlStopParser (parser);
}

static void __attribute__ ((__format__ (__printf__, 3, 4)))
complain (struct xml_doc *doc, unsigned line, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  problems_vadd (doc->problems, PROBLEM_ERROR, doc->path, line, NULL, fmt,
                 args);
  va_end (args);
}

static const char *
copy_text (struct xml_doc *doc, const xmlNode *node)
{
  struct buf text = BUF_INIT (0);
  const char *copy;

  for (; node != NULL; node = node->next)
    if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
        && node->content != NULL)
      buf_add_text (&text, (const char *) node->content);
  copy = arena_strndup (doc->arena, text.data, text.len);
  buf_done (&text);
  return copy;
}

#define XSI "http://www.w3.org/2001/XMLSchema-instance"

/* Where an editor finds the schema (xsi:schemaLocation) is no affair of
 * ours. */
static bool
is_plain_attribute (struct xml_doc *doc, const xmlAttr *attribute,
                    unsigned line)
{
  if (attribute->ns == NULL)
    return true;
  if (strcmp ((const char *) attribute->ns->href, XSI) != 0)
    complain (doc, line, "attribute \"%.64s\" is of another namespace",
              (const char *) attribute->name);
  return false;
}

static void
copy_attributes (struct xml_doc *doc, const xmlNode *from,
                 struct xml_node *to)
{
  struct xml_attribute *attributes;
  const xmlAttr *attribute;
  size_t n = 0;

  for (attribute = from->properties; attribute != NULL;
       attribute = attribute->next)
    n++;
  if (n == 0)
    return;
  attributes = arena_zeroed (doc->arena, n, sizeof *attributes);
  n = 0;
  for (attribute = from->properties; attribute != NULL;
       attribute = attribute->next) {
    if (!is_plain_attribute (doc, attribute, to->line))
      continue;
    attributes[n].name = arena_strdup (doc->arena,
                                       (const char *) attribute->name);
    attributes[n].value = copy_text (doc, attribute->children);
    n++;
  }
  to->attributes = attributes;
  to->n_attributes = n;
}

#define XINCLUDE "http://www.w3.org/2001/XInclude"

static bool
is_of_namespace (struct xml_doc *doc, const xmlNode *node, unsigned line)
{
  const char *ns = node->ns != NULL ? (const char *) node->ns->href : "";

  if (strcmp (ns, doc->ns) == 0)
    return true;
  if (strcmp (ns, XINCLUDE) == 0)
    complain (doc, line, "XInclude is not allowed; write it into this file");
  else
    complain (doc, line, "element <%.64s> is not of the namespace %s",
              (const char *) node->name, doc->ns);
  return false;
}

static struct xml_node *copy_node (struct xml_doc *doc,
                                   const xmlNode *from, unsigned depth);

static void
copy_children (struct xml_doc *doc, const xmlNode *from,
               struct xml_node *to, unsigned depth)
{
  const struct xml_node **place = &to->child;

  for (from = from->children; from != NULL; from = from->next) {
    long line = xmlGetLineNo (from);
    struct xml_node *child;

    if (from->type != XML_ELEMENT_NODE
        || !is_of_namespace (doc, from, line > 0 ? (unsigned) line : 0))
      continue;
    child = copy_node (doc, from, depth + 1);
    if (child == NULL)
      continue;
    *place = child;
    place = &child->next;
  }
}

static struct xml_node *
copy_node (struct xml_doc *doc, const xmlNode *from, unsigned depth)
{
  long line = xmlGetLineNo (from);
  struct xml_node *to;

  if (depth > XML_MAX_DEPTH) {
    complain (doc, line > 0 ? (unsigned) line : 0,
              "elements are nested deeper than %d levels", XML_MAX_DEPTH);
    return NULL;
  }
  to = arena_zeroed (doc->arena, 1, sizeof *to);
  to->name = arena_strdup (doc->arena, (const char *) from->name);
  to->line = line > 0 ? (unsigned) line : 0;
  to->text = copy_text (doc, from->children);
  copy_attributes (doc, from, to);
  copy_children (doc, from, to, depth);
  return to;
}

static int
check_root (struct xml_doc *doc, const xmlNode *root, const char *root_name)
{
  const char *name = (const char *) root->name;
  long line = xmlGetLineNo (root);

  if (strcmp (name, root_name) != 0) {
    complain (doc, line > 0 ? (unsigned) line : 0,
              "the root element is <%.64s>, not <%s>: this is another kind "
              "of file", name, root_name);
    return -1;
  }
  if (root->ns == NULL
      || strcmp ((const char *) root->ns->href, doc->ns) != 0) {
    complain (doc, line > 0 ? (unsigned) line : 0,
              "<%s> is not of the namespace %s; write <%s xmlns=\"%s\" ...>",
              root_name, doc->ns, root_name, doc->ns);
    return -1;
  }
  return 0;
}

static void
complain_of_parse (struct xml_doc *doc, const struct parse_state *state)
{
  if (state->has_doctype)
    complain (doc, state->line, "a document type is not allowed; remove the "
                                "<!DOCTYPE ...>");
  else if (state->code == XML_ERR_TAG_NAME_MISMATCH)
    complain (doc, state->line, "an end tag does not match the start tag in "
                                "line %u", state->other_line);
  else
    complain (doc, state->line, "%s", parse_reason (state->code));
}

/* The parser's tree, or NULL after a complaint. */
static xmlDoc *
parse (struct xml_doc *doc, const char *text, size_t len)
{
  struct parse_state state = { 0, XML_ERR_OK, 0, false };
  xmlParserCtxt *parser = xmlNewParserCtxt ();
  xmlDoc *tree;

  if (parser == NULL) {
    complain (doc, 0, "there is no memory to read it");
    return NULL;
  }
  parser->_private = &state;
  if (parser->sax != NULL) {
    parser->sax->serror = note_error;
    parser->sax->internalSubset = refuse_doctype;
  }
  tree = xmlCtxtReadMemory (parser, text, (int) len, NULL, "UTF-8",
                            XML_PARSE_NONET | XML_PARSE_NOCDATA
                              | XML_PARSE_BIG_LINES);
  if (tree == NULL || state.has_doctype || state.code != XML_ERR_OK
      || xmlDocGetRootElement (tree) == NULL) {
    complain_of_parse (doc, &state);
    xmlFreeDoc (tree);
    tree = NULL;
  }
  xmlFreeParserCtxt (parser);
  return tree;
}

/* The line of the first byte that is not UTF-8; 0 if all are. */
static unsigned
line_of_bad_text (const char *text, size_t len)
{
  unsigned line = 1;

  if (text_is_utf8 (text, len))
    return 0;
  for (size_t start = 0; start < len;) {
    const char *end = memchr (text + start, '\n', len - start);
    size_t part = end != NULL ? (size_t) (end - text) - start : len - start;

    if (!text_is_utf8 (text + start, part))
      break;
    start += part + 1;
    line++;
  }
  return line;
}

static int
read_tree (struct xml_doc *doc, const char *text, size_t len,
           const char *root_name)
{
  unsigned bad_line;
  xmlDoc *tree;

  if (len > XML_MAX_LEN) {
    complain (doc, 0, "the file is larger than %d bytes", XML_MAX_LEN);
    return -1;
  }
  bad_line = line_of_bad_text (text, len);
  if (bad_line > 0) {
    complain (doc, bad_line, "the text is not UTF-8; save the file as UTF-8");
    return -1;
  }
  tree = parse (doc, text, len);
  if (tree == NULL)
    return -1;
  if (check_root (doc, xmlDocGetRootElement (tree), root_name) == 0)
    doc->root = copy_node (doc, xmlDocGetRootElement (tree), 1);
  xmlFreeDoc (tree);
  return doc->root != NULL ? 0 : -1;
}

struct xml_doc *
xml_read_text (const char *text, size_t len, const char *path,
               const char *root_name, const char *ns,
               struct problems *problems)
{
  struct xml_doc *doc = memory_zeroed (1, sizeof *doc);
  int status;

  doc->arena = arena_new (0);
  doc->path = arena_strdup (doc->arena, path);
  doc->ns = arena_strdup (doc->arena, ns);
  doc->problems = problems;
  status = read_tree (doc, text, len, root_name);
  doc->problems = NULL;
  if (status < 0) {
    xml_free (doc);
    return NULL;
  }
  return doc;
}

/* All of fd, at most XML_MAX_LEN bytes and one more. */
static int
read_all (int fd, struct buf *out)
{
  while (out->len <= XML_MAX_LEN) {
    char piece[16384];
    ssize_t n = read (fd, piece, sizeof piece);

    if (n == 0)
      return 0;
    if (n < 0 && errno != EINTR)
      return -1;
    if (n > 0)
      buf_add (out, piece, (size_t) n);
  }
  return 0;
}

struct xml_doc *
xml_read_copy (const char *copy, const char *path, const char *root_name,
               const char *ns, struct problems *problems)
{
  struct buf text = BUF_INIT (2 * XML_MAX_LEN);
  struct xml_doc *doc = NULL;
  char reason[400];
  struct stat status;
  int fd = trust_open (copy, 0, reason, sizeof reason);

  if (fd < 0) {
    problems_add (problems, PROBLEM_ERROR, path, 0, NULL, "%s", reason);
    return NULL;
  }
  if (fstat (fd, &status) < 0 || read_all (fd, &text) < 0)
    problems_add (problems, PROBLEM_ERROR, path, 0, NULL,
                  "it can't be read: %s", strerror (errno));
  else
    doc = xml_read_text (text.data, text.len, path, root_name, ns, problems);
  if (doc != NULL)
    doc->is_private = (status.st_mode & S_IROTH) == 0;
  close (fd);
  if (text.len > 0)
    memory_wipe (text.data, text.len);
  buf_done (&text);
  return doc;
}

struct xml_doc *
xml_read_file (const char *path, const char *root_name, const char *ns,
               struct problems *problems)
{
  return xml_read_copy (path, path, root_name, ns, problems);
}

void
xml_free (struct xml_doc *doc)
{
  if (doc == NULL)
    return;
  arena_free (doc->arena);
  free (doc);
}

const struct xml_node *
xml_root (const struct xml_doc *doc)
{
  return doc->root;
}

const char *
xml_path (const struct xml_doc *doc)
{
  return doc->path;
}

bool
xml_is_private (const struct xml_doc *doc)
{
  return doc->is_private;
}

const char *
xml_attribute (const struct xml_node *node, const char *name)
{
  for (size_t k = 0; k < node->n_attributes; k++)
    if (strcmp (node->attributes[k].name, name) == 0)
      return node->attributes[k].value;
  return NULL;
}

const struct xml_node *
xml_child (const struct xml_node *node, const char *name)
{
  for (node = node->child; node != NULL; node = node->next)
    if (strcmp (node->name, name) == 0)
      return node;
  return NULL;
}

size_t
xml_count (const struct xml_node *node, const char *name)
{
  size_t n = 0;

  for (node = node->child; node != NULL; node = node->next)
    if (strcmp (node->name, name) == 0)
      n++;
  return n;
}
