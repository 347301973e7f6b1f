# unit.mk - one cmocka program for each tests/unit/test-*.c.
# SPDX-License-Identifier: MIT
#
# automake finds tests/unit/test-NAME.c by the program's name, and links
# it with LDADD.

unit_tests = \
	tests/unit/test-arena \
	tests/unit/test-buf \
	tests/unit/test-guard \
	tests/unit/test-json-index \
	tests/unit/test-memory \
	tests/unit/test-number \
	tests/unit/test-smtp-dialogue \
	tests/unit/test-text \
	tests/unit/test-transport

LDADD = tests/unit/libsupport.la core/libherald-core.la $(CMOCKA_LIBS)
AM_CPPFLAGS += $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests/unit

if UNIT_TESTS
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

# What several tests share.
check_LTLIBRARIES += tests/unit/libsupport.la
tests_unit_libsupport_la_SOURCES = \
	tests/unit/loopback.c \
	tests/unit/loopback.h
