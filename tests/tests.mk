# tests.mk - what make check runs.  Every test speaks TAP.
# SPDX-License-Identifier: MIT
#
# To add a test:
#   tests/unit/test-NAME.c   a word in unit_tests (tests/unit/unit.mk)
#   tests/fuzz/fuzz-NAME.c   a word in fuzz_targets, and its _LDADD line
#                            (tests/fuzz/fuzz.mk);
#                            its corpus is the directory tests/fuzz/corpus/NAME
#   tests/unit/modules/NAME.c   a plugin that tests load: a word in
#                            test_modules, and its two lines (unit.mk)
#   tests/e2e/test-NAME.py   a word in script_tests; so for interop.  It
#                            prints TAP, or ends in unittest.main ()

TEST_EXTENSIONS = .la .mjs .py .sh

tap_driver = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(tap_driver)
LA_LOG_DRIVER = $(tap_driver)
LA_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/plugin-cases.sh
MJS_LOG_DRIVER = $(tap_driver)
MJS_LOG_COMPILER = $(SHELL) -c 'if test -n "$$NODE"; \
	then exec "$$NODE" "$$0"; \
	else echo "1..0 \# SKIP node is missing"; fi'
PY_LOG_DRIVER = $(tap_driver)
PY_LOG_COMPILER = $(PYTHON) $(top_srcdir)/tests/tap.py
SH_LOG_DRIVER = $(tap_driver)
SH_LOG_COMPILER = $(SHELL)

# ASAN_OPTIONS and the like are joined to what the caller has set.
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	HERALD='$(abs_top_builddir)/herald'; export HERALD; \
	HERALD_PLUGINS='$(abs_top_builddir)/plugins/.libs'; \
	export HERALD_PLUGINS; \
	HERALD_PLUGIN_TEST='$(abs_top_builddir)/herald-plugin-test'; \
	export HERALD_PLUGIN_TEST; \
	TEST_MODULES='$(abs_top_builddir)/tests/unit/modules/.libs'; \
	export TEST_MODULES; \
	CHAOS_MODULES='$(abs_top_builddir)/tests/chaos/.libs'; \
	export CHAOS_MODULES; \
	PYTHON='$(PYTHON)'; export PYTHON; \
	NODE='$(NODE)'; export NODE; \
	NM='$(NM)'; export NM; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	UBSAN_OPTIONS="print_stacktrace=1:$$UBSAN_OPTIONS"; \
	export UBSAN_OPTIONS;

# In the order they finish best: the slow ones first.
script_tests = \
	tests/e2e/test-serve.py \
	tests/chaos/test-chaos.py \
	tests/chaos/test-parts.py \
	tests/e2e/test-faults.py \
	tests/e2e/test-worker.py \
	tests/e2e/test-smtp-servers.py \
	tests/e2e/test-smtp.py \
	tests/e2e/test-lanes.py \
	tests/e2e/test-input.py \
	tests/e2e/test-intake.py \
	tests/e2e/test-config.py \
	tests/e2e/test-operating.py \
	tests/e2e/test-operating-daemon.py \
	tests/e2e/test-operator.py \
	tests/e2e/test-commands.py \
	tests/e2e/test-memory.py \
	tests/e2e/test-network.py \
	tests/e2e/test-plugins.py \
	tests/e2e/test-send.py \
	tests/e2e/test-stop.py \
	tests/e2e/test-submit.py \
	tests/e2e/test-systemd.py \
	tests/e2e/test-mapping.py \
	tests/e2e/test-documents.py \
	tests/sandbox/test_crm.py \
	tests/sandbox/test_mails.py \
	tests/sandbox/test_sandbox.py
node_tests = \
	tests/interop/test-brevo.mjs \
	tests/interop/test-cloudevents.mjs \
	tests/interop/test-mailgun.mjs \
	tests/interop/test-mailjet.mjs \
	tests/interop/test-hubspot.mjs \
	tests/interop/test-mandrill.mjs \
	tests/interop/test-salesforce.mjs \
	tests/interop/test-sendgrid.mjs \
	tests/interop/test-ses.mjs \
	tests/interop/test-webhooks.mjs
shell_tests = tests/plugin-symbols.sh tests/sources.sh \
	tests/systemd-units.sh \
	tests/e2e/test-plugin-test.sh tests/e2e/test-third-party.sh

if HAVE_PYTHON
TESTS += $(script_tests)
endif
TESTS += $(shell_tests) $(node_tests)

# What these need of npm; without it they are skipped.
tests/e2e/test-smtp-servers.log $(node_tests:.mjs=.log): \
	tests/interop/installed
tests/interop/installed: tests/interop/package-lock.json
	@test -z '$(NODE)' || { \
	  top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	  top_builddir='$(abs_top_builddir)'; export top_builddir; \
	  $(SHELL) $(top_srcdir)/tests/interop/install.sh; }
