#!/bin/sh
# test-plugin-test.sh - herald-plugin-test finds what is wrong.
# SPDX-License-Identifier: MIT

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
modules=${top_builddir:-.}/tests/unit/modules/.libs
kit=${HERALD_PLUGIN_TEST:-herald-plugin-test}
n=0

cat >"$work/integration.xml" <<'XML'
<integration xmlns="urn:herald:integration:1" name="c" provider="careless"
    enabled="true">
  <workspaces all="true"/>
  <map><field name="name" source="firstName"/></map>
</integration>
XML

# kit_says STATUS TEXT WHAT: of $work/a.case, which standard input is.
kit_says ()
{
  n=$((n + 1))
  cat >"$work/a.case"
  "$kit" "$modules/careless.so" "$work/a.case" >"$work/out" 2>&1
  status=$?
  if test "$status" = "$1" && grep -Fq -e "$2" "$work/out"; then
    echo "ok $n - $3"
  else
    echo "not ok $n - $3"
    echo "# status $status, expected $1 and: $2"
    sed 's/^/# /' "$work/out"
  fi
}

# fault NAME TEXT WHAT: what the kit says of that fault of the plugin.
fault ()
{
  kit_says 1 "$2" "$3" <<CASE
# $3
--- set
fault = $1
--- event
{"firstName":"Ada"}
--- reply
200
CASE
}

kit_says 0 "1..4" "a plugin without fault passes" <<'CASE'
# nothing is wrong
--- event
{"firstName":"Ada"}
--- request
POST https://api.example/events
!Authorization

{"name":"Ada"}
--- reply
200

{"id":"7"}
--- outcome
delivered 7
CASE

kit_says 0 "1..4" "jobs are as a lane makes them" <<'CASE'
# two Adas are not in one job
--- set
key = firstName
--- event
{"firstName":"Ada"}
--- event
{"firstName":"Bob"}
--- event
{"firstName":"Ada"}
--- request
POST https://api.example/events
Job-Size: 2

{"name":"Bob"}
--- reply
no-answer the line is dead
--- request
POST https://api.example/events
Job-Size: 2

{"name":"Ada"}
--- reply
200
--- request
POST https://api.example/events
Job-Size: 1

{"name":"Ada"}
--- reply
200

{"id":3}
--- outcome
delivered
retry the line is dead
delivered 3
CASE

kit_says 1 'but it is' "another body is seen" <<'CASE'
--- event
{"firstName":"Ada"}
--- request
POST https://api.example/events

{"name":"Bob"}
CASE

kit_says 1 'Authorization: expected' "a header that lacks is seen" <<'CASE'
--- event
{"firstName":"Ada"}
--- request
POST https://api.example/events
Authorization: Bearer x
CASE

kit_says 1 'rejected nobody' "another outcome is seen" <<'CASE'
--- event
{"firstName":"Ada"}
--- reply
200
--- outcome
rejected nobody
CASE

kit_says 1 'this request was not made' "a request that lacks is seen" <<'CASE'
--- event
{"firstName":"Ada"}
--- reply
200
--- request
GET https://api.example/two
--- reply
200
CASE

kit_says 1 'the settings were accepted' "settings too good are seen" <<'CASE'
--- open-fails
fault: wrong
CASE

kit_says 1 'did you mean "fault"' "a setting misspelt is seen" <<'CASE'
--- set
fualt = none
--- event
{"firstName":"Ada"}
CASE

kit_says 1 'no section "--- replies"' "an unknown section is seen" <<'CASE'
--- replies
CASE

fault unquoted "a value was not quoted" "an unquoted value is found"
fault item "a value was not quoted" "an unquoted item is found"
fault url "of a request has a space" "an unescaped URL is found"
fault twice "twice" "settling twice is found"
fault forgets "at fault" "a forgotten delivery is found"
fault undeclared "nobody-declared-this" "an undeclared setting is found"
fault endless "without end" "requests without end are found"

n=$((n + 1))
if "$kit" "$modules/no-abi.so" "$work/a.case" 2>&1 |
    grep -q "^not ok 1 .*loads"; then
  echo "ok $n - what is no plugin fails"
else
  echo "not ok $n - what is no plugin fails"
fi

for arguments in "" "--update x y" "$modules/careless.so" \
  "$modules/careless.so $work/none.case"; do
  n=$((n + 1))
  # shellcheck disable=SC2086
  "$kit" $arguments >/dev/null 2>&1
  if test $? = 2; then
    echo "ok $n - bad usage ends with 2: $(echo "$arguments" |
      sed "s#[^ ]*/##g")"
  else
    echo "not ok $n - bad usage ends with 2: $arguments"
  fi
done
n=$((n + 1))
if "$kit" --help | grep -q "^usage: herald-plugin-test"; then
  echo "ok $n - --help says how"
else
  echo "not ok $n - --help says how"
fi
echo "1..$n"
