#!/bin/sh
# install.sh - other people's programs, for tests/interop and tests/e2e.
# SPDX-License-Identifier: MIT
#
# Into tests/interop of the build directory: the sources may be read-only.
# Without npm or a network the tests that need them are skipped, so this
# fails only where HERALD_INTEROP=required says that they must run.

source=${top_srcdir:-.}/tests/interop
target=${top_builddir:-.}/tests/interop

give_up ()
{
  echo "tests/interop: $*" >&2
  test "${HERALD_INTEROP-}" != required
  exit
}

command -v npm >/dev/null 2>&1 || give_up "npm is missing"
mkdir -p "$target" || exit 1
target=$(cd "$target" && pwd) || exit 1
if test "$(cd "$source" && pwd)" != "$target"; then
  for name in package.json package-lock.json; do
    rm -f "$target/$name"
    cp "$source/$name" "$target/$name" || exit 1
    chmod u+w "$target/$name"
  done
fi
cd "$target" || exit 1
if test "${HERALD_INTEROP-}" = required; then retries=3; else retries=0; fi
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
  --fetch-retries=$retries --fetch-timeout=30000 >install.log 2>&1 || {
  rm -rf node_modules
  give_up "npm ci failed: $(sed -n 1p install.log)"
}
touch installed
