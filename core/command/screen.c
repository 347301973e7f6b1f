/* screen.c - a terminal's whole screen, drawn again and again.
 *
 * SPDX-License-Identifier: MIT
 */

#include "screen.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/date.h"
#include "base/loop.h"
#include "base/text.h"

/* Without wrapping: some characters are two columns wide. */
#define SCREEN_ENTER "\033[?1049h\033[?25l\033[?7l"
#define SCREEN_LEAVE "\033[?7h\033[?25h\033[?1049l"

enum { CTRL_C = 3, CTRL_D = 4 };

struct screen {
  struct loop *loop;
  struct loop_timer *timer;
  int64_t interval_us;
  screen_draw_fn *fn;
  void *data;
  struct buf lines, frame;
  bool is_over;
};

static void
screen_put (const char *text, size_t len)
{
  while (len > 0) {
    ssize_t n = write (STDOUT_FILENO, text, len);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    text += n;
    len -= (size_t) n;
  }
}

/* What does not fit is not passed over: the last line says how much it is. */
static void
screen_cut (struct buf *lines, size_t rows)
{
  const char *line = lines->data, *last = NULL;
  size_t n = 0;

  for (; *line != '\0'; line += strcspn (line, "\n"), line += *line != '\0')
    if (++n == rows)
      last = line;
  if (n <= rows)
    return;
  lines->len = (size_t) (last - lines->data);
  buf_printf (lines, "... %zu lines more\n", n - rows + 1);
}

static void
screen_draw (struct screen *screen)
{
  struct winsize size = { .ws_row = 24, .ws_col = 80 };
  const char *line, *end;

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0
      || size.ws_col == 0)
    size = (struct winsize) { .ws_row = 24, .ws_col = 80 };
  buf_clear (&screen->lines);
  buf_clear (&screen->frame);
  screen->fn (screen->data, &screen->lines);
  screen_cut (&screen->lines, size.ws_row);
  line = screen->lines.data;
  for (unsigned row = 1; row <= size.ws_row && *line != '\0'; row++) {
    end = strchr (line, '\n');
    if (end == NULL)
      end = line + strlen (line);
    buf_printf (&screen->frame, "\033[%u;1H", row);
    buf_add (&screen->frame, line,
             text_clip (line, (size_t) (end - line), size.ws_col));
    buf_add_text (&screen->frame, "\033[K");
    line = *end == '\n' ? end + 1 : end;
  }
  buf_add_text (&screen->frame, "\033[J");
  screen_put (screen->frame.data, screen->frame.len);
  loop_timer_set (screen->timer, loop_now_us (screen->loop)
                                   + screen->interval_us);
}

static void
screen_tick (void *data)
{
  screen_draw (data);
}

static void
screen_signal (void *data, int signal)
{
  struct screen *screen = data;

  if (signal == SIGWINCH)
    screen_draw (screen);
  else
    screen->is_over = true;
}

static void
screen_key (void *data, int fd, unsigned ready)
{
  struct screen *screen = data;
  char keys[64];
  ssize_t n = read (fd, keys, sizeof keys);

  (void) ready;
  if (n <= 0) {
    loop_forget (screen->loop, fd);
    screen->is_over = n == 0 || errno != EINTR;
    return;
  }
  for (ssize_t i = 0; i < n; i++)
    if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == CTRL_C
        || keys[i] == CTRL_D)
      screen->is_over = true;
  if (!screen->is_over)
    screen_draw (screen);
}

/* Keys come one by one and unseen; Ctrl-Z would leave a screen behind that
 * is not the shell's. */
static bool
screen_take_keys (struct termios *ret_before)
{
  struct termios keys;

  if (!isatty (STDIN_FILENO) || tcgetattr (STDIN_FILENO, ret_before) != 0)
    return false;
  keys = *ret_before;
  keys.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
#ifdef _POSIX_VDISABLE
  keys.c_cc[VSUSP] = _POSIX_VDISABLE;
#endif
  return tcsetattr (STDIN_FILENO, TCSANOW, &keys) == 0;
}

void
screen_run (int64_t interval_ms, screen_draw_fn *fn, void *data)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };
  struct screen screen = { .interval_us = interval_ms * 1000, .fn = fn,
                           .data = data, .lines = BUF_INIT (0),
                           .frame = BUF_INIT (0) };
  struct termios before;
  bool has_keys;

  screen.loop = loop_new ();
  screen.timer = loop_timer_new (screen.loop, screen_tick, &screen);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    loop_on_signal (screen.loop, signals[i], screen_signal, &screen);
  has_keys = screen_take_keys (&before);
  if (has_keys)
    loop_want (screen.loop, STDIN_FILENO, LOOP_READ, screen_key, &screen);
  screen_put (SCREEN_ENTER, strlen (SCREEN_ENTER));
  screen_draw (&screen);
  while (!screen.is_over)
    loop_turn (screen.loop, -1);
  screen_put (SCREEN_LEAVE, strlen (SCREEN_LEAVE));
  if (has_keys)
    tcsetattr (STDIN_FILENO, TCSANOW, &before);
  loop_timer_free (screen.timer);
  loop_free (screen.loop);
  buf_done (&screen.lines);
  buf_done (&screen.frame);
}
