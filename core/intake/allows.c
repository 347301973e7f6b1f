/* allows.c - who may put events in at a Unix socket.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/allows.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"

/* Bits of allows_found.mask, all of which never stand for rules. */
enum { ALLOWS_MAX = 63 };

struct allows_rule {
  size_t listen;                /* of which listener */
  bool is_group;
  uint32_t id;
  const struct herald_allow *allow;
};

struct allows_found {           /* callers, made when they first come */
  uid_t uid;
  uint64_t mask;                /* of rules; all bits: may do all */
  struct caller *caller;
};

struct allows {
  size_t n_rules;
  struct allows_rule rules[ALLOWS_MAX];
  size_t n_found;
  struct allows_found *found;
};

/* A name, or a number. */
static int
allows_look_up (const struct herald_allow *allow, uint32_t *ret_id)
{
  const char *name = allow->user != NULL ? allow->user : allow->group;
  const struct passwd *user;
  const struct group *group;
  int64_t number;

  if (number_read (name, strlen (name), 0, UINT32_MAX - 1, &number) == 0) {
    *ret_id = (uint32_t) number;
    return 0;
  }
  if (allow->user != NULL) {
    user = getpwnam (name);
    if (user == NULL)
      return -1;
    *ret_id = (uint32_t) user->pw_uid;
    return 0;
  }
  group = getgrnam (name);
  if (group == NULL)
    return -1;
  *ret_id = (uint32_t) group->gr_gid;
  return 0;
}

static void
allows_add (struct allows *allows, const struct herald_listen *listen,
            size_t k, const struct herald_allow *allow)
{
  struct allows_rule *rule = &allows->rules[allows->n_rules];
  const char *name = allow->user != NULL ? allow->user : allow->group;

  if (allows->n_rules == ALLOWS_MAX) {
    log_warning ("herald.xml:%u: more than %d <allow> are not looked at",
                 listen->line, ALLOWS_MAX);
    return;
  }
  rule->listen = k;
  rule->is_group = allow->user == NULL;
  rule->allow = allow;
  if (allows_look_up (allow, &rule->id) == 0)
    allows->n_rules++;
  else
    log_warning ("herald.xml:%u: there is no %s %s on this host; nobody is "
                 "let in by that <allow>", listen->line,
                 rule->is_group ? "group" : "user", name);
}

struct allows *
allows_new (const struct herald_intake *intake,
            const struct listeners *listeners)
{
  struct allows *allows = memory_zeroed (1, sizeof *allows);

  for (size_t k = 0; k < listeners->n; k++) {
    const struct herald_listen *listen
      = listener_find (&listeners->all[k], intake);

    for (size_t i = 0; listen != NULL && i < listen->n_allows; i++)
      allows_add (allows, listen, k, &listen->allows[i]);
  }
  return allows;
}

void
allows_free (struct allows *allows)
{
  if (allows == NULL)
    return;
  for (size_t i = 0; i < allows->n_found; i++)
    caller_release (allows->found[i].caller);
  free (allows->found);
  free (allows);
}

static bool
allows_fits (const struct allows_rule *rule, const struct peer *peer)
{
  if (rule->listen != peer->listen)
    return false;
  if (!rule->is_group)
    return peer->uid == (uid_t) rule->id;
  for (size_t i = 0; i < peer->n_groups; i++)
    if (peer->groups[i] == (gid_t) rule->id)
      return true;
  return false;
}

static struct caller *
allows_make (const struct allows *allows, uid_t uid, uint64_t mask)
{
  struct caller *caller;
  char name[32];

  snprintf (name, sizeof name, "uid %lu", (unsigned long) uid);
  caller = caller_new (name);
  caller->all_workspaces = mask == UINT64_MAX;
  for (size_t i = 0; i < allows->n_rules && mask != UINT64_MAX; i++) {
    const struct herald_allow *allow = allows->rules[i].allow;

    if ((mask >> i & 1) == 0)
      continue;
    caller->all_workspaces |= allow->all_workspaces;
    for (size_t k = 0; k < allow->n_workspaces; k++)
      caller_add (caller, allow->workspaces[k],
                  strlen (allow->workspaces[k]));
  }
  return caller;
}

struct caller *
allows_find (struct allows *allows, const struct peer *peer)
{
  uint64_t mask = 0;
  size_t n = allows->n_found;

  if (peer->uid == 0 || peer->uid == geteuid ())
    mask = UINT64_MAX;
  for (size_t i = 0; i < allows->n_rules; i++)
    if (allows_fits (&allows->rules[i], peer))
      mask |= (uint64_t) 1 << i;
  if (mask == 0)
    return NULL;
  for (size_t i = 0; i < n; i++)
    if (allows->found[i].uid == peer->uid && allows->found[i].mask == mask)
      return allows->found[i].caller;
  allows->found = memory_resize (allows->found, n + 1,
                                 sizeof allows->found[0]);
  allows->found[n] = (struct allows_found) {
    .uid = peer->uid, .mask = mask,
    .caller = allows_make (allows, peer->uid, mask),
  };
  allows->n_found++;
  return allows->found[n].caller;
}
