/* test-supervisor.c - serve/supervisor keeps its children running.
 *
 * The children are this program again: argv says which one it is, and a
 * file of its name in the state directory what is wrong with it.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/json_doc.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "base/service.h"
#include "serve/pidfile.h"
#include "serve/renewal.h"
#include "serve/supervisor.h"

enum { FINAL_EXIT = 3, FILE_EXIT = 4, PATIENCE_MS = 20000 };

/* In the environment of the supervisor. */
static const char *const secrets[] = { "CRM_TOKEN", "MAIL_TOKEN", NULL };

/* -- A child. */

struct stand_in {
  struct loop *loop;
  char name[32];
  const char *state;
  bool is_stopping, is_deaf;
};

/* A line in STATE/NAME.log. */
static void
say (const struct stand_in *child, const char *text)
{
  char path[200], line[200];
  int fd, len;

  snprintf (path, sizeof path, "%s/%s.log", child->state, child->name);
  len = snprintf (line, sizeof line, "%s %ld\n", text, (long) getpid ());
  fd = open (path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd < 0 || write (fd, line, (size_t) len) != len)
    abort ();
  close (fd);
}

static bool
is_asked (const struct stand_in *child, const char *for_what)
{
  char path[200];

  snprintf (path, sizeof path, "%s/%s.%s", child->state, child->name,
            for_what);
  return access (path, F_OK) == 0;
}

static void
child_hup (void *data, int number)
{
  (void) number;
  service_notify_reloading ();
  say (data, "reload");
  if (is_asked (data, "anew"))
    ((struct stand_in *) data)->is_stopping = true;
  else if (!is_asked (data, "late"))
    service_notify ("READY=1");
}

static void
child_term (void *data, int number)
{
  struct stand_in *child = data;

  (void) number;
  say (child, "stop");
  child->is_stopping = !child->is_deaf;
}

static int
stand_in (int argc, char **argv)
{
  struct stand_in child = { .loop = loop_new () };
  struct service_socket *sockets = NULL;
  char reason[200], text[200];
  size_t n = 0;
  int i = 1;

  for (; i < argc && argv[i][0] == '-'; i += 2)
    if (strcmp (argv[i], "--state") == 0)
      child.state = argv[i + 1];
  snprintf (child.name, sizeof child.name, "%s%s%s", argv[i],
            i + 2 < argc ? "-" : "", i + 2 < argc ? argv[i + 2] : "");
  if (is_asked (&child, "unusable"))
    return FINAL_EXIT;
  loop_on_signal (child.loop, SIGHUP, child_hup, &child);
  loop_on_signal (child.loop, SIGTERM, child_term, &child);
  if (service_sockets (&sockets, &n, reason, sizeof reason) != 0)
    return 1;
  snprintf (text, sizeof text, "start %zu sockets, of %s", n,
            i + 4 < argc ? argv[i + 4] : "-");
  say (&child, text);
  for (const char *const *name = secrets; *name != NULL; name++)
    if (getenv (*name) != NULL)
      say (&child, *name);
  child.is_deaf = is_asked (&child, "deaf");
  if (is_asked (&child, "crash"))
    abort ();
  if (!is_asked (&child, "hang"))
    service_beat_new (child.loop);
  service_notify ("READY=1");
  /* However a test ends, it leaves nobody behind. */
  while (!child.is_stopping && access (child.state, F_OK) == 0) {
    loop_turn (child.loop, 50);
    for (int k = 0; k < 100 && is_asked (&child, "chatty"); k++)
      service_notify ("STATUS=%d", k);
    for (size_t k = 0; k < n && is_asked (&child, "accept"); k++) {
      int fd = accept (sockets[k].fd, NULL, NULL);

      if (fd >= 0 && write (fd, text, 5) == 5)
        close (fd);
    }
  }
  return 0;
}

/* -- The supervisor, in a process of its own. */

