# wheel: the harness with its cases, guests and touchstone, as one package for pip.  make wheel [ARCH=aarch64]
#
# in:  the build, harness/, suites/, fixtures/, build/suites   out: build/wheel/*.whl

ARCH ?= $(shell uname -m)
# A build of its own for another machine, by the distribution's cross compiler.
ifneq ($(ARCH),$(shell uname -m))
WHEEL_BUILD := build-wheel-$(ARCH)
WHEEL_FLAGS := CC=$(ARCH)-linux-gnu-gcc BUILD=$(WHEEL_BUILD) CFLAGS='$(CROSS_CURL)'
# The headers of libcurl are the same on every machine, and the cross compiler does not look where they are.
CURL_HEADERS := $(firstword $(wildcard /usr/include/*-linux-gnu/curl))
CROSS_CURL := $(if $(CURL_HEADERS),-idirafter $(CURDIR)/$(WHEEL_BUILD)/include)
else
WHEEL_BUILD := $(BUILD)
endif

# All of the set-up is only needed where the tools of ci/requirements-wheel.txt are absent: a container has no more.
.PHONY: wheel
wheel: $(if $(wildcard .venv/bin/auditwheel),,deps)
	$(if $(CROSS_CURL),@mkdir -p $(WHEEL_BUILD)/include && ln -sfn $(CURL_HEADERS) $(WHEEL_BUILD)/include/curl)
	@$(MAKE) --no-print-directory $(WHEEL_FLAGS) $(WHEEL_BUILD)/wheel/touchstone
	@.venv/bin/python ci/wheel.py --arch $(ARCH) --touchstone $(WHEEL_BUILD)/wheel/touchstone --out build/wheel
# The command without symbols, and without what only the newest C libraries can load.
$(BUILD)/wheel/touchstone: $(CLI_OBJ) $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(HARDEN_PIE) $(filter-out $(PACKED),$(TS_LDFLAGS)) -s $^ -o $@ $(LIBS)
