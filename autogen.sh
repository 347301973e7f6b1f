#!/bin/sh
# autogen.sh - from a checkout to a build, a demonstration or a test run.
# SPDX-License-Identifier: MIT

set -u

usage ()
{
  cat <<'END'
usage: ./autogen.sh [demo | check]

  (nothing)  make configure and what it needs (autoreconf)
  demo       install what is missing, build in build/, and deliver some
             hundred sample events to stand-ins on this machine
  check      install what is missing, build in build/, and run the tests

A second run does only what has changed.

environment:
  CONFIGURE_FLAGS  for configure, such as --enable-sanitizers
  BUILD_DIR        where to build (default: build, beside this file)
  JOBS             how many compilers and tests at a time
  CC, CFLAGS, ...  as for any configure
END
}

say ()
{
  printf '%s\n' "autogen.sh: $*"
}

die ()
{
  say "$*" >&2
  exit 1
}

have ()
{
  command -v "$1" >/dev/null 2>&1
}

# quietly COMMAND...: shows the end of what it printed if it fails.
quietly ()
{
  quiet_log=$(mktemp "${TMPDIR:-/tmp}/herald-autogen.XXXXXX") || exit 1
  if "$@" >"$quiet_log" 2>&1; then
    rm -f "$quiet_log"
    return 0
  fi
  tail -n 60 "$quiet_log" >&2
  rm -f "$quiet_log"
  return 1
}

reconfigure_sources ()
{
  for tool in autoconf automake aclocal; do
    have $tool || die "$tool is missing: \"./autogen.sh demo\" installs it" \
      "or prints the command for your system"
  done
  have libtoolize || have glibtoolize ||
    die "libtool is missing: \"./autogen.sh demo\" installs it" \
      "or prints the command for your system"
  mkdir -p build-aux/m4
  quietly autoreconf -fi || die "autoreconf failed"
}

# ---------------------------------------------------------------------
# What a build needs, by names of our own, and what systems call it.

has_python_module ()
{
  for python in ${PYTHON:-python3 /usr/bin/python3}; do
    "$python" -c "import $1" >/dev/null 2>&1 && return 0
  done
  return 1
}

has_ltdl ()
{
  # shellcheck disable=SC2086
  printf '#include <ltdl.h>\n' | ${CC:-cc} ${CPPFLAGS:-} -E - >/dev/null 2>&1
}

# find_missing demo|check: sets missing and, of what can be done without,
# missing_tests.
find_missing ()
{
  missing=
  missing_tests=
  have make || missing="$missing make"
  # shellcheck disable=SC2086
  have ${CC:-cc} || have gcc || have clang || missing="$missing cc"
  if ! test -f configure || test -d .git || test -f .git; then
    have autoconf || missing="$missing autoconf"
    have automake || missing="$missing automake"
    have libtoolize || have glibtoolize || missing="$missing libtool"
  fi
  have python3 || missing="$missing python3"
  have openssl || missing="$missing openssl"
  if have pkg-config; then
    pkg-config --exists 'libcurl >= 7.85' || missing="$missing libcurl"
    pkg-config --exists libxml-2.0 || missing="$missing libxml2"
    pkg-config --exists jansson || missing="$missing jansson"
    pkg-config --exists libcrypto || missing="$missing libcrypto"
    pkg-config --exists libidn2 || missing="$missing libidn2"
    pkg-config --exists 'sqlite3 >= 3.37' || missing="$missing sqlite3"
    pkg-config --exists 'libmicrohttpd >= 0.9.71' ||
      missing="$missing microhttpd"
    pkg-config --exists zlib || missing="$missing zlib"
    if test "$1" = check; then
      pkg-config --exists cmocka || missing_tests="$missing_tests cmocka"
    fi
  else
    missing="$missing pkg-config libcurl libxml2 jansson libcrypto libidn2"
    missing="$missing sqlite3"
    missing="$missing microhttpd zlib"
    test "$1" != check || missing_tests="$missing_tests cmocka"
  fi
  has_ltdl || missing="$missing libltdl"
  if test "$1" = check; then
    has_python_module aiosmtpd || missing_tests="$missing_tests aiosmtpd"
    has_python_module prometheus_client ||
      missing_tests="$missing_tests prometheus"
  fi
}

