# core.mk - the program and its rooms.
# SPDX-License-Identifier: MIT
#
# To add a file: one line in its room.  All but herald.c goes into a
# library that the unit tests link as well.

noinst_LTLIBRARIES += core/libherald-core.la

core_libherald_core_la_SOURCES =
core_libherald_core_la_LIBADD = $(CURL_LIBS) $(XML_LIBS) $(JANSSON_LIBS) \
	$(CRYPTO_LIBS) $(IDN_LIBS) $(SQLITE_LIBS) $(MHD_LIBS) $(ZLIB_LIBS) $(LTDL_LIBS) $(LIBM)

# -- base: what needs nothing of ours
core_libherald_core_la_SOURCES += \
	core/base/address.c core/base/address.h \
	core/base/arena.c core/base/arena.h \
	core/base/buf.c core/base/buf.h \
	core/base/crypto.c core/base/crypto.h \
	core/base/date.c core/base/date.h \
	core/base/failure_class.c core/base/failure_class.h \
	core/base/json_doc.c core/base/json_doc.h \
	core/base/json_index.c core/base/json_index.h \
	core/base/lock.c core/base/lock.h \
	core/base/log.c core/base/log.h \
	core/base/log_kinds.c core/base/log_kinds.h \
	core/base/loop.c core/base/loop.h \
	core/base/memory.c core/base/memory.h \
	core/base/new_file.c core/base/new_file.h \
	core/base/number.c core/base/number.h \
	core/base/process.c core/base/process.h \
	core/base/redact.c core/base/redact.h \
	core/base/service.c core/base/service.h \
	core/base/service_inbox.c \
	core/base/text.c core/base/text.h \
	core/base/trust.c core/base/trust.h \
	core/base/watch.c core/base/watch.h

# -- config: herald.xml, conf.d and secrets
core_libherald_core_la_SOURCES += \
	core/config/configuration.c core/config/configuration.h \
	core/config/configuration_digest.c \
	core/config/configuration_fallback.c \
	core/config/configuration_keep.c \
	core/config/configuration_parts.h \
	core/config/configuration_recall.c \
	core/config/configuration_remember.c \
	core/config/descriptor.c core/config/descriptor.h \
	core/config/descriptor_delivery.c \
	core/config/descriptor_edit.c \
	core/config/descriptor_mail.c \
	core/config/descriptor_map.c \
	core/config/descriptor_reading.h \
	core/config/field_value.c core/config/field_value.h \
	core/config/herald_intake.c \
	core/config/herald_reading.c core/config/herald_reading.h \
	core/config/herald_store.c \
	core/config/herald_workers.c \
	core/config/herald_xml.c core/config/herald_xml.h \
	core/config/names.c core/config/names.h \
	core/config/network.c core/config/network.h \
	core/config/problem.c core/config/problem.h \
	core/config/secret.c core/config/secret.h \
	core/config/setting.c core/config/setting.h \
	core/config/settings.c core/config/settings.h \
	core/config/xml.c core/config/xml.h \
	core/config/xml_canonical.c \
	core/config/xml_expect.c

# -- event: events and what is made of them
core_libherald_core_la_SOURCES += \
	core/event/catalogue.c core/event/catalogue.h \
	core/event/condition.c core/event/condition.h \
	core/event/event.c core/event/event.h \
	core/event/event_reader.c core/event/event_state.h \
	core/event/mail_form.c core/event/mail_form.h \
	core/event/mapping.c core/event/mapping.h \
	core/event/stream.c core/event/stream.h \
	core/event/template.c core/event/template.h

