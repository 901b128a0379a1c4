# install: the library, its header, the command and a pkg-config file.  make install [prefix=/usr/local] [DESTDIR=]
#
# in:  $(BUILD)/libtouchstone.{a,so}, $(BUILD)/touchstone, runtime/include/touchstone.h
# out: $(DESTDIR)$(prefix)/{bin,lib,include,lib/pkgconfig,share/doc/touchstone}

prefix ?= /usr/local
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
docdir ?= $(prefix)/share/doc/touchstone
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

.PHONY: install uninstall
install: all
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
uninstall:
	rm -f $(DESTDIR)$(bindir)/touchstone $(DESTDIR)$(libdir)/libtouchstone.a $(DESTDIR)$(libdir)/libtouchstone.so* \
	  $(DESTDIR)$(libdir)/pkgconfig/touchstone.pc $(DESTDIR)$(includedir)/touchstone.h
	rm -rf $(DESTDIR)$(docdir)
