# mailjet.mk - the provider mailjet.
# SPDX-License-Identifier: MIT

if PLUGIN_MAILJET
pluginexec_LTLIBRARIES += plugins/mailjet.la
TESTS += plugins/mailjet.la
dist_samples_DATA += conf.d/mailjet.xml
dist_man_MANS += plugins/mailjet/herald-mailjet.7
endif

plugins_mailjet_la_SOURCES = plugins/mailjet/mailjet.c
plugins_mailjet_la_CPPFLAGS = $(plugin_cppflags)
plugins_mailjet_la_CFLAGS = $(plugin_cflags)
plugins_mailjet_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/mailjet/cases
