# herald.m4 - what a configure.ac needs to build herald plugins.
# SPDX-License-Identifier: MIT
#
#   HERALD_SDK
#   HERALD_PLUGIN([mychat], [MyChat], [checks])
#
# and in Makefile.am, with subdir-objects, libtool and AM_PROG_AR:
#
#   pluginexecdir = $(HERALD_PLUGINDIR)
#   pluginexec_LTLIBRARIES = mychat.la
#   mychat_la_SOURCES = mychat.c
#   mychat_la_CFLAGS = $(HERALD_PLUGIN_CFLAGS)
#   mychat_la_LDFLAGS = -module $(HERALD_PLUGIN_LDFLAGS)
#
# Do not name the directory plugindir: automake would install into it as
# data, and run install hooks too early.

# HERALD_SDK
# ----------
# Finds an installed herald; sets HERALD_PLUGIN_CFLAGS,
# HERALD_PLUGIN_LDFLAGS, HERALD_PLUGINDIR and HERALD_PLUGIN_TEST, the
# program that runs a plugin's golden cases.
AC_DEFUN([HERALD_SDK],
[PKG_CHECK_MODULES([HERALD_PLUGIN_SDK], [herald-plugin])
HERALD_PLUGIN_FLAGS
HERALD_PLUGIN_CFLAGS="$HERALD_PLUGIN_CFLAGS $HERALD_PLUGIN_SDK_CFLAGS"
PKG_CHECK_VAR([HERALD_PLUGINDIR], [herald-plugin], [plugindir])
AC_PATH_PROGS([HERALD_PLUGIN_TEST], [herald-plugin-test])
])

# HERALD_PLUGIN_FLAGS
# -------------------
# How a plugin is compiled and linked (after -module, which automake wants
# to see in the makefile): without a version, with the two symbols herald
# looks for as its only exports, and with every symbol it uses
# found at link time and bound when it is loaded.
AC_DEFUN([HERALD_PLUGIN_FLAGS],
[AC_REQUIRE([AC_PROG_CC])
HERALD_PLUGIN_CFLAGS=
HERALD_PLUGIN_LDFLAGS="-avoid-version -shared -export-symbols-regex '^herald_plugin_(abi|init)\$\$'"
herald_flags_CFLAGS=$CFLAGS
herald_flags_LDFLAGS=$LDFLAGS
AC_MSG_CHECKING([whether $CC takes -fvisibility=hidden for plugins])
CFLAGS="$herald_flags_CFLAGS -Werror -fvisibility=hidden"
AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
  [AC_MSG_RESULT([yes])
   HERALD_PLUGIN_CFLAGS=-fvisibility=hidden],
  [AC_MSG_RESULT([no])])
CFLAGS="$herald_flags_CFLAGS -fPIC"
for herald_flag in "-Wl,-z,relro" "-Wl,-z,now" "-Wl,-z,defs"; do
  AC_MSG_CHECKING([whether plugins can be linked with $herald_flag])
  LDFLAGS="$herald_flags_LDFLAGS -shared $herald_flag"
  AC_LINK_IFELSE([AC_LANG_SOURCE([
      int herald_try (int *p, int n);
      int herald_try (int *p, int n) { return p@<:@n@:>@ + n; }])],
    [AC_MSG_RESULT([yes])
     HERALD_PLUGIN_LDFLAGS="$HERALD_PLUGIN_LDFLAGS $herald_flag"],
    [AC_MSG_RESULT([no])])
done
CFLAGS=$herald_flags_CFLAGS
LDFLAGS=$herald_flags_LDFLAGS
AC_SUBST([HERALD_PLUGIN_CFLAGS])
AC_SUBST([HERALD_PLUGIN_LDFLAGS])
])

# HERALD_ALL_PLUGINS
# ------------------
# The switch that the plugins' own switches default to.
AC_DEFUN([HERALD_ALL_PLUGINS],
[AC_ARG_ENABLE([all-plugins],
  [AS_HELP_STRING([--enable-all-plugins=auto|yes|no],
    [what --enable-plugin-NAME is where it is not given @<:@auto@:>@])],
  [], [enable_all_plugins=auto])
AS_CASE([$enable_all_plugins], [auto|yes|no], [],
  [AC_MSG_ERROR([--enable-all-plugins is auto, yes or no])])
herald_plugin_summary=
])

# HERALD_PLUGIN(NAME, LABEL, [CHECKS])
# ------------------------------------
# The switch --enable-plugin-NAME=auto|yes|no, and the automake
# conditional PLUGIN_NAME.  CHECKS, run unless the plugin is disabled,
# sets herald_plugin_lacks to the name of a library that is missing:
# then yes is an error, and auto builds all but this plugin.
# herald_plugin_summary gets a line with the outcome and its reason.
AC_DEFUN([HERALD_PLUGIN],
[AC_REQUIRE([HERALD_ALL_PLUGINS])
m4_pushdef([herald_id], m4_translit([[$1]], [-], [_]))
m4_pushdef([herald_upper], m4_translit([[$1]], [-a-z], [_A-Z]))
AC_ARG_ENABLE([plugin-$1],
  [AS_HELP_STRING([--enable-plugin-$1=auto|yes|no], [$2])],
  [], [enable_plugin_[]herald_id=$enable_all_plugins])
herald_plugin_lacks=
AS_CASE([$enable_plugin_[]herald_id],
  [no], [herald_plugin_result="no: disabled"],
  [auto|yes],
    [$3
     AS_IF([test -z "$herald_plugin_lacks"],
         [herald_plugin_result=yes],
       [test "x$enable_plugin_[]herald_id" = xyes],
         [AC_MSG_ERROR([plugin $1 was asked for, but $herald_plugin_lacks is missing])],
       [herald_plugin_result="no: $herald_plugin_lacks missing"])],
  [AC_MSG_ERROR([--enable-plugin-$1 is auto, yes or no])])
AM_CONDITIONAL([PLUGIN_]herald_upper, [test "x$herald_plugin_result" = xyes])
herald_plugin_summary="$herald_plugin_summary`printf '  %-15s %s' '$1' "$herald_plugin_result"`
"
m4_popdef([herald_upper])
m4_popdef([herald_id])
])
