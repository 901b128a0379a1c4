# version: the version of the library, and the name and links of the shared one.
#
# in:  runtime/include/touchstone.h, which alone states the version   out: VERSION, SONAME, SO_DEFS

VERSION := $(shell sed -n 's/^\#define TOUCHSTONE_VERSION_[A-Z]* \([0-9]*\).*/\1/p' runtime/include/touchstone.h | paste -sd.)
# Before 1.0 the number of the shared library is 0. CHANGELOG.md lists what may break a program.
SONAME := libtouchstone.so.$(firstword $(subst ., ,$(VERSION)))
# A shared library with an undefined name does not link. Sanitizers leave names undefined.
comma := ,
SO_DEFS = $(if $(VARIANT)$(CFLAGS),,$(comma)-z$(comma)defs)