struct fixture {
  char directory[40];
  pid_t pid;
  rlim_t most_files;            /* 0: as many as we may have */
  int upstream;                 /* what the service manager hears */
  char heard[16384];
};

static struct fixture fixture;

static const char *
in (const char *name)
{
  static char paths[4][200];
  static int turn;

  turn = (turn + 1) % 4;
  snprintf (paths[turn], sizeof paths[turn], "%s/%s", fixture.directory,
            name);
  return paths[turn];
}

static void
put (const char *name, const char *text)
{
  FILE *file = fopen (in (name), "w");

  assert_non_null (file);
  fputs (text, file);
  assert_int_equal (fclose (file), 0);
}

static char *
get (const char *name)
{
  struct buf text = BUF_INIT (0);
  FILE *file = fopen (in (name), "r");
  int c;

  while (file != NULL && (c = fgetc (file)) != EOF)
    buf_add_char (&text, (char) c);
  if (file != NULL)
    fclose (file);
  return buf_steal (&text);
}

static unsigned
count (const char *name, const char *word)
{
  char *text = get (name);
  unsigned n = 0;

  for (const char *at = text; (at = strstr (at, word)) != NULL; at++)
    n++;
  free (text);
  return n;
}

static void
configure (const char *parts)
{
  char text[2000];

  snprintf (text, sizeof text,
            "<herald xmlns=\"urn:herald:config:1\"><workspaces>"
            "<workspace name=\"acme\"/></workspaces>%s</herald>", parts);
  put ("etc/herald.xml", text);
}

/* With one socket, named after the test's directory. */
static void
configure_usual (const char *more)
{
  char parts[1000];

  snprintf (parts, sizeof parts, "<intake><listen socket=\"%s\"/></intake>"
            "%s", in ("a.sock"), more);
  configure (parts);
}

static int
set_up (void **state)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  (void) state;
  fixture = (struct fixture) { .directory = "/tmp/test-supervisor.XXXXXX",
                               .pid = 0 };
  assert_non_null (mkdtemp (fixture.directory));
  assert_int_equal (mkdir (in ("etc"), 0755), 0);
  assert_int_equal (mkdir (in ("etc/conf.d"), 0755), 0);
  assert_int_equal (mkdir (in ("state"), 0700), 0);
  snprintf (address.sun_path, sizeof address.sun_path, "%s", in ("up"));
  fixture.upstream = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal (bind (fixture.upstream, (struct sockaddr *) &address,
                          sizeof address), 0);
  configure_usual ("");
  return 0;
}

static void
config_read (void *data, const struct problems *problems,
             const struct herald_xml *host)
{
  (void) data;
  (void) host;
  for (size_t i = 0; i < problems_count (problems); i++)
    log_error ("%s", problems_at (problems, i)->text);
}

static int
supervise (void)
{
  const char *const arguments[] = { "herald", "--config", in ("etc"), NULL };
  const struct supervisor_config config = {
    .program = "/proc/self/exe", .arguments = arguments,
    .config_directory = in ("etc"), .state_directory = in ("state"),
    .final_exit = FINAL_EXIT, .file_exit = FILE_EXIT, .read = config_read,
  };
  struct problems *problems = problems_new ();
  struct configuration *configuration
    = configuration_read (in ("etc"), SECRETS_UNREAD, problems);

  config_read (NULL, problems, NULL);
  problems_free (problems);
  return configuration != NULL ? supervisor_run (&config, configuration) : 9;
}

static pid_t
start_another (void)
{
  pid_t pid = fork ();

  assert_true (pid >= 0);
  if (pid > 0)
    return pid;
  setenv ("NOTIFY_SOCKET", in ("up"), 1);
  if (fixture.most_files > 0) {
    const struct rlimit limit = { fixture.most_files, fixture.most_files };

    for (int fd = STDERR_FILENO + 1; fd < 256; fd++)    /* of who runs us */
      close (fd);
    setrlimit (RLIMIT_NOFILE, &limit);
  }
  for (const char *const *name = secrets; *name != NULL; name++)
    setenv (*name, "s3cret-word", 1);
  if (freopen (in ("log"), "a", stderr) == NULL)
    abort ();
  log_setup (LOG_LEVEL_INFO, LOG_PLAIN);
  close (fixture.upstream);
  exit (supervise ());
}

