# brevo.mk - the provider brevo.
# SPDX-License-Identifier: MIT

if PLUGIN_BREVO
pluginexec_LTLIBRARIES += plugins/brevo.la
TESTS += plugins/brevo.la
dist_samples_DATA += conf.d/brevo.xml
dist_man_MANS += plugins/brevo/herald-brevo.7
endif

plugins_brevo_la_SOURCES = \
	plugins/brevo/brevo.c \
	plugins/brevo/plain.c \
	plugins/brevo/plain.h \
	plugins/brevo/refusal.c \
	plugins/brevo/refusal.h
plugins_brevo_la_CPPFLAGS = $(plugin_cppflags)
plugins_brevo_la_CFLAGS = $(plugin_cflags)
plugins_brevo_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/brevo/cases
