# unit.mk - one cmocka program for each tests/unit/test-*.c.
# SPDX-License-Identifier: MIT
#
# automake finds tests/unit/test-NAME.c by the program's name, and links
# it with LDADD.

unit_tests = \
	tests/unit/test-address \
	tests/unit/test-answer \
	tests/unit/test-arena \
	tests/unit/test-body \
	tests/unit/test-board \
	tests/unit/test-breaker \
	tests/unit/test-buf \
	tests/unit/test-catalogue \
	tests/unit/test-committer \
	tests/unit/test-condition \
	tests/unit/test-configuration \
	tests/unit/test-crowd \
	tests/unit/test-configuration-recall \
	tests/unit/test-configuration-reload \
	tests/unit/test-crypto \
	tests/unit/test-date \
	tests/unit/test-descriptor \
	tests/unit/test-descriptor-edit \
	tests/unit/test-event \
	tests/unit/test-exposition \
	tests/unit/test-feeder \
	tests/unit/test-flight \
	tests/unit/test-gate \
	tests/unit/test-guard \
	tests/unit/test-herald-xml \
	tests/unit/test-histogram \
	tests/unit/test-host \
	tests/unit/test-integration \
	tests/unit/test-job \
	tests/unit/test-json-doc \
	tests/unit/test-json-index \
	tests/unit/test-keyring \
	tests/unit/test-lane \
	tests/unit/test-lane-order \
	tests/unit/test-lane-store \
	tests/unit/test-ledger \
	tests/unit/test-limits \
	tests/unit/test-listeners \
	tests/unit/test-loader \
	tests/unit/test-log \
	tests/unit/test-loop \
	tests/unit/test-mail-form \
	tests/unit/test-mail-text \
	tests/unit/test-mapping \
	tests/unit/test-memory \
	tests/unit/test-message \
	tests/unit/test-names \
	tests/unit/test-network \
	tests/unit/test-number \
	tests/unit/test-outcome \
	tests/unit/test-problem \
	tests/unit/test-proof \
	tests/unit/test-queue \
	tests/unit/test-queue-care \
	tests/unit/test-queue-left \
	tests/unit/test-queue-model \
	tests/unit/test-queue-out \
	tests/unit/test-queue-processes \
	tests/unit/test-queue-store \
	tests/unit/test-queue-tables \
	tests/unit/test-redact \
	tests/unit/test-reply \
	tests/unit/test-request \
	tests/unit/test-secret \
	tests/unit/test-service \
	tests/unit/test-setting \
	tests/unit/test-settings \
	tests/unit/test-shelf \
	tests/unit/test-sigv4 \
	tests/unit/test-smtp-dialogue \
	tests/unit/test-stream \
	tests/unit/test-supervisor \
	tests/unit/test-template \
	tests/unit/test-text \
	tests/unit/test-token \
	tests/unit/test-tokens \
	tests/unit/test-transport \
	tests/unit/test-trust \
	tests/unit/test-xml

# A part of a plugin, held against its vendor's own vectors.
tests_unit_test_sigv4_SOURCES = tests/unit/test-sigv4.c plugins/ses/sigv4.c

# Lanes in a world of their own; two of them with its clock as well.
lane_world = tests/unit/lane-world.c tests/unit/lane-world.h
played_clock = -Wl,--wrap=date_now_ms,--wrap=loop_now_us \
	-Wl,--wrap=loop_timer_new,--wrap=loop_timer_free \
	-Wl,--wrap=loop_timer_set,--wrap=loop_timer_stop \
	-Wl,--wrap=backoff_delay_ms,--wrap=backoff_spread_ms
tests_unit_test_feeder_SOURCES = tests/unit/test-feeder.c $(lane_world)
tests_unit_test_feeder_LDFLAGS = $(AM_LDFLAGS) $(played_clock)
tests_unit_test_lane_SOURCES = tests/unit/test-lane.c $(lane_world)
tests_unit_test_lane_order_SOURCES = tests/unit/test-lane-order.c \
	$(lane_world)
tests_unit_test_lane_order_LDFLAGS = $(AM_LDFLAGS) $(played_clock)
tests_unit_test_lane_store_SOURCES = tests/unit/test-lane-store.c \
	$(lane_world)
tests_unit_test_lane_store_LDFLAGS = $(AM_LDFLAGS) $(played_clock)

LDADD = tests/unit/libsupport.la core/libherald-core.la $(CMOCKA_LIBS)
AM_CPPFLAGS += $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests/unit

if UNIT_TESTS
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

# Plugins, good and bad, that test-loader and tests/e2e/test-plugin-test.sh
# load.  Never installed: -rpath makes libtool build a shared object.
test_modules = \
	tests/unit/modules/careless.la \
	tests/unit/modules/good.la \
	tests/unit/modules/misnamed.la \
	tests/unit/modules/missing-function.la \
	tests/unit/modules/newer-minor.la \
	tests/unit/modules/no-abi.la \
	tests/unit/modules/older.la \
	tests/unit/modules/other-major.la \
	tests/unit/modules/unsteady.la
check_LTLIBRARIES += $(test_modules)
module_ldflags = -module -avoid-version -shared -rpath /nowhere

tests_unit_modules_careless_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_careless_la_LIBADD =
tests_unit_modules_good_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_good_la_LIBADD =
tests_unit_modules_misnamed_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_misnamed_la_LIBADD =
tests_unit_modules_missing_function_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_missing_function_la_LIBADD =
tests_unit_modules_newer_minor_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_newer_minor_la_LIBADD =
tests_unit_modules_no_abi_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_no_abi_la_LIBADD =
tests_unit_modules_older_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_older_la_LIBADD =
tests_unit_modules_other_major_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_other_major_la_LIBADD =
tests_unit_modules_unsteady_la_LDFLAGS = $(module_ldflags)
tests_unit_modules_unsteady_la_LIBADD =

# What several tests share.
check_LTLIBRARIES += tests/unit/libsupport.la
tests_unit_libsupport_la_SOURCES = \
	tests/unit/config-fixture.h \
	tests/unit/integration-fixture.h \
	tests/unit/loopback.c \
	tests/unit/loopback.h \
	tests/unit/mock.c \
	tests/unit/mock.h \
	tests/unit/queue-fixture.c \
	tests/unit/queue-fixture.h