# -- provider: plugins and what they are given
core_libherald_core_la_SOURCES += \
	core/provider/declaration.c core/provider/declaration.h \
	core/provider/host.c core/provider/host.h \
	core/provider/host_job.c \
	core/provider/host_json.c \
	core/provider/host_outcome.c \
	core/provider/host_reply.c \
	core/provider/host_settings.c \
	core/provider/host_table.h \
	core/provider/host_text.c \
	core/provider/integration.c core/provider/integration.h \
	core/provider/job.c core/provider/job.h \
	core/provider/job_fault.c \
	core/provider/job_group.c \
	core/provider/job_render.c \
	core/provider/job_settle.c \
	core/provider/job_state.h \
	core/provider/loader.c core/provider/loader.h \
	core/provider/message.c core/provider/message.h \
	core/provider/outcome.c core/provider/outcome.h \
	core/provider/proof.c core/provider/proof.h \
	core/provider/reply.c core/provider/reply.h \
	core/provider/request.c core/provider/request.h \
	core/provider/request_body.c \
	core/provider/request_form.c \
	core/provider/request_merge.c \
	core/provider/token.c core/provider/token.h

# -- transport: requests on the wire
core_libherald_core_la_SOURCES += \
	core/transport/assembly.c core/transport/assembly.h \
	core/transport/failure.c core/transport/failure.h \
	core/transport/gate.c core/transport/gate.h \
	core/transport/guard.c core/transport/guard.h \
	core/transport/mail_message.c core/transport/mail_message.h \
	core/transport/mail_text.c core/transport/mail_text.h \
	core/transport/smtp_dialogue.c core/transport/smtp_dialogue.h \
	core/transport/transfer.c core/transport/transfer.h \
	core/transport/transfer_mail.c \
	core/transport/transfer_verdict.c \
	core/transport/transport.c core/transport/transport.h

# -- delivery: lanes, limits and retries
core_libherald_core_la_SOURCES += \
	core/delivery/backoff.c core/delivery/backoff.h \
	core/delivery/breaker.c core/delivery/breaker.h \
	core/delivery/cut.c core/delivery/cut.h \
	core/delivery/delivery.c core/delivery/delivery.h \
	core/delivery/dispatcher.c core/delivery/dispatcher.h \
	core/delivery/exchange.c core/delivery/exchange.h \
	core/delivery/keyring.c core/delivery/keyring.h \
	core/delivery/lane.c core/delivery/lane.h \
	core/delivery/lane_mode.c \
	core/delivery/lane_order.c \
	core/delivery/lane_pump.c \
	core/delivery/lane_run.c \
	core/delivery/lane_settle.c \
	core/delivery/lane_state.h \
	core/delivery/lane_weigh.c \
	core/delivery/limiter.c core/delivery/limiter.h \
	core/delivery/retries.c core/delivery/retries.h \
	core/delivery/shelf.c core/delivery/shelf.h \
	core/delivery/stats.c core/delivery/stats.h \
	core/delivery/waiting.c core/delivery/waiting.h

# -- queue: what was accepted and is not delivered yet
core_libherald_core_la_SOURCES += \
	core/queue/bell.c core/queue/bell.h \
	core/queue/claims.c core/queue/claims.h \
	core/queue/db.c core/queue/db.h \
	core/queue/memory_engine.c \
	core/queue/place.c core/queue/place.h \
	core/queue/queue.c core/queue/queue.h \
	core/queue/queue_engine.h \
	core/queue/seen.c core/queue/seen.h \
	core/queue/sqlite_dead.c \
	core/queue/sqlite_engine.c \
	core/queue/sqlite_forget.c \
	core/queue/sqlite_left.c \
	core/queue/sqlite_lane.c \
	core/queue/sqlite_put.c \
	core/queue/sqlite_schema.c \
	core/queue/sqlite_settle.c \
	core/queue/sqlite_store.h \
	core/queue/sqlite_take.c \
	core/queue/sqlite_tidy.c \
	core/queue/sqlite_trace.c

# -- metrics: what each process counts, and how others read it
core_libherald_core_la_SOURCES += \
	core/metrics/board.c core/metrics/board.h \
	core/metrics/board_file.c core/metrics/board_file.h \
	core/metrics/exposition.c core/metrics/exposition.h \
	core/metrics/figures.c core/metrics/figures.h \
	core/metrics/histogram.c core/metrics/histogram.h \
	core/metrics/openmetrics.c core/metrics/openmetrics.h

