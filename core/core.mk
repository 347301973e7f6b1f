# core.mk - the program and its rooms.
# SPDX-License-Identifier: MIT
#
# A new file of core is one line here, a .c and a .h each, in its room.
# All but herald.c is in a library that unit tests link as well.

noinst_LTLIBRARIES += core/libherald-core.la
