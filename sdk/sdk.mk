# sdk.mk - what authors of plugins elsewhere get.
# SPDX-License-Identifier: MIT

include_HEADERS = sdk/herald-plugin.h

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = sdk/herald-plugin.pc

aclocaldir = $(datadir)/aclocal
dist_aclocal_DATA = sdk/herald.m4

# The golden cases of any plugin, without a network.
bin_PROGRAMS += herald-plugin-test

herald_plugin_test_SOURCES = \
	sdk/plugin-test/case.c \
	sdk/plugin-test/case.h \
	sdk/plugin-test/compare.c \
	sdk/plugin-test/compare.h \
	sdk/plugin-test/fixture.c \
	sdk/plugin-test/fixture.h \
	sdk/plugin-test/hostile.c \
	sdk/plugin-test/hostile.h \
	sdk/plugin-test/main.c \
	sdk/plugin-test/run.c \
	sdk/plugin-test/run.h \
	sdk/plugin-test/shape.c \
	sdk/plugin-test/shape.h \
	sdk/plugin-test/verdict.c \
	sdk/plugin-test/verdict.h
herald_plugin_test_CFLAGS = $(AM_CFLAGS) $(PIE_CFLAGS)
herald_plugin_test_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)
herald_plugin_test_LDADD = core/libherald-core.la

dist_man_MANS += sdk/man/herald-plugin-test.1 sdk/man/herald-plugin.3

# Where a plugin elsewhere starts from; see tests/e2e/test-third-party.sh.
EXTRA_DIST += \
	sdk/template/Makefile \
	sdk/template/README \
	sdk/template/cases/integration.xml \
	sdk/template/cases/no-room.case \
	sdk/template/cases/ok.case \
	sdk/template/cases/too-fast.case \
	sdk/template/cases/verify-refused.case \
	sdk/template/cases/verify.case \
	sdk/template/mychat.c