# -- serve: processes that do not end
core_libherald_core_la_SOURCES += \
	core/serve/child.c core/serve/child.h \
	core/serve/deadman.c core/serve/deadman.h \
	core/serve/feeder.c core/serve/feeder.h \
	core/serve/feeder_settle.c core/serve/feeder_state.h \
	core/serve/flight.c core/serve/flight.h \
	core/serve/ledger.c core/serve/ledger.h \
	core/serve/ledger_lanes.c \
	core/serve/ledger_state.h \
	core/serve/ledger_thread.c \
	core/serve/listeners.c core/serve/listeners.h \
	core/serve/parking.c \
	core/serve/pidfile.c core/serve/pidfile.h \
	core/serve/renewal.c core/serve/renewal.h \
	core/serve/spawn.c core/serve/spawn.h \
	core/serve/supervisor.c core/serve/supervisor.h \
	core/serve/supervisor_reload.c \
	core/serve/supervisor_state.h \
	core/serve/worker.c core/serve/worker.h \
	core/serve/worker_open.c \
	core/serve/worker_posts.c \
	core/serve/worker_reload.c \
	core/serve/worker_state.h

# -- intake: events in, over HTTP
core_libherald_core_la_SOURCES += \
	core/intake/allows.c core/intake/allows.h \
	core/intake/answer.c core/intake/answer.h \
	core/intake/binary.c core/intake/binary.h \
	core/intake/body.c core/intake/body.h \
	core/intake/caller.c core/intake/caller.h \
	core/intake/committer.c core/intake/committer.h \
	core/intake/crowd.c core/intake/crowd.h \
	core/intake/framing.c core/intake/framing.h \
	core/intake/http.c core/intake/http.h \
	core/intake/intake.c core/intake/intake.h \
	core/intake/intake_events.c \
	core/intake/intake_health.c \
	core/intake/intake_state.h \
	core/intake/linger.c core/intake/linger.h \
	core/intake/listener.c core/intake/listener.h \
	core/intake/media.c core/intake/media.h \
	core/intake/peer.c core/intake/peer.h \
	core/intake/routes.c core/intake/routes.h \
	core/intake/scraper.c core/intake/scraper.h \
	core/intake/submission.c core/intake/submission.h \
	core/intake/tokens.c core/intake/tokens.h \
	core/intake/unzip.c core/intake/unzip.h

# -- command: one file a subcommand
core_libherald_core_la_SOURCES += \
	core/command/add.c \
	core/command/check.c core/command/check.h \
	core/command/command.h \
	core/command/dead.c \
	core/command/describe.c \
	core/command/enable.c \
	core/command/explain.c \
	core/command/forget.c \
	core/command/input.c core/command/input.h \
	core/command/intake.c \
	core/command/list.c \
	core/command/options.c core/command/options.h \
	core/command/logging.c core/command/logging.h \
	core/command/outfile.c core/command/outfile.h \
	core/command/output.c core/command/output.h \
	core/command/owner.c core/command/owner.h \
	core/command/post.c core/command/post.h \
	core/command/pause.c \
	core/command/progress.c core/command/progress.h \
	core/command/providers.c \
	core/command/queue.c \
	core/command/rejects.c core/command/rejects.h \
	core/command/reload.c \
	core/command/remove.c \
	core/command/report.c core/command/report.h \
	core/command/sample.c core/command/sample.h \
	core/command/screen.c core/command/screen.h \
	core/command/send.c \
	core/command/serve.c \
	core/command/session.c core/command/session.h \
	core/command/submit.c \
	core/command/status.c \
	core/command/status_view.c core/command/status_view.h \
	core/command/store.c core/command/store.h \
	core/command/table.c core/command/table.h \
	core/command/test.c \
	core/command/trace.c \
	core/command/trial.c core/command/trial.h \
	core/command/verify.c \
	core/command/worker.c

bin_PROGRAMS += herald

herald_SOURCES = core/herald.c
herald_CFLAGS = $(AM_CFLAGS) $(PIE_CFLAGS)
herald_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)
herald_LDADD = core/libherald-core.la

dist_man_MANS += core/man/herald.1 core/man/herald-conf.5 \
	core/man/herald-intake.7 \
	core/man/herald-serve.8 core/man/herald-store.5
