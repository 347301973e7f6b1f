# custom-api.mk - the provider custom-api.
# SPDX-License-Identifier: MIT

if PLUGIN_CUSTOM_API
pluginexec_LTLIBRARIES += plugins/custom-api.la
TESTS += plugins/custom-api.la
dist_samples_DATA += conf.d/custom-api.xml
dist_man_MANS += plugins/custom-api/herald-custom-api.7
endif

plugins_custom_api_la_SOURCES = \
	plugins/custom-api/auth.c \
	plugins/custom-api/auth.h \
	plugins/custom-api/custom-api.c \
	plugins/custom-api/signature.c \
	plugins/custom-api/signature.h \
	plugins/custom-api/success.c \
	plugins/custom-api/success.h
plugins_custom_api_la_CPPFLAGS = $(plugin_cppflags)
plugins_custom_api_la_CFLAGS = $(plugin_cflags)
plugins_custom_api_la_LDFLAGS = $(plugin_ldflags)

EXTRA_DIST += plugins/custom-api/cases
