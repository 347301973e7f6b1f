# mailgun.mk - the provider mailgun.
# SPDX-License-Identifier: MIT

if PLUGIN_MAILGUN
pluginexec_LTLIBRARIES += plugins/mailgun.la
TESTS += plugins/mailgun.la
dist_samples_DATA += conf.d/mailgun.xml
dist_man_MANS += plugins/mailgun/herald-mailgun.7
endif

plugins_mailgun_la_SOURCES = \
	plugins/mailgun/mailgun.c \
	plugins/mailgun/plain.c \
	plugins/mailgun/plain.h \
	plugins/mailgun/recipients.c \
	plugins/mailgun/recipients.h \
	plugins/mailgun/refusal.c \
	plugins/mailgun/refusal.h
plugins_mailgun_la_CPPFLAGS = $(plugin_cppflags)
plugins_mailgun_la_CFLAGS = $(plugin_cflags)
plugins_mailgun_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/mailgun/cases
