#!/bin/sh
# plugin-cases.sh - runs the golden cases of one plugin.
# SPDX-License-Identifier: MIT
#
# Called by make check with plugins/NAME.la.

name=${1##*/}
name=${name%.la}

set -- "${top_srcdir:-.}/plugins/$name/cases"/*.case
if ! test -e "$1"; then
  echo "1..1"
  echo "not ok 1 - plugins/$name/cases holds at least one case"
  exit 0
fi
if ! test -x "$HERALD_PLUGIN_TEST"; then
  echo "1..1"
  echo "not ok 1 - herald-plugin-test was built"
  exit 0
fi
exec "$HERALD_PLUGIN_TEST" "$HERALD_PLUGINS/$name.so" "$@"