/* What the service manager was told so far. */
static const char *
heard (void)
{
  size_t len = strlen (fixture.heard);
  ssize_t n;

  while (len + 2 < sizeof fixture.heard
         && (n = recv (fixture.upstream, fixture.heard + len,
                       sizeof fixture.heard - len - 2, MSG_DONTWAIT)) > 0) {
    len += (size_t) n;
    memcpy (fixture.heard + len++, "|", 2);
  }
  return fixture.heard;
}

/* Nobody reads for the service manager but us, and who tells it waits. */
static void
nap (void)
{
  heard ();
  usleep (5000);
}

#define wait_for(condition)                                                  \
  do {                                                                       \
    int64_t end_us = date_monotonic_us () + PATIENCE_MS * INT64_C (1000);    \
    while (!(condition)) {                                                   \
      if (date_monotonic_us () > end_us) {                                   \
        char *said = get ("log");                                            \
        print_error ("%s", said);                                            \
        fail_msg ("%s did not happen", #condition);                          \
      }                                                                      \
      nap ();                                                                \
    }                                                                        \
  } while (0)

static void
start (void)
{
  fixture.pid = start_another ();
  wait_for (strstr (heard (), "READY=1") != NULL);
}

static int
end (pid_t pid)
{
  int status;

  wait_for (waitpid (pid, &status, WNOHANG) == pid);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
}

static void
stop (void)
{
  kill (fixture.pid, SIGTERM);
  assert_int_equal (end (fixture.pid), 0);
  fixture.pid = 0;
}

/* The process id of a stand-in's last start. */
static pid_t
pid_of (const char *name)
{
  char *text = get (name), *last = NULL;
  pid_t pid = 0;

  for (char *at = text; (at = strstr (at, "start")) != NULL; at++)
    last = at;
  if (last != NULL)
    last = strstr (last, ", of ");
  if (last != NULL)
    last = strchr (last + 5, ' ');
  if (last != NULL)
    pid = (pid_t) strtol (last, NULL, 10);
  free (text);
  return pid;
}

/* An orphan that nobody has waited for yet (Z) does not run. */
static bool
is_running (pid_t pid)
{
  char path[40], state = 'Z';
  FILE *file;

  snprintf (path, sizeof path, "/proc/%ld/stat", (long) pid);
  file = fopen (path, "r");
  if (file == NULL)
    return false;
  assert_int_equal (fscanf (file, "%*d %*s %c", &state), 1);
  fclose (file);
  return state != 'Z';
}

static int
tear_down (void **state)
{
  static const char *const kept[] = { "etc/conf.d", "etc", "state/run",
                                      "state/good", "state", "." };

  (void) state;
  if (fixture.pid > 0) {
    kill (fixture.pid, SIGKILL);
    end (fixture.pid);
  }
  close (fixture.upstream);
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
    char path[200];
    DIR *directory;
    const struct dirent *entry;

    snprintf (path, sizeof path, "%s", in (kept[i]));
    directory = opendir (path);
    while (directory != NULL && (entry = readdir (directory)) != NULL) {
      char file[500];

      snprintf (file, sizeof file, "%s/%s", path, entry->d_name);
      unlink (file);
    }
    if (directory != NULL)
      closedir (directory);
    rmdir (strcmp (kept[i], ".") == 0 ? fixture.directory : path);
  }
  assert_int_equal (access (fixture.directory, F_OK), -1);
  return 0;
}

/* -- */

