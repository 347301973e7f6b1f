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

static bool
input_is_standard (const char *path)
{
  return strcmp (path, "-") == 0;
}

static const char *
input_name (const char *path)
{
  return input_is_standard (path) ? "standard input" : path;
}

/* Not blocking: a named pipe that nobody writes to yet is waited for in
 * the loop, where a signal is heard. */
static int
input_open (const char *path)
{
  int fd = STDIN_FILENO;

  if (!input_is_standard (path))
    fd = open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0)
    log_error ("%s can't be read: %m", path);
  return fd;
}

static void
input_close (int fd)
{
  if (fd > STDIN_FILENO)
    close (fd);
}

/* Look whether it could be read.  Only a regular file is opened for that:
 * whoever writes to a pipe would lose what came before it is closed. */
static int
input_try (const char *path, struct stat *ret_status)
{
  int result = input_is_standard (path) ? fstat (STDIN_FILENO, ret_status)
                                        : stat (path, ret_status);
  int fd;

  if (result == 0 && S_ISDIR (ret_status->st_mode)) {
    log_error ("%s is a directory, not a file of events", path);
    return -1;
  }
  if (result == 0 && !input_is_standard (path)
      && !S_ISREG (ret_status->st_mode))
    result = access (path, R_OK);
  if (result != 0) {
    log_error ("%s can't be read: %m", input_name (path));
    return -1;
  }
  if (!S_ISREG (ret_status->st_mode))
    return 0;
  fd = input_open (path);
  if (fd < 0)
    return -1;
  input_close (fd);
  return 0;
}

struct input *
input_new (const struct input_config *config)
{
  struct input *input;
  struct stat status;
  uint64_t size = 0;
  bool is_known = true;

  for (size_t i = 0; i < config->n_paths; i++) {
    if (input_try (config->paths[i], &status) != 0)
      return NULL;
    if (S_ISREG (status.st_mode))
      size += (uint64_t) status.st_size;
    else
      is_known = false;
  }
  input = memory_zeroed (1, sizeof *input);
  input->config = *config;
  input->reader = event_reader_new (config->workspace);
  if (config->lends_workspace)
    event_reader_lend (input->reader, config->workspace);
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
    log_error ("%s can't be read: %m",
               input_name (input->config.paths[input->k]));
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
input_same (const struct input *input, const struct outfile *outfile)
{
  for (size_t i = 0; i < input->config.n_paths; i++) {
    const char *path = input->config.paths[i];
    struct stat status;

    if ((input_is_standard (path) ? fstat (STDIN_FILENO, &status)
                                  : stat (path, &status)) == 0
        && outfile_is (outfile, &status))
      return input_name (path);
  }
  return NULL;
}

const char *
input_file (const struct input *input)
{
  if (input->k == input->config.n_paths)
    return "";
  return input_name (input->config.paths[input->k]);
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
