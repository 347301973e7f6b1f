# salesforce.mk - the provider salesforce.
# SPDX-License-Identifier: MIT

if PLUGIN_SALESFORCE
pluginexec_LTLIBRARIES += plugins/salesforce.la
TESTS += plugins/salesforce.la
dist_samples_DATA += conf.d/salesforce.xml
dist_man_MANS += plugins/salesforce/herald-salesforce.7
endif

plugins_salesforce_la_SOURCES = \
	plugins/salesforce/refusal.c \
	plugins/salesforce/refusal.h \
	plugins/salesforce/review.c \
	plugins/salesforce/review.h \
	plugins/salesforce/salesforce.c
plugins_salesforce_la_CPPFLAGS = $(plugin_cppflags)
plugins_salesforce_la_CFLAGS = $(plugin_cflags)
plugins_salesforce_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/salesforce/cases
