#!/bin/sh
# sources.sh - no file of ours is missing from the makefile fragments.
# SPDX-License-Identifier: MIT
#
# A file that no fragment names is neither built, nor tested, nor part of
# a release, and nothing else would tell.

cd "${top_srcdir:-.}" || exit 1
n=0

# check FRAGMENTS FILES WHAT: each of FILES, or a program of its name, is a
# word of FRAGMENTS.
check ()
{
  n=$((n + 1))
  lacking=
  for file in $2; do
    test -f "$file" || continue
    # shellcheck disable=SC2086
    grep -hv '^#' $1 | awk '{ for (i = 1; i <= NF; i++) print $i }' |
      grep -Fqx -e "$file" -e "${file%.c}" -e "${file%.c}.la" ||
      lacking="$lacking $file"
  done
  if test -z "$lacking"; then
    echo "ok $n - every $3 is named in its fragment"
  else
    echo "not ok $n - every $3 is named in its fragment"
    for file in $lacking; do
      echo "# missing: $file"
    done
  fi
}

check core/core.mk "$(find core -name '*.[ch1578]' | sort)" "file of core"
check sdk/sdk.mk "$(find sdk -name '*.[ch1357]' ! -path 'sdk/template/*' |
                    sort)" "file of sdk"
check "$(echo plugins/*/*.mk)" "$(find plugins -name '*.[ch7]' | sort)" \
  "file of plugins"
check tests/unit/unit.mk "$(find tests/unit -name '*.[ch]' | sort)" "unit test"
check tests/tests.mk "$(find tests/modules -name '*.[ch]' 2>/dev/null | sort)" \
  "test module"
check tests/fuzz/fuzz.mk "$(find tests/fuzz -name '*.[ch]' | sort)" \
  "fuzz target"
check tests/tests.mk "$(find tests -type f -name 'test[-_]*' \
  ! -path 'tests/unit/*' ! -path '*/node_modules/*' ! -path '*/__pycache__/*' \
  ! -name '*.log' ! -name '*.trs' | sort)" \
  "end-to-end test"
check "$(echo plugins/*/*.mk) Makefile.am" \
  "$(find conf.d -name '*.xml' | sort)" "sample of conf.d"

# What clang-format cannot be asked for alone.
n=$((n + 1))
bad=$(find core sdk plugins tests -name '*.[ch]' -exec \
        awk 'length ($0) > 80 || /\t/ || /[ \r]$/ || /TODO|FIXME/ \
               { print FILENAME ":" FNR }' {} +)
if test -z "$bad"; then
  echo "ok $n - lines have at most 80 columns, no tab and no blank at the end"
else
  echo "not ok $n - lines have at most 80 columns, no tab and no blank at the end"
  for line in $bad; do
    echo "# $line"
  done
fi

echo "1..$n"
