# sendgrid.mk - the provider sendgrid.
# SPDX-License-Identifier: MIT

if PLUGIN_SENDGRID
pluginexec_LTLIBRARIES += plugins/sendgrid.la
TESTS += plugins/sendgrid.la
dist_samples_DATA += conf.d/sendgrid.xml
dist_man_MANS += plugins/sendgrid/herald-sendgrid.7
endif

plugins_sendgrid_la_SOURCES = \
	plugins/sendgrid/refusal.c \
	plugins/sendgrid/refusal.h \
	plugins/sendgrid/sendgrid.c
plugins_sendgrid_la_CPPFLAGS = $(plugin_cppflags)
plugins_sendgrid_la_CFLAGS = $(plugin_cflags)
plugins_sendgrid_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/sendgrid/cases
