# mandrill.mk - the provider mandrill.
# SPDX-License-Identifier: MIT

if PLUGIN_MANDRILL
pluginexec_LTLIBRARIES += plugins/mandrill.la
TESTS += plugins/mandrill.la
dist_samples_DATA += conf.d/mandrill.xml
dist_man_MANS += plugins/mandrill/herald-mandrill.7
endif

plugins_mandrill_la_SOURCES = \
	plugins/mandrill/mandrill.c \
	plugins/mandrill/refusal.c \
	plugins/mandrill/refusal.h
plugins_mandrill_la_CPPFLAGS = $(plugin_cppflags)
plugins_mandrill_la_CFLAGS = $(plugin_cflags)
plugins_mandrill_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/mandrill/cases
