# smtp.mk - the provider smtp.
# SPDX-License-Identifier: MIT

if PLUGIN_SMTP
pluginexec_LTLIBRARIES += plugins/smtp.la
TESTS += plugins/smtp.la
dist_samples_DATA += conf.d/smtp.xml
dist_man_MANS += plugins/smtp/herald-smtp.7
endif

plugins_smtp_la_SOURCES = plugins/smtp/smtp.c
plugins_smtp_la_CPPFLAGS = $(plugin_cppflags)
plugins_smtp_la_CFLAGS = $(plugin_cflags)
plugins_smtp_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/smtp/cases
