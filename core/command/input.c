/* input.c - the events of some files, one after the other.
 *
 * SPDX-License-Identifier: MIT
 */

#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

struct input {
  struct input_config config;
  struct event_reader *reader;
  struct stream *stream;        /* of the present file, or NULL */
  size_t k;                     /* the present file */
  int fd;                       /* -1: none, or at its end */
  bool is_file;                 /* a regular one: never waited for */
  bool is_ready;
  bool is_cut;
  bool has_failed;
  uint64_t done;                /* bytes of the files before */
  uint64_t size;
};

static int
input_open (const char *path)
{
  struct stat status;
  int fd = strcmp (path, "-") == 0 ? STDIN_FILENO
                                   : open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0 || fstat (fd, &status) != 0) {
    log_error ("%s can't be read: %m", path);
    return -1;
  }
  if (S_ISDIR (status.st_mode)) {
    log_error ("%s is a directory, not a file of events", path);
    close (fd);
    return -1;
  }
  return fd;
}

static void
input_close (int fd)
{
  if (fd > STDIN_FILENO)
    close (fd);
}

struct input *
input_new (const struct input_config *config)
{
  struct input *input;
  struct stat status;
  uint64_t size = 0;
  bool is_known = true;

  for (size_t i = 0; i < config->n_paths; i++) {
    int fd = input_open (config->paths[i]);

    if (fd < 0)
      return NULL;
    if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
      size += (uint64_t) status.st_size;
    else
      is_known = false;
    input_close (fd);
  }
  input = memory_zeroed (1, sizeof *input);
  input->config = *config;
  input->reader = event_reader_new (config->workspace);
  input->fd = -1;
  input->size = is_known ? size : 0;
  return input;
}

static void
input_leave (struct input *input)
{
  if (input->fd >= 0) {
    if (!input->is_file)
      loop_forget (input->config.loop, input->fd);
    input_close (input->fd);
  }
  input->fd = -1;
}

void
input_free (struct input *input)
{
  if (input == NULL)
    return;
  input_leave (input);
  stream_free (input->stream);
  event_reader_free (input->reader);
  free (input);
}

static void
input_on_ready (void *data, int fd, unsigned ready)
{
  struct input *input = data;

  (void) ready;
  input->is_ready = true;
  loop_want (input->config.loop, fd, 0, input_on_ready, input);
}

/* Go to the present file; false if it can't be opened any more. */
static bool
input_enter (struct input *input)
{
  struct stat status;

  input->stream = stream_new (input->reader, input->config.max_event);
  input->fd = input_open (input->config.paths[input->k]);
  if (input->fd < 0) {
    input->has_failed = true;
    stream_finish (input->stream);
    return false;
  }
  input->is_file = fstat (input->fd, &status) == 0
                   && S_ISREG (status.st_mode);
  input->is_ready = input->is_file;
  return true;
}

static void
input_end_file (struct input *input)
{
  input_leave (input);
  stream_finish (input->stream);
}

/* Read once; false: nothing is there now. */
static bool
input_read (struct input *input)
{
  size_t size;
  char *space;
  ssize_t n;

  if (input->is_cut && !input->is_file) {
    input_end_file (input);
    return true;
  }
  if (!input->is_ready) {
    loop_want (input->config.loop, input->fd, LOOP_READ, input_on_ready,
               input);
    return false;
  }
  space = stream_space (input->stream, &size);
  n = read (input->fd, space, size);
  input->is_ready = input->is_file;
  if (n > 0)
    stream_feed (input->stream, (size_t) n);
  else if (n == 0)
    input_end_file (input);
  else if (errno != EINTR && errno != EAGAIN) {
    log_error ("%s can't be read: %m", input->config.paths[input->k]);
    input->has_failed = true;
    input_end_file (input);
  }
  return true;
}

enum input_kind
input_next (struct input *input, struct stream_item *ret_item)
{
  for (;;) {
    if (input->k == input->config.n_paths)
      return INPUT_END;
    if (input->stream == NULL)
      input_enter (input);
    switch (stream_next (input->stream, ret_item)) {
    case STREAM_EVENT:
      return INPUT_EVENT;
    case STREAM_BAD:
      return INPUT_BAD;
    case STREAM_MORE:
      if (!input_read (input))
        return INPUT_LATER;
      break;
    case STREAM_END:
      input->done += stream_offset (input->stream);
      stream_free (input->stream);
      input->stream = NULL;
      input->k++;
      break;
    }
  }
}

void
input_cut (struct input *input)
{
  input->is_cut = true;
}

const char *
input_file (const struct input *input)
{
  const char *path;

  if (input->k == input->config.n_paths)
    return "";
  path = input->config.paths[input->k];
  return strcmp (path, "-") == 0 ? "standard input" : path;
}

uint64_t
input_offset (const struct input *input)
{
  return input->done
         + (input->stream != NULL ? stream_offset (input->stream) : 0);
}

uint64_t
input_size (const struct input *input)
{
  return input->size;
}

bool
input_has_failed (const struct input *input)
{
  return input->has_failed;
}