CLEANFILES += tests/interop/installed tests/interop/install.log
interop-clean:
	rm -rf tests/interop/node_modules
	-@test '$(abs_top_srcdir)' = '$(abs_top_builddir)' || \
	  rm -f tests/interop/package.json tests/interop/package-lock.json
EXTRA_DIST += $(node_tests) tests/interop/install.sh \
	tests/interop/package.json tests/interop/package-lock.json \
	tests/interop/recorder.mjs \
	tests/interop/smtp-server.mjs tests/interop/smtp-server.py

# make check TESTS='$(quick_tests)'
quick_tests = $(unit_tests) $(shell_tests)

# What tests/e2e/test-operating.py fills a store with.
check_PROGRAMS += tests/e2e/store-keeper
tests_e2e_store_keeper_LDADD = core/libherald-core.la

EXTRA_DIST += tests/sandbox tests/e2e
EXTRA_DIST += $(shell_tests) tests/plugin-cases.sh tests/tap.py

include tests/unit/unit.mk
include tests/fuzz/fuzz.mk

# -- make chaos: herald serve under faults

# A plugin that crashes, and a disk that fails.  Never installed, and never
# sanitized: the one is preloaded, the other's crashes are meant.
chaos_modules = tests/chaos/crasher.la tests/chaos/faultfs.la
check_LTLIBRARIES += $(chaos_modules)
chaos_cflags = $(STANDARD_CFLAGS) $(WARN_CFLAGS)
tests_chaos_crasher_la_CFLAGS = $(chaos_cflags)
tests_chaos_crasher_la_LDFLAGS = $(module_ldflags)
tests_chaos_crasher_la_LIBADD =
tests_chaos_faultfs_la_CFLAGS = $(chaos_cflags)
tests_chaos_faultfs_la_LDFLAGS = $(module_ldflags)
tests_chaos_faultfs_la_LIBADD = -ldl
EXTRA_DIST += tests/chaos/chaos.py tests/chaos/daemon.py tests/chaos/disk.py \
	tests/chaos/endpoints.py tests/chaos/mischief.py \
	tests/chaos/oracle.py tests/chaos/producer.py \
	tests/chaos/test-chaos.py tests/chaos/test-parts.py

# make chaos SEED=7 ROUNDS=200; CHAOS_FLAGS: see chaos.py --help.
SEED =
ROUNDS = 20
CHAOS_FLAGS =
chaos: herald $(pluginexec_LTLIBRARIES) $(chaos_modules)
	$(AM_TESTS_ENVIRONMENT) \
	  $(PYTHON) $(top_srcdir)/tests/chaos/chaos.py --seed='$(SEED)' \
	  --rounds='$(ROUNDS)' $(CHAOS_FLAGS)
.PHONY: chaos

# make soak MINUTES=10 RATE=1000
MINUTES = 10
RATE = 1000
EXTRA_DIST += tests/soak/soak.py tests/soak/steady.py
soak: herald $(pluginexec_LTLIBRARIES)
	$(AM_TESTS_ENVIRONMENT) \
	  $(PYTHON) $(top_srcdir)/tests/soak/soak.py --minutes='$(MINUTES)' \
	  --rate='$(RATE)'
.PHONY: soak

# -- make bench: herald beside what could be had at best

EXTRA_PROGRAMS = tests/bench/batch-sink tests/bench/curl-multi \
	tests/bench/measure \
	tests/bench/queue-bench tests/bench/commit-bench
tests_bench_batch_sink_LDADD =
tests_bench_curl_multi_LDADD = $(CURL_LIBS)
tests_bench_measure_LDADD =
tests_bench_commit_bench_LDADD = core/libherald-core.la
tests_bench_queue_bench_LDADD = core/libherald-core.la $(SQLITE_LIBS)
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += tests/bench/accepting.py tests/bench/bench \
	tests/bench/receivers.py \
	tests/bench/results.py tests/bench/runs.py tests/bench/served.py \
	tests/bench/vendors.mjs

BENCH_FLAGS =
bench: herald $(pluginexec_LTLIBRARIES) $(chaos_modules) $(EXTRA_PROGRAMS) \
	tests/interop/installed
	HERALD='$(abs_top_builddir)/herald' \
	  HERALD_PLUGINS='$(abs_top_builddir)/plugins/.libs' \
	  BENCH_BIN='$(abs_top_builddir)/tests/bench' \
	  CHAOS_MODULES='$(abs_top_builddir)/tests/chaos/.libs' \
	  INTEROP='$(abs_top_builddir)/tests/interop' NODE='$(NODE)' \
	  PYTHONDONTWRITEBYTECODE=1 \
	  $(PYTHON) $(top_srcdir)/tests/bench/bench $(BENCH_FLAGS)
.PHONY: bench

# The queue alone, in TMPDIR, beside bare SQLite: bench/queue-bench.c.
bench-queue: tests/bench/queue-bench
	tests/bench/queue-bench $(BENCH_FLAGS)
.PHONY: bench-queue
