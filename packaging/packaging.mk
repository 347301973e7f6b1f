# packaging.mk - what a service manager is given.
# SPDX-License-Identifier: MIT

if SYSTEMD_UNITS
systemdsystemunit_DATA = packaging/systemd/herald.service \
	packaging/systemd/herald.socket
sysusersdir = $(prefix)/lib/sysusers.d
sysusers_DATA = packaging/systemd/herald.conf
systemdsamplesdir = $(datadir)/herald/systemd
systemdsamples_DATA = packaging/systemd/credentials.conf
endif

EXTRA_DIST += packaging/systemd/herald.service.in \
	packaging/systemd/herald.socket packaging/systemd/herald.conf \
	packaging/systemd/credentials.conf
CLEANFILES += packaging/systemd/herald.service

# Paths are known when make runs, not before.
systemd_edit = $(AM_V_GEN)$(MKDIR_P) packaging/systemd && \
	$(SED) -e 's|@bindir[@]|$(bindir)|g' -e 's|@confdir[@]|$(confdir)|g'

packaging/systemd/herald.service: packaging/systemd/herald.service.in \
	  packaging/packaging.mk
	$(systemd_edit) $(srcdir)/packaging/systemd/herald.service.in > $@.new
	@mv $@.new $@