static void
test_start_and_stop (void **state)
{
  pid_t intake, worker;
  char *text;

  (void) state;
  configure_usual ("<workers number=\"2\"/>");
  start ();
  assert_int_equal (pidfile_find (in ("state")), fixture.pid);
  assert_int_equal (count ("state/intake.log", "start 1 sockets, of -"), 1);
  assert_int_equal (count ("state/worker-0.log", "start 0 sockets, of 2"),
                    1);
  assert_int_equal (count ("state/worker-1.log", "start 0 sockets, of 2"),
                    1);
  intake = pid_of ("state/intake.log");
  worker = pid_of ("state/worker-1.log");
  assert_true (is_running (intake) && is_running (worker));
  stop ();
  assert_false (is_running (intake) || is_running (worker));
  assert_int_equal (count ("state/intake.log", "stop"), 1);
  assert_int_equal (count ("state/worker-0.log", "stop"), 1);
  text = memory_strdup (heard ());
  assert_int_equal (strncmp (text, "READY=1\nSTATUS=3 of 3 processes up|",
                             35), 0);
  assert_non_null (strstr (text, "STOPPING=1\nSTATUS="));
  free (text);
  assert_int_equal (access (in ("a.sock"), F_OK), -1);
  assert_int_equal (access (in ("state/run/notify"), F_OK), -1);
  assert_int_equal (pidfile_find (in ("state")), 0);
}

static int64_t
n_done (void)
{
  struct json_doc *doc = renewal_read (in ("state/run"));
  int64_t n = json_doc_as_number (json_doc_get (doc, "done"));

  json_doc_free (doc);
  return n;
}

/* A child that fails is started again, later each time. */
static void
test_crash (void **state)
{
  pid_t first, worker;

  (void) state;
  start ();
  first = pid_of ("state/intake.log");
  worker = pid_of ("state/worker-0.log");
  kill (first, SIGKILL);
  wait_for (pid_of ("state/intake.log") != first);
  assert_int_equal (count ("log", "intake (pid"), 1);
  assert_int_equal (count ("log", "was ended by signal 9 (SIGKILL)"), 1);
  assert_int_equal (pid_of ("state/worker-0.log"), worker);
  put ("state/worker-0.crash", "");
  kill (worker, SIGSYS);       /* which no sanitizer catches */
  wait_for (count ("state/worker-0.log", "start") == 4);
  assert_int_equal (count ("log", "(forbidden system call)"), 1);
  assert_int_equal (unlink (in ("state/worker-0.crash")), 0);
  wait_for (count ("state/worker-0.log", "start") == 5);
  stop ();
}

static void
test_few_descriptors (void **state)
{
  (void) state;
  fixture.most_files = 20;
  start ();
  assert_int_equal (count ("state/intake.log", "start 1 sockets"), 1);
  stop ();
}

/* When there are not enough, that is what is said. */
static void
test_no_descriptors (void **state)
{
  char parts[1000], *text;
  int n = 0;

  (void) state;
  fixture.most_files = 18;
  n += snprintf (parts, sizeof parts, "<intake>");
  for (int i = 0; i < 6; i++)
    n += snprintf (parts + n, sizeof parts - (size_t) n,
                   "<listen socket=\"%s.%d\"/>", in ("s"), i);
  snprintf (parts + n, sizeof parts - (size_t) n, "</intake>");
  configure (parts);
  fixture.pid = start_another ();
  wait_for (count ("log", "intake can't be started") > 0);
  text = get ("log");
  assert_non_null (strstr (text, strerror (EMFILE)));
  free (text);
  assert_int_equal (count ("log", "exit code"), 0);
  stop ();
}

/* Somebody has tidied up; what is held is the open file. */
static void
test_pidfile_removed (void **state)
{
  pid_t worker;

  (void) state;
  start ();
  worker = pid_of ("state/worker-0.log");
  assert_int_equal (unlink (in ("state/run/serve.pid")), 0);
  kill (worker, SIGKILL);
  wait_for (pid_of ("state/worker-0.log") != worker);
  stop ();
}

