# fuzz.mk - LLVMFuzzerTestOneInput for whatever reads foreign bytes.
# SPDX-License-Identifier: MIT
#
# With --enable-fuzzing each target is a libFuzzer program, and make fuzz
# runs them all, FUZZ_SECONDS each.  Without it replay.c is their main and
# make check runs every file of the target's corpus.

fuzz_targets = \
	tests/fuzz/fuzz-descriptor \
	tests/fuzz/fuzz-event \
	tests/fuzz/fuzz-handlers \
	tests/fuzz/fuzz-intake \
	tests/fuzz/fuzz-herald-xml \
	tests/fuzz/fuzz-json-index \
	tests/fuzz/fuzz-reply \
	tests/fuzz/fuzz-retry-after \
	tests/fuzz/fuzz-stream \
	tests/fuzz/fuzz-template

if FUZZING
fuzz_ldadd = core/libherald-core.la $(FUZZ_LDFLAGS)
else
fuzz_ldadd = tests/fuzz/libreplay.la core/libherald-core.la
check_LTLIBRARIES += tests/fuzz/libreplay.la
TESTS += $(fuzz_targets)
endif
check_PROGRAMS += $(fuzz_targets)

tests_fuzz_fuzz_descriptor_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_event_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_handlers_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_intake_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_herald_xml_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_json_index_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_reply_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_retry_after_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_stream_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_template_LDADD = $(fuzz_ldadd)

# The kit's way to make a case's jobs.
tests_fuzz_fuzz_handlers_CPPFLAGS = $(AM_CPPFLAGS) \
	-I$(top_srcdir)/sdk/plugin-test
tests_fuzz_fuzz_handlers_SOURCES = tests/fuzz/fuzz-handlers.c \
	sdk/plugin-test/case.c sdk/plugin-test/fixture.c \
	sdk/plugin-test/run.c

tests_fuzz_libreplay_la_SOURCES = tests/fuzz/replay.c

EXTRA_DIST += tests/fuzz/corpus tests/fuzz/handler-seeds.py

FUZZ_SECONDS = 60
# New finds go to the build directory, in corpus/NAME.
fuzz: $(pluginexec_LTLIBRARIES) $(fuzz_targets)
	@$(PYTHON) $(top_srcdir)/tests/fuzz/handler-seeds.py \
	  $(top_srcdir)/plugins corpus/handlers
	@$(AM_TESTS_ENVIRONMENT) for target in $(fuzz_targets); do \
	  name=$${target##*/fuzz-}; \
	  mkdir -p corpus/$$name; \
	  echo "fuzz-$$name"; \
	  ./$$target -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	    corpus/$$name $(top_srcdir)/tests/fuzz/corpus/$$name || exit 1; \
	done
.PHONY: fuzz
