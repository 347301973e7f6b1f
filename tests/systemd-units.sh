#!/bin/sh
# systemd-units.sh - the units are what systemd takes, and hardened.
# SPDX-License-Identifier: MIT

LC_ALL=C
export LC_ALL
most=14                         # of 100: the exposure that is allowed
top=${top_srcdir:-.}
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT

n=0
result ()                       # STATUS WHAT
{
  n=$((n + 1))
  if test "$1" -eq 0; then
    echo "ok $n - $2"
  else
    echo "not ok $n - $2"
  fi
}

# As the makefile does it, but with a program that is there already.
sed -e "s|@bindir@/herald|${HERALD:-/bin/true}|g" -e 's|@confdir@|/etc/herald|g' \
  "$top/packaging/systemd/herald.service.in" >"$directory/herald.service" ||
  exit 1
cp "$top/packaging/systemd/herald.socket" "$directory" || exit 1
chmod 644 "$directory"/*
mkdir "$directory/herald.service.d" || exit 1

grep '@[a-z]*@' "$directory/herald.service" | sed 's/^/# /'
! grep -q '@[a-z]*@' "$directory/herald.service"
result $? "no path is left open"

# RestrictAddressFamilies and the like are read in one go by the next ones;
# these are promises that no score would miss.
lacking=
for line in NoNewPrivileges=yes ProtectSystem=strict PrivateTmp=yes \
    PrivateDevices=yes MemoryDenyWriteExecute=yes SystemCallArchitectures=native \
    CapabilityBoundingSet= User=herald StateDirectory=herald WatchdogSec=30s \
    Restart=on-failure KillMode=mixed LimitCORE=0; do
  grep -Fqx -e "$line" "$directory/herald.service" ||
    lacking="$lacking $line"
done
test -z "$lacking" || echo "# missing:$lacking"
test -z "$lacking"
result $? "the service is restricted"

if ! command -v systemd-analyze >/dev/null 2>&1; then
  echo "ok 3 # SKIP systemd-analyze is missing"
  echo "ok 4 # SKIP systemd-analyze is missing"
  echo "ok 5 # SKIP systemd-analyze is missing"
  echo "1..5"
  exit 0
fi

said=$(systemd-analyze verify --man=no --recursive-errors=no \
  "$directory/herald.service" "$directory/herald.socket" 2>&1)
status=$?
test $status -eq 0 || echo "$said" | sed 's/^/# /'
result $status "systemd-analyze verify"

cp "$top/packaging/systemd/credentials.conf" "$directory/herald.service.d"
said=$(systemd-analyze verify --man=no --recursive-errors=no \
  "$directory/herald.service" 2>&1)
status=$?
test $status -eq 0 || echo "$said" | sed 's/^/# /'
result $status "systemd-analyze verify, with the drop-in of credentials"

said=$(systemd-analyze security --no-pager --offline=true --threshold=$most \
  "$directory/herald.service" 2>&1)
status=$?
echo "$said" | sed -n 's/.*Overall exposure/# Overall exposure/p'
test $status -eq 0 || echo "$said" | sed 's/^/# /'
result $status "systemd-analyze security: an exposure of $most % at most"

echo "1..$n"