static void
test_watchdog (void **state)
{
  pid_t first;

  (void) state;
  configure_usual ("<workers watchdog=\"1s\"/>");
  start ();
  first = pid_of ("state/worker-0.log");
  kill (first, SIGSTOP);
  wait_for (pid_of ("state/worker-0.log") != first);
  assert_int_equal (count ("log", "was stopped from outside for 1 s"), 1);
  assert_int_equal (count ("log", "gave no sign of life"), 0);
  first = pid_of ("state/intake.log");
  put ("state/intake.hang", "");
  kill (first, SIGKILL);
  wait_for (count ("state/intake.log", "start") == 3);
  assert_int_equal (count ("log", "gave no sign of life for 1 s"), 1);
  stop ();
}

/* Who slept himself has no right to say that others hang. */
static void
test_supervisor_slept (void **state)
{
  (void) state;
  configure_usual ("<workers watchdog=\"1s\"/>");
  start ();
  kill (fixture.pid, SIGSTOP);
  usleep (1800 * 1000);
  kill (fixture.pid, SIGCONT);
  usleep (300 * 1000);
  assert_int_equal (count ("state/intake.log", "start"), 1);
  assert_int_equal (count ("state/worker-0.log", "start"), 1);
  stop ();
}

/* And those who had no room to say that they live, as another filled what
 * a socket takes, say it when he reads again. */
static void
test_supervisor_slept_beside_many_words (void **state)
{
  (void) state;
  configure_usual ("<workers watchdog=\"1s\"/>");
  put ("state/worker-0.chatty", "");
  start ();
  kill (fixture.pid, SIGSTOP);
  usleep (2500 * 1000);
  assert_int_equal (unlink (in ("state/worker-0.chatty")), 0);
  kill (fixture.pid, SIGCONT);
  usleep (1000 * 1000);
  assert_int_equal (count ("log", "gave no sign of life"), 0);
  assert_int_equal (count ("state/intake.log", "start"), 1);
  assert_int_equal (count ("state/worker-0.log", "start"), 1);
  stop ();
}

/* A service manager that does not read, as while it is busy or reads its
 * own configuration again, is no reason to take children for hung. */
static void
test_manager_does_not_read (void **state)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int64_t end_us;

  (void) state;
  configure_usual ("<workers watchdog=\"1s\"/>");
  start ();
  snprintf (address.sun_path, sizeof address.sun_path, "%s", in ("up"));
  assert_int_equal (connect (fd, (struct sockaddr *) &address,
                             sizeof address), 0);
  while (send (fd, "STATUS=full", 11, MSG_DONTWAIT) == 11)
    continue;
  close (fd);
  /* A start and a reload, each of which is told step by step. */
  kill (pid_of ("state/intake.log"), SIGKILL);
  kill (fixture.pid, SIGHUP);
  end_us = date_monotonic_us () + 4000 * 1000;
  while (date_monotonic_us () < end_us)
    usleep (10 * 1000);
  assert_int_equal (count ("log", "gave no sign of life"), 0);
  assert_int_equal (count ("state/intake.log", "start"), 2);
  assert_int_equal (count ("state/worker-0.log", "start"), 1);
  assert_int_equal (n_done (), 2);
  stop ();
}

static void
test_deaf (void **state)
{
  pid_t worker;

  (void) state;
  configure_usual ("<workers stop=\"0\"/>");    /* and 5 s on top */
  put ("state/worker-0.deaf", "");
  start ();
  worker = pid_of ("state/worker-0.log");
  stop ();
  assert_false (is_running (worker));
  assert_int_equal (count ("log", "does not end: it is killed"), 1);
}

static void
test_interrupted_twice (void **state)
{
  (void) state;
  put ("state/worker-0.deaf", "");
  start ();
  kill (fixture.pid, SIGINT);
  wait_for (count ("state/worker-0.log", "stop") > 0);
  kill (fixture.pid, SIGINT);
  assert_int_equal (end (fixture.pid), 0);
  fixture.pid = 0;
  assert_int_equal (count ("log", "ending at once"), 1);
}

