#!/bin/sh
# test-third-party.sh - the template builds and passes outside the tree.
# SPDX-License-Identifier: MIT
#
# With nothing of herald but its header, as an author elsewhere has it.

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
source=${top_srcdir:-.}
kit=${HERALD_PLUGIN_TEST:-herald-plugin-test}

manual=$(cd "$source" && pwd)/sdk/man/herald-plugin.3
mkdir "$work/include"
cp "$source/sdk/herald-plugin.h" "$work/include/"
cp -R "$source/sdk/template" "$work/mychat"
chmod -R u+w "$work"

# report N WHAT: by the status of the last command.
report ()
{
  if test "$3" = 0; then
    echo "ok $1 - $2"
  else
    echo "not ok $1 - $2"
    sed 's/^/# /' "$work/out"
  fi
}

if ! make --version 2>/dev/null | grep -q GNU; then
  echo "1..0 # SKIP the template's Makefile is for GNU make"
  exit 0
fi

# Not what this build was told: flags and makefile variables of an author.
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS CPPFLAGS LDFLAGS
cd "$work/mychat" || exit 1

make HERALD_CFLAGS="-I$work/include" CC="${CC:-cc}" \
  CFLAGS="-O2 -Wall -Wextra -Werror" >"$work/out" 2>&1
report 1 "the template builds without a warning" $?

make HERALD_PLUGIN_TEST="$kit" HERALD_CFLAGS="-I$work/include" check \
  >"$work/out" 2>&1
report 2 "its cases pass" $?

make DESTDIR="$work/root" HERALD_PLUGINDIR=/plugins \
  HERALD_CFLAGS="-I$work/include" install >"$work/out" 2>&1 &&
  test -x "$work/root/plugins/mychat.so"
report 3 "it installs its module" $?

if c++ --version >/dev/null 2>&1; then
  cat >"$work/cpp.cc" <<'CPP'
#include <herald-plugin.h>

static int
cpp_build (void *, struct herald_job *job)
{
  for (size_t i = 0; i < herald->count (job); i++) {
    herald_request *request
      = herald->request (job, "POST", "https://cpp.example/", nullptr);

    herald->covers (request, i);
    herald->append (request, "%s", herald->record (job, i));
  }
  return 0;
}

static herald_plugin
cpp_describe ()
{
  herald_plugin plugin {};

  plugin.name = "cpp";
  plugin.label = "C++";
  plugin.category = HERALD_WEBHOOK;
  plugin.build = cpp_build;
  return plugin;
}

static const herald_plugin cpp = cpp_describe ();

HERALD_REGISTER (cpp);
CPP
  cat >"$work/cpp.case" <<'CASE'
# a plugin in C++ posts the record
--- integration
<integration xmlns="urn:herald:integration:1" name="t" provider="cpp"
    enabled="true">
  <workspaces all="true"/>
  <map><field name="name" source="firstName"/></map>
</integration>
--- event
{"firstName":"Ada"}
--- request
POST https://cpp.example/

{"name":"Ada"}
--- outcome
delivered
CASE
  c++ -std=c++11 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \
    -I"$work/include" -o "$work/cpp.so" "$work/cpp.cc" >"$work/out" 2>&1 &&
    "$kit" "$work/cpp.so" "$work/cpp.case" >>"$work/out" 2>&1
  report 4 "a plugin in C++ builds and passes" $?
else
  echo "ok 4 - a plugin in C++ builds and passes # SKIP there is no C++"
fi

# The first example of the manual, as it stands there.
awk '/^\.Bd -literal$/ { on = 1; next } /^\.Ed/ { exit } on' \
  "$manual" >"$work/tiny.c"
# CC may be more than a word.
# shellcheck disable=SC2086
${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -fPIC -shared \
  -fvisibility=hidden -I"$work/include" -o "$work/tiny.so" "$work/tiny.c" \
  >"$work/out" 2>&1
report 5 "the plugin in herald-plugin(3) builds" $?
cat >"$work/tiny.case" <<'CASE'
# the manual's plugin posts the record
--- integration
<integration xmlns="urn:herald:integration:1" name="t" provider="tiny"
    enabled="true">
  <workspaces all="true"/>
  <settings>
    <setting name="endpoint">https://tiny.example/</setting>
  </settings>
  <map><field name="name" source="firstName"/></map>
</integration>
--- event
{"firstName":"Ada"}
--- request
POST https://tiny.example/

{"name":"Ada"}
--- outcome
delivered
CASE
"$kit" "$work/tiny.so" "$work/tiny.case" >"$work/out" 2>&1
report 6 "and delivers" $?
echo "1..6"
