# install: the library, its header, the command, a pkg-config file, manual pages and shell completions.
#          make install [prefix=/usr/local] [DESTDIR=]
#
# in:  $(BUILD)/libtouchstone.{a,so}, $(BUILD)/touchstone, runtime/include/touchstone.h, make/pages.py
# out: $(DESTDIR)$(prefix)/{bin,lib,include,lib/pkgconfig}, $(DESTDIR)$(prefix)/share/{doc/touchstone,man/man1,…}

prefix ?= /usr/local
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
datadir ?= $(prefix)/share
docdir ?= $(datadir)/doc/touchstone
INSTALL ?= install

define PKG_CONFIG_FILE
prefix=$(prefix)
libdir=$(libdir)
includedir=$(includedir)

Name: touchstone
Description: A runtime for WebAssembly components, WASI 0.2 and core modules
Version: $(VERSION)
Libs: -L$${libdir} -ltouchstone
Libs.private: $(LIBS)
Cflags: -I$${includedir}
endef
export PKG_CONFIG_FILE

# The pages and completions, laid out as below share/. Those of assay need the packages of .venv; the harness itself is
# installed by pip (`make wheel`).
PAGES = $(BUILD)/pages
.PHONY: pages
pages: $(BUILD)/touchstone
	$(Q)rm -rf $(PAGES)
	$(Q)$(PYTHON) make/pages.py touchstone $(BUILD)/touchstone $(PAGES)
	$(Q)if .venv/bin/python -c 'import assay, click_man' 2> /dev/null; then .venv/bin/python make/pages.py assay $(PAGES); \
	  else echo 'install: without the pages and completions of assay (make deps)'; fi

.PHONY: install uninstall
install: all pages
	$(Q)$(INSTALL) -d $(foreach d,$(bindir) $(libdir)/pkgconfig $(includedir) $(docdir),$(DESTDIR)$(d))
	$(Q)$(INSTALL) -m 755 $(BUILD)/touchstone $(DESTDIR)$(bindir)/touchstone
	$(Q)$(INSTALL) -m 644 $(BUILD)/libtouchstone.a $(DESTDIR)$(libdir)/libtouchstone.a
	$(Q)$(INSTALL) -m 755 $(BUILD)/libtouchstone.so $(DESTDIR)$(libdir)/libtouchstone.so.$(VERSION)
	$(Q)ln -sf libtouchstone.so.$(VERSION) $(DESTDIR)$(libdir)/$(SONAME)
	$(Q)ln -sf $(SONAME) $(DESTDIR)$(libdir)/libtouchstone.so
	$(Q)$(INSTALL) -m 644 runtime/include/touchstone.h $(DESTDIR)$(includedir)/touchstone.h
	$(Q)printf '%s\n' "$$PKG_CONFIG_FILE" > $(DESTDIR)$(libdir)/pkgconfig/touchstone.pc
	$(Q)chmod 644 $(DESTDIR)$(libdir)/pkgconfig/touchstone.pc
	$(Q)$(INSTALL) -m 644 LICENSE README.md CHANGELOG.md $(DESTDIR)$(docdir)
	$(Q)cd $(PAGES) && find . -type f -exec $(INSTALL) -D -m 644 {} $(abspath $(DESTDIR)$(datadir))/{} \;
uninstall:
	rm -f $(DESTDIR)$(bindir)/touchstone $(DESTDIR)$(libdir)/libtouchstone.a $(DESTDIR)$(libdir)/libtouchstone.so* \
	  $(DESTDIR)$(libdir)/pkgconfig/touchstone.pc $(DESTDIR)$(includedir)/touchstone.h
	rm -f $(foreach d,man/man1/touchstone.1 man/man1/assay.1 man/man1/assay-*.1 zsh/site-functions/_touchstone \
	  zsh/site-functions/_assay $(foreach n,touchstone assay,bash-completion/completions/$n fish/vendor_completions.d/$n.fish), \
	  $(DESTDIR)$(datadir)/$d)
	rm -rf $(DESTDIR)$(docdir)