static void
test_second (void **state)
{
  (void) state;
  start ();
  assert_int_equal (end (start_another ()), FILE_EXIT);
  assert_int_equal (count ("log", "herald serve runs already (pid"), 1);
  stop ();
}

/* The children of one that was killed end by themselves, and the next one
 * takes over as soon as they have. */
static void
test_killed (void **state)
{
  pid_t intake, worker;

  (void) state;
  start ();
  intake = pid_of ("state/intake.log");
  worker = pid_of ("state/worker-0.log");
  put ("state/late", "");
  kill (fixture.pid, SIGKILL);
  assert_int_equal (end (fixture.pid), -SIGKILL);
  fixture.heard[0] = '\0';
  start ();
  assert_false (is_running (intake) || is_running (worker));
  assert_int_equal (count ("state/worker-0.log", "stop"), 1);
  assert_int_equal (count ("state/worker-0.log", "start"), 2);
  stop ();
}

/* The first start: what can't be mended by trying again ends it. */
static void
test_unusable (void **state)
{
  (void) state;
  put ("state/worker-0.unusable", "");
  fixture.pid = start_another ();
  assert_int_equal (end (fixture.pid), FINAL_EXIT);
  fixture.pid = 0;
  assert_null (strstr (heard (), "READY=1"));
  assert_int_equal (count ("log", "can't be started with this"), 1);
}

static struct json_doc *
renewal (const char *result)
{
  struct json_doc *doc = renewal_read (in ("state/run"));
  const char *text = json_doc_as_text (json_doc_get (doc, "result"));

  if (text != NULL && strcmp (text, result) == 0)
    return doc;
  json_doc_free (doc);
  return NULL;
}

static bool
has_line (const struct json_doc *doc, const char *name, const char *text)
{
  const struct json_doc *lines = json_doc_get (doc, name);

  for (size_t i = 0; i < json_doc_count (lines); i++)
    if (strstr (json_doc_as_text (json_doc_at (lines, i)), text) != NULL)
      return true;
  return false;
}

static const char descriptor[]
  = "<integration xmlns=\"urn:herald:integration:1\" name=\"crm\" "
    "provider=\"hubspot\" enabled=\"true\"><workspaces all=\"true\"/>"
    "<settings/><map><field name=\"id\" source=\"id\"/></map></integration>";

static void
test_reload (void **state)
{
  struct json_doc *doc;

  (void) state;
  start ();
  assert_int_equal (n_done (), 1);
  fixture.heard[0] = '\0';
  put ("etc/conf.d/crm.xml", descriptor);
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 2);
  doc = renewal ("done");
  assert_non_null (doc);
  assert_true (has_line (doc, "changed", "integration crm: added"));
  json_doc_free (doc);
  assert_int_equal (count ("state/intake.log", "reload"), 1);
  assert_int_equal (count ("state/worker-0.log", "reload"), 1);
  assert_int_equal (strncmp (heard (), "RELOADING=1\nMONOTONIC_USEC=", 27),
                    0);
  wait_for (strstr (heard (), "READY=1\nSTATUS=2 of 2") != NULL);

  put ("etc/conf.d/crm.xml", "<integration");
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 3);
  doc = renewal ("partly");
  assert_non_null (doc);
  assert_true (has_line (doc, "kept", "integration crm: its file has "
                                      "errors"));
  json_doc_free (doc);

  put ("etc/herald.xml", "<herald");
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 4);
  doc = renewal ("failed");
  assert_non_null (doc);
  json_doc_free (doc);
  assert_int_equal (count ("state/worker-0.log", "reload"), 2);
  assert_int_equal (count ("state/worker-0.log", "start"), 1);
  stop ();
}

static void
put_descriptor (const char *name, const char *variable)
{
  char file[100], text[600];

  snprintf (file, sizeof file, "etc/conf.d/%s.xml", name);
  snprintf (text, sizeof text, "<integration "
            "xmlns=\"urn:herald:integration:1\" name=\"%s\" "
            "provider=\"hubspot\"><workspaces all=\"true\"/><settings>"
            "<setting name=\"api-key\" from=\"env\" variable=\"%s\"/>"
            "</settings></integration>", name, variable);
  put (file, text);
}

