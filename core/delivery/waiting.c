/* waiting.c - what of each order key waits in the store.
 *
 * A treap: a search tree by key and number that is a heap by numbers that
 * look like chance, and so is of little depth.  Its nodes lie in blocks and
 * name each other by index, which halves what a node needs.
 *
 * SPDX-License-Identifier: MIT
 */

#include "waiting.h"

#include <stdlib.h>

#include "base/memory.h"

enum { WAITING_BLOCK = 4096 };  /* nodes */

struct waiting {
  struct wait **blocks;
  size_t n_blocks;
  uint32_t root;                /* indexes; 0: none */
  uint32_t unused;              /* a list by left */
  uint32_t n_made;              /* nodes that were ever used, 0 too */
  size_t n;
};

struct waiting *
waiting_new (void)
{
  struct waiting *waiting = memory_zeroed (1, sizeof *waiting);

  waiting->n_made = 1;
  return waiting;
}

static void
waiting_clear (struct waiting *waiting)
{
  for (size_t i = 0; i < waiting->n_blocks; i++)
    free (waiting->blocks[i]);
  free (waiting->blocks);
  *waiting = (struct waiting) { .n_made = 1 };
}

void
waiting_free (struct waiting *waiting)
{
  if (waiting == NULL)
    return;
  waiting_clear (waiting);
  free (waiting);
}

size_t
waiting_count (const struct waiting *waiting)
{
  return waiting->n;
}

static struct wait *
wait_at (const struct waiting *waiting, uint32_t i)
{
  return &waiting->blocks[i / WAITING_BLOCK][i % WAITING_BLOCK];
}

static uint32_t
wait_new (struct waiting *waiting)
{
  uint32_t i = waiting->unused;

  waiting->n++;
  if (i != 0) {
    waiting->unused = wait_at (waiting, i)->left;
    return i;
  }
  i = waiting->n_made++;
  if (i / WAITING_BLOCK >= waiting->n_blocks) {
    waiting->blocks = memory_resize (waiting->blocks, waiting->n_blocks + 1,
                                     sizeof *waiting->blocks);
    waiting->blocks[waiting->n_blocks++]
      = memory_alloc (WAITING_BLOCK * sizeof (struct wait));
  }
  return i;
}

/* Chance enough, and nothing to store. */
static uint32_t
wait_weight (uint32_t i)
{
  i = (i ^ i >> 16) * 0x85ebca6bu;
  i = (i ^ i >> 13) * 0xc2b2ae35u;
  return i ^ i >> 16;
}

static bool
is_before (const struct wait *a, uint64_t hash, uint64_t seq)
{
  return a->hash < hash || (a->hash == hash && a->seq < seq);
}

/* What comes before hash and seq to the left, the rest to the right. */
static void
waiting_split (struct waiting *waiting, uint32_t tree, uint64_t hash,
               uint64_t seq, uint32_t *left, uint32_t *right)
{
  while (tree != 0) {
    struct wait *wait = wait_at (waiting, tree);

    if (is_before (wait, hash, seq)) {
      *left = tree;
      left = &wait->right;
      tree = wait->right;
    } else {
      *right = tree;
      right = &wait->left;
      tree = wait->left;
    }
  }
  *left = *right = 0;
}

/* All of left comes before all of right. */
static uint32_t
waiting_join (struct waiting *waiting, uint32_t left, uint32_t right)
{
  uint32_t root = 0, *link = &root;

  while (left != 0 && right != 0)
    if (wait_weight (left) > wait_weight (right)) {
      *link = left;
      link = &wait_at (waiting, left)->right;
      left = *link;
    } else {
      *link = right;
      link = &wait_at (waiting, right)->left;
      right = *link;
    }
  *link = left != 0 ? left : right;
  return root;
}

static struct wait *
waiting_find (struct waiting *waiting, uint64_t hash, uint64_t seq,
              uint32_t **ret_link)
{
  uint32_t *link = &waiting->root;

  while (*link != 0) {
    struct wait *wait = wait_at (waiting, *link);

    if (wait->hash == hash && wait->seq == seq) {
      *ret_link = link;
      return wait;
    }
    link = is_before (wait, hash, seq) ? &wait->right : &wait->left;
  }
  return NULL;
}

void
waiting_put (struct waiting *waiting, uint64_t hash, uint64_t seq,
             int64_t due_ms)
{
  uint32_t i, weight, *link = &waiting->root;
  struct wait *wait = waiting_find (waiting, hash, seq, &link);

  if (wait == NULL) {
    i = wait_new (waiting);
    weight = wait_weight (i);
    wait = wait_at (waiting, i);
    wait->hash = hash;
    wait->seq = seq;
    link = &waiting->root;
    while (*link != 0 && wait_weight (*link) >= weight) {
      struct wait *above = wait_at (waiting, *link);

      link = is_before (above, hash, seq) ? &above->right : &above->left;
    }
    waiting_split (waiting, *link, hash, seq, &wait->left, &wait->right);
    *link = i;
  }
  wait->due_ms = due_ms > 0 ? (uint64_t) due_ms : 0;
  wait->is_back = due_ms <= 0;
  wait->misses = 0;
}

bool
waiting_remove (struct waiting *waiting, uint64_t hash, uint64_t seq,
                int64_t *ret_due_ms)
{
  uint32_t *link, i;
  struct wait *wait = waiting_find (waiting, hash, seq, &link);

  if (wait == NULL)
    return false;
  *ret_due_ms = wait->is_back ? 0 : (int64_t) wait->due_ms;
  i = *link;
  *link = waiting_join (waiting, wait->left, wait->right);
  wait->left = waiting->unused;
  waiting->unused = i;
  if (--waiting->n == 0)
    waiting_clear (waiting);
  return true;
}

struct wait *
waiting_first (struct waiting *waiting, uint64_t hash)
{
  struct wait *first = NULL;
  uint32_t i = waiting->root;

  while (i != 0) {
    struct wait *wait = wait_at (waiting, i);

    if (wait->hash == hash)
      first = wait;
    i = is_before (wait, hash, 0) ? wait->right : wait->left;
  }
  return first;
}

struct wait *
waiting_before (struct waiting *waiting, uint64_t hash, uint64_t seq)
{
  struct wait *before = NULL;
  uint32_t i = waiting->root;

  while (i != 0) {
    struct wait *wait = wait_at (waiting, i);

    if (is_before (wait, hash, seq)) {
      before = wait;
      i = wait->right;
    } else
      i = wait->left;
  }
  return before != NULL && before->hash == hash ? before : NULL;
}
