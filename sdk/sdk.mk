# sdk.mk - what authors of plugins elsewhere get.
# SPDX-License-Identifier: MIT

include_HEADERS = sdk/herald-plugin.h

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = sdk/herald-plugin.pc

aclocaldir = $(datadir)/aclocal
dist_aclocal_DATA = sdk/herald.m4