/* The intake has no secret of an integration in its environment. */
static void
test_variables (void **state)
{
  (void) state;
  put_descriptor ("crm", "CRM_TOKEN");
  start ();
  assert_int_equal (count ("state/intake.log", "CRM_TOKEN"), 0);
  assert_int_equal (count ("state/intake.log", "MAIL_TOKEN"), 1);
  assert_int_equal (count ("state/worker-0.log", "CRM_TOKEN"), 1);
  put_descriptor ("mail", "MAIL_TOKEN");
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 2);
  put_descriptor ("more", "NONE_OF_THAT_NAME");
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 3);
  assert_int_equal (count ("state/intake.log", "start"), 2);
  assert_int_equal (count ("state/intake.log", "_TOKEN"), 1);
  assert_int_equal (count ("state/worker-0.log", "start"), 1);
  stop ();
}

/* Nobody is to blame for an end that a reload asks for, and nobody waits
 * longer and longer for it. */
static void
test_reload_anew (void **state)
{
  int64_t start_us;

  (void) state;
  put ("state/worker-0.anew", "");
  start ();
  start_us = date_monotonic_us ();
  for (int i = 0; i < 6; i++) {
    kill (fixture.pid, SIGHUP);
    wait_for (n_done () == 2 + i);
  }
  assert_true (date_monotonic_us () - start_us < 4 * 1000 * 1000);
  assert_int_equal (count ("state/worker-0.log", "start"), 7);
  assert_int_equal (count ("log", "exit code"), 0);
  stop ();
}

/* Who has mended something does not wait for a long pause to end. */
static void
test_reload_of_what_failed (void **state)
{
  int64_t start_us;
  pid_t first;

  (void) state;
  start ();
  first = pid_of ("state/worker-0.log");
  put ("state/worker-0.unusable", "");
  kill (first, SIGKILL);
  wait_for (count ("log", "ended with exit code 3") == 5);
  assert_int_equal (unlink (in ("state/worker-0.unusable")), 0);
  start_us = date_monotonic_us ();      /* the pause is 3.2 s now */
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 2);
  assert_true (date_monotonic_us () - start_us < 2500 * 1000);
  assert_int_not_equal (pid_of ("state/worker-0.log"), first);
  assert_int_equal (count ("state/worker-0.log", "reload"), 0);
  stop ();
}

/* A reload that is asked for while one is under way comes after it. */
static void
test_reload_twice (void **state)
{
  (void) state;
  start ();
  put ("state/worker-0.late", "");
  kill (fixture.pid, SIGHUP);
  wait_for (count ("state/worker-0.log", "reload") == 1);
  assert_int_equal (n_done (), 1);
  kill (fixture.pid, SIGHUP);
  usleep (100 * 1000);
  assert_int_equal (count ("state/worker-0.log", "reload"), 1);
  assert_int_equal (unlink (in ("state/worker-0.late")), 0);
  kill (pid_of ("state/worker-0.log"), SIGHUP);         /* says READY=1 */
  wait_for (n_done () == 3);
  assert_int_equal (count ("state/intake.log", "reload"), 2);
  stop ();
}