# packages SYSTEM NAMES...: the system's packages for our names.
packages ()
{
  packages_system=$1
  shift
  for name; do
    case $packages_system:$name in
      debian:cc) echo gcc libc6-dev ;;
      fedora:cc | arch:cc | macos:cc) echo gcc ;;
      alpine:cc) echo gcc musl-dev ;;
      debian:libcurl) echo libcurl4-openssl-dev ;;
      debian:libxml2) echo libxml2-dev ;;
      debian:jansson) echo libjansson-dev ;;
      debian:libcrypto) echo libssl-dev ;;
      debian:libidn2) echo libidn2-dev ;;
      debian:sqlite3) echo libsqlite3-dev ;;
      debian:microhttpd) echo libmicrohttpd-dev ;;
      debian:zlib) echo zlib1g-dev ;;
      debian:libltdl) echo libltdl-dev ;;
      debian:cmocka) echo libcmocka-dev ;;
      debian:aiosmtpd) echo python3-aiosmtpd ;;
      debian:prometheus) echo python3-prometheus-client ;;
      fedora:libcurl) echo libcurl-devel ;;
      fedora:libxml2) echo libxml2-devel ;;
      fedora:jansson) echo jansson-devel ;;
      fedora:libcrypto) echo openssl-devel ;;
      fedora:libidn2) echo libidn2-devel ;;
      fedora:sqlite3) echo sqlite-devel ;;
      fedora:microhttpd) echo libmicrohttpd-devel ;;
      fedora:zlib) echo zlib-devel ;;
      fedora:libltdl) echo libtool-ltdl-devel ;;
      fedora:cmocka) echo libcmocka-devel ;;
      fedora:aiosmtpd) echo python3-aiosmtpd ;;
      fedora:prometheus) echo python3-prometheus_client ;;
      fedora:pkg-config) echo pkgconf-pkg-config ;;
      arch:libcurl) echo curl ;;
      arch:libcrypto) echo openssl ;;
      arch:sqlite3) echo sqlite ;;
      arch:microhttpd) echo libmicrohttpd ;;
      arch:libltdl) echo libtool ;;
      arch:aiosmtpd) echo python-aiosmtpd ;;
      arch:prometheus) echo python-prometheus_client ;;
      arch:pkg-config) echo pkgconf ;;
      arch:python3) echo python ;;
      alpine:libcurl) echo curl-dev ;;
      alpine:libxml2) echo libxml2-dev ;;
      alpine:jansson) echo jansson-dev ;;
      alpine:libcrypto) echo openssl-dev ;;
      alpine:libidn2) echo libidn2-dev ;;
      alpine:sqlite3) echo sqlite-dev ;;
      alpine:microhttpd) echo libmicrohttpd-dev ;;
      alpine:zlib) echo zlib-dev ;;
      alpine:libltdl) echo libltdl libtool ;;
      alpine:cmocka) echo cmocka-dev ;;
      alpine:aiosmtpd) echo py3-aiosmtpd ;;
      alpine:prometheus) echo py3-prometheus-client ;;
      alpine:pkg-config) echo pkgconf ;;
      macos:libcurl) echo curl ;;
      macos:libcrypto) echo openssl@3 ;;
      macos:sqlite3) echo sqlite ;;
      macos:microhttpd) echo libmicrohttpd ;;
      macos:libltdl) echo libtool ;;
      macos:python3) echo python ;;
      macos:aiosmtpd) ;;
      macos:prometheus) ;;
      *) echo "$name" ;;
    esac
  done | tr '\n' ' ' | sed 's/ $//'
}

show_commands ()
{
  # shellcheck disable=SC2086
  cat >&2 <<END
  Debian, Ubuntu:  apt-get install $(packages debian $1)
  Fedora:          dnf install $(packages fedora $1)
  Arch:            pacman -S --needed $(packages arch $1)
  Alpine:          apk add $(packages alpine $1)
  macOS:           brew install $(packages macos $1)
END
}

