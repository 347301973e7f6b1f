# ses.mk - the provider ses.
# SPDX-License-Identifier: MIT

if PLUGIN_SES
pluginexec_LTLIBRARIES += plugins/ses.la
TESTS += plugins/ses.la
dist_samples_DATA += conf.d/ses.xml
dist_man_MANS += plugins/ses/herald-ses.7
endif

plugins_ses_la_SOURCES = \
	plugins/ses/account.c \
	plugins/ses/account.h \
	plugins/ses/refusal.c \
	plugins/ses/refusal.h \
	plugins/ses/send_email.c \
	plugins/ses/send_email.h \
	plugins/ses/ses.c \
	plugins/ses/sigv4.c \
	plugins/ses/sigv4.h
plugins_ses_la_CPPFLAGS = $(plugin_cppflags)
plugins_ses_la_CFLAGS = $(plugin_cflags)
plugins_ses_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/ses/cases