/* One that lost its supervisor and does not end is not waited for. */
static void
test_reload_beside_an_orphan (void **state)
{
  struct json_doc *doc;
  int64_t n_before;
  pid_t orphan;

  (void) state;
  put ("state/worker-0.deaf", "");
  start ();
  orphan = pid_of ("state/worker-0.log");
  kill (fixture.pid, SIGKILL);
  assert_int_equal (end (fixture.pid), -SIGKILL);
  fixture.heard[0] = '\0';
  fixture.pid = start_another ();
  wait_for (count ("log", "worker-0 waits until the one of a former") == 1);
  wait_for (count ("state/intake.log", "start") == 2);
  for (int i = 0; i < 2; i++) {
    n_before = n_done ();
    kill (fixture.pid, SIGHUP);
    wait_for (n_done () == n_before + 1);
    doc = renewal ("partly");
    assert_non_null (doc);
    assert_true (has_line (doc, "kept", "worker-0 of a former herald serve "
                                        "goes on as it was"));
    json_doc_free (doc);
  }
  assert_null (strstr (heard (), "READY=1"));
  assert_int_equal (count ("state/worker-0.log", "start"), 1);
  assert_int_equal (unlink (in ("state/worker-0.deaf")), 0);
  kill (orphan, SIGKILL);
  wait_for (strstr (heard (), "READY=1\nSTATUS=2 of 2") != NULL);
  stop ();
}

static void
test_more_workers (void **state)
{
  struct json_doc *doc;

  (void) state;
  start ();
  configure_usual ("<workers number=\"3\"/>");
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 2);
  doc = renewal ("done");
  assert_non_null (doc);
  assert_true (has_line (doc, "changed", "3 workers instead of 1"));
  json_doc_free (doc);
  assert_int_equal (count ("state/worker-0.log", "of 3"), 1);
  assert_int_equal (count ("state/worker-2.log", "of 3"), 1);
  assert_int_equal (count ("state/intake.log", "start"), 1);
  configure_usual ("");
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 3);
  assert_int_equal (count ("state/worker-0.log", "start"), 3);
  assert_int_equal (count ("state/worker-1.log", "start"), 1);
  stop ();
}

static int
connect_to (const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  snprintf (address.sun_path, sizeof address.sun_path, "%s", in (name));
  if (connect (fd, (struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

/* Who connects while the intake is replaced is only answered later. */
static void
test_other_sockets (void **state)
{
  char parts[500], answer[6] = "";
  int first, second;

  (void) state;
  start ();
  first = connect_to ("a.sock");
  assert_true (first >= 0);
  snprintf (parts, sizeof parts, "<intake><listen socket=\"%s\"/>"
            "<listen socket=\"%s\" mode=\"0600\"/></intake>", in ("a.sock"),
            in ("b.sock"));
  configure (parts);
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 2);
  assert_int_equal (count ("state/intake.log", "start 2 sockets"), 1);
  second = connect_to ("b.sock");
  assert_true (second >= 0);
  put ("state/intake.accept", "");
  assert_int_equal (read (first, answer, 5), 5);
  assert_string_equal (answer, "start");
  assert_int_equal (read (second, answer, 5), 5);
  close (first);
  close (second);
  put ("c.sock", "of somebody else");
  snprintf (parts, sizeof parts, "<intake><listen socket=\"%s\"/></intake>",
            in ("c.sock"));
  configure (parts);
  kill (fixture.pid, SIGHUP);
  wait_for (n_done () == 3);
  assert_int_equal (count ("log", "a file is there that is no socket"), 1);
  assert_int_equal (count ("state/intake.log", "start"), 2);
  second = connect_to ("b.sock");       /* as before */
  assert_true (second >= 0);
  close (second);
  stop ();
  assert_int_equal (access (in ("b.sock"), F_OK), -1);
  assert_int_equal (access (in ("c.sock"), F_OK), 0);
}

int
main (int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_start_and_stop, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_crash, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_few_descriptors, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_no_descriptors, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_pidfile_removed, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_watchdog, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_supervisor_slept, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_supervisor_slept_beside_many_words,
                                     set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_manager_does_not_read, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_deaf, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_interrupted_twice, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_second, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_killed, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_unusable, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_reload, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_variables, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_reload_anew, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_reload_of_what_failed, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_reload_twice, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_reload_beside_an_orphan, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_more_workers, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_other_sockets, set_up, tear_down),
  };

  if (argc > 1)                 /* its leaks are nobody's */
    _exit (stand_in (argc, argv));
  return cmocka_run_group_tests (tests, NULL, NULL);
}
