#!/bin/sh
# plugin-symbols.sh - a plugin exports its ABI and nothing else.
# SPDX-License-Identifier: MIT

modules=$(ls "$HERALD_PLUGINS"/*.so 2>/dev/null)
if test -z "$modules"; then
  echo "1..0 # SKIP no plugin was built"
  exit 0
fi

# The linker's own, on some systems.
not_ours='^(_init|_fini|_edata|_end|__bss_start|__gcov_.*|__asan_.*|__odr_asan.*|___asan_.*|__start_.*|__stop_.*)$'

n=0
for module in $modules; do
  n=$((n + 1))
  # shellcheck disable=SC2086
  symbols=$(${NM:-nm} -D --defined-only "$module" | awk '{ print $NF }' |
            grep -Ev "$not_ours" | sort | tr '\n' ' ')
  if test "$symbols" = "herald_plugin_abi herald_plugin_init "; then
    echo "ok $n - ${module##*/} exports the two symbols of the ABI"
  else
    echo "not ok $n - ${module##*/} exports the two symbols of the ABI"
    echo "# it exports: $symbols"
  fi
done
echo "1..$n"
