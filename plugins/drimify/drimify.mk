# drimify.mk - the provider drimify.
# SPDX-License-Identifier: MIT

if PLUGIN_DRIMIFY
pluginexec_LTLIBRARIES += plugins/drimify.la
TESTS += plugins/drimify.la
dist_samples_DATA += conf.d/drimify.xml
dist_man_MANS += plugins/drimify/herald-drimify.7
endif

plugins_drimify_la_SOURCES = plugins/drimify/drimify.c
plugins_drimify_la_CPPFLAGS = $(plugin_cppflags)
plugins_drimify_la_CFLAGS = $(plugin_cflags)
plugins_drimify_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/drimify/cases
