# hubspot.mk - the provider hubspot.
# SPDX-License-Identifier: MIT

if PLUGIN_HUBSPOT
pluginexec_LTLIBRARIES += plugins/hubspot.la
TESTS += plugins/hubspot.la
dist_samples_DATA += conf.d/hubspot.xml
dist_man_MANS += plugins/hubspot/herald-hubspot.7
endif

plugins_hubspot_la_SOURCES = \
	plugins/hubspot/batch.c \
	plugins/hubspot/batch.h \
	plugins/hubspot/hubspot.c \
	plugins/hubspot/refusal.c \
	plugins/hubspot/refusal.h
plugins_hubspot_la_CPPFLAGS = $(plugin_cppflags)
plugins_hubspot_la_CFLAGS = $(plugin_cflags)
plugins_hubspot_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/hubspot/cases