# as_root COMMAND...
as_root ()
{
  if test "$(id -u)" = 0; then
    "$@"
  elif test -t 0; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

may_install ()
{
  have apt-get || return 1
  test "$(id -u)" = 0 && return 0
  have sudo || return 1
  test -t 0 || sudo -n true 2>/dev/null
}

install_missing ()
{
  find_missing "$1"
  wanted="$missing $missing_tests"
  test -n "$missing$missing_tests" || return 0
  if may_install; then
    # shellcheck disable=SC2086
    names=$(packages debian $wanted)
    say "installing $names"
    # The lists of a fresh machine are empty or old; an unreachable
    # archive shows in the second step.
    quietly as_root apt-get update -q || :
    # shellcheck disable=SC2086
    quietly as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends $names ||
      say "apt-get could not install everything" >&2
    find_missing "$1"
  fi
  if test -n "$missing"; then
    say "missing:$missing" >&2
    say "install what is missing, then run this again:" >&2
    show_commands "$missing $missing_tests"
    exit 1
  fi
  if test -n "$missing_tests"; then
    say "missing, so some tests are skipped:$missing_tests" >&2
    show_commands "$missing_tests"
  fi
}

# ---------------------------------------------------------------------

build ()
{
  if ! test -f configure || ! test -f Makefile.in ||
     ! test -f build-aux/tap-driver.sh; then
    say "making configure"
    reconfigure_sources
  fi
  mkdir -p "$build" || exit 1
  # Anything that configure would see differently configures anew.
  wish="${CONFIGURE_FLAGS:-} CC=${CC:-} CFLAGS=${CFLAGS:-}"
  wish="$wish CPPFLAGS=${CPPFLAGS:-} LDFLAGS=${LDFLAGS:-}"
  wish="$wish cmocka=$(pkg-config --modversion cmocka 2>/dev/null)"
  has_python_module aiosmtpd && wish="$wish aiosmtpd"
  has_python_module prometheus_client && wish="$wish prometheus"
  if ! test -f "$build/Makefile" ||
     test "$(cat "$build/.wish" 2>/dev/null)" != "$wish"; then
    say "configuring in $build"
    rm -f "$build/.wish"
    # shellcheck disable=SC2086
    (cd "$build" && quietly "$here/configure" ${CONFIGURE_FLAGS:-}) ||
      die "configure failed; see $build/config.log"
    printf '%s\n' "$wish" >"$build/.wish"
  fi
  say "building in $build"
  quietly make -C "$build" -s -j"$jobs" || die "the build failed"
}

# total_of TEST-SUITE-LOG NAME: the sum of lines like "# PASS:  12".
total_of ()
{
  sed -n "s/^# $2: *//p" "$1" | awk '{ n += $1 } END { print n + 0 }'
}

run_check ()
{
  log=$build/test-suite.log
  rm -f "$log"
  make -C "$build" -s -j"$jobs" check
  status=$?
  test -f "$log" || die "the tests could not be built"
  failed=$(($(total_of "$log" FAIL) + $(total_of "$log" ERROR) +
            $(total_of "$log" XPASS)))
  passed=$(($(total_of "$log" PASS) + $(total_of "$log" XFAIL)))
  skipped=$(total_of "$log" SKIP)
  if test "$status" != 0 && test "$failed" = 0; then
    failed=1
  fi
  if test "$skipped" != 0; then
    echo
    say "skipped:"
    find "$build" -name '*.log' -exec \
      sed -n 's/^SKIP: /  /p' {} + | sort -u
  fi
  if test "$failed" != 0; then
    echo
    say "failed:"
    find "$build" -name '*.log' ! -name test-suite.log -exec \
      grep -H -E '^(not ok|ERROR)' {} + | sed "s|^$build/|  |" | sort -u
    say "each test's output is in $build/tests, a log a test"
  fi
  echo
  echo "herald: $passed passed, $failed failed, $skipped skipped"
  test "$status" = 0 && test "$failed" = 0
  exit
}

run_demo ()
{
  HERALD=$build/herald HERALD_PLUGINS=$build/plugins/.libs \
    exec "$here/tests/sandbox/demo"
}

# ---------------------------------------------------------------------

test $# -le 1 || { usage >&2; exit 2; }
cd "$(dirname "$0")" || exit 1
here=$(pwd)
build=${BUILD_DIR:-$here/build}
case $build in
  /*) ;;
  *) build=$here/$build ;;
esac
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}

case ${1-} in
  '')
    reconfigure_sources
    ;;
  demo)
    install_missing demo
    build
    run_demo
    ;;
  check)
    install_missing check
    build
    run_check
    ;;
  -h | --help)
    usage
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac
