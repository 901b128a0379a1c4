# Touchstone's only entry point. `make help` lists what can be asked.
#
# in:  runtime/ (C), harness/ (Python), suites/ and fixtures/
# out: $(BUILD)/touchstone, $(BUILD)/libtouchstone.{a,so}, .venv/bin/assay, reports/latest/

SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# The compiler: clang 19 and later have musttail with preserve_none, which the interpreter is fastest with; gcc works too.
ifeq ($(origin CC),default)
CC := $(firstword $(foreach c,clang-22 clang-21 clang-20 clang-19,$(if $(shell command -v $(c) 2>/dev/null),$(c))))
ifeq ($(CC),)
CC := $(shell ci/pick_cc.sh)
endif
endif

# SANITIZE=1: address and undefined-behaviour sanitizers, the switch dispatch, a build folder of its own.
ifdef SANITIZE
BUILD ?= build-asan
OPT ?= -O1 -g -fno-omit-frame-pointer
VARIANT := -fsanitize=address,undefined -fno-sanitize-recover=undefined -DTS_DISPATCH_SWITCH -DTS_ASSERTIONS
VARIANT_LD := -fsanitize=address,undefined
endif
BUILD ?= build
OPT ?= -O2 -g
# ASSERT=1: assertions are checked (base/assert.h).
ifdef ASSERT
VARIANT += -DTS_ASSERTIONS
endif

PYTHON ?= python3
# Node.js stands in .venv where the system has none.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# V=1 shows the whole command lines.
ifndef V
Q := @
say = @printf '  %-4s %s\n' $(1) '$(2)'
endif
CFLAGS ?=
LDFLAGS ?=
# Messages are cut to their buffers on purpose: gcc would warn of each.
TS_CFLAGS = -std=gnu11 $(OPT) $(if $(findstring clang,$(CC)),,-Wno-format-truncation) -fPIC -fvisibility=hidden -fno-semantic-interposition -Wall -Wextra -Werror -ffp-contract=off \
    -Iruntime -Iruntime/include -I$(BUILD)/gen -MMD -MP $(VARIANT) $(CFLAGS)
# Relative relocations in their packed form, where the linker and the C library know it: programs start sooner.
PACKED := -Wl,-z,pack-relative-relocs
PACKED := $(shell f=$$(mktemp) && echo 'int main(void) { return 0; }' | $(CC) -x c - $(PACKED) -o $$f 2>&1 | grep -q . || \
    { [ -x $$f ] && $$f && echo '$(PACKED)'; }; rm -f $$f)
TS_LDFLAGS = $(PACKED) $(VARIANT_LD) $(LDFLAGS)
# No frame of the library takes more of a thread's stack than this (sys/stack.h); frames of other builds are larger.
ifeq ($(VARIANT)$(CFLAGS),)
STACK_CFLAGS = -Wframe-larger-than=$(FRAME_MAX)
endif
FRAME_MAX = 5120
LIBS = -lm -lpthread
# The version stands in the public header alone. Before 1.0, the number of the shared library is 0: what may change is in CHANGELOG.md.
VERSION := $(shell sed -n 's/^\#define TOUCHSTONE_VERSION_[A-Z]* \([0-9]*\).*/\1/p' runtime/include/touchstone.h | paste -sd.)
comma := ,
SONAME := libtouchstone.so.$(firstword $(subst ., ,$(VERSION)))

# HTTP is served by llhttp: by its sources where the distribution has them (Debian 12: node-llhttp), else by its library (libllhttp-dev).
# Without either `touchstone serve` says that this build cannot.
LLHTTP_SRC := $(wildcard $(foreach f,llhttp api http,/usr/share/llhttp/$(f).c))
ifneq ($(and $(LLHTTP_SRC),$(wildcard /usr/share/include/llhttp/llhttp.h)),)
LLHTTP_CFLAGS := -isystem /usr/share/include/llhttp
TS_CFLAGS += -DTS_HTTP_SERVER $(LLHTTP_CFLAGS)
LLHTTP_OBJ = $(patsubst /usr/share/llhttp/%.c,$(OBJ)/llhttp/%.o,$(LLHTTP_SRC))
else ifneq ($(and $(wildcard /usr/include/llhttp.h),$(if $(findstring -linux-gnu-,$(CC)),,1)),)
TS_CFLAGS += -DTS_HTTP_SERVER
LIBS += -lllhttp
endif

# --- the runtime -----------------------------------------------------------------------------------------------------
LIB_SRC := $(sort $(shell find $(foreach d,base sys http core component wasi,runtime/$(d)) -name "*.c"))
CLI_SRC := $(sort $(shell find runtime/cli -name "*.c"))
EXAMPLE_SRC := $(wildcard runtime/examples/*.c)

# The glue between WIT and the host functions: written by a script before anything is compiled. Every .c that it leaves
# in $(BUILD)/gen is part of the library. Asked for as an included makefile, so that the list is known to this run.
GLUE := $(wildcard runtime/wasi/gen/gen_glue.py)
ifneq ($(GLUE),)
ifeq ($(filter clean help lint deps suites guests fixtures fixtures-deps prepare test report toolchains,$(MAKECMDGOALS)),)
-include $(BUILD)/gen/files.mk
endif
GLUE_IN := $(wildcard runtime/wasi/gen/*.py) $(wildcard runtime/wasi/gen/*.def) $(shell find runtime/wasi/wit -name '*.wit' 2>/dev/null)
$(BUILD)/gen/files.mk: $(GLUE_IN)
	@mkdir -p $(@D)
	$(PYTHON) $(GLUE) --out $(@D)
	@{ printf 'GEN_SRC :='; for f in $(@D)/*.c; do [ -e "$$f" ] && printf ' %s' "$$f"; done; echo; } > $@
endif

OBJ = $(BUILD)/obj
obj_of = $(patsubst %.c,$(OBJ)/%.o,$(patsubst $(BUILD)/gen/%,gen/%,$(1)))
LIB_OBJ = $(filter-out $(PARSER_OBJ),$(call obj_of,$(LIB_SRC) $(GEN_SRC))) $(if $(LLHTTP_OBJ),$(OBJ)/http_parser.o)
# llhttp and the one file that uses it become one object, in which llhttp's names are local: a program may have an llhttp of its own.
PARSER_OBJ = $(if $(LLHTTP_OBJ),$(OBJ)/runtime/http/server/wire.o)
OBJCOPY ?= $(if $(findstring -linux-gnu-,$(CC)),$(patsubst %gcc,%objcopy,$(lastword $(CC))),objcopy)
CLI_OBJ = $(call obj_of,$(CLI_SRC))
EXAMPLE_BIN = $(patsubst runtime/examples/%.c,$(BUILD)/examples/%,$(EXAMPLE_SRC))

.PHONY: all lib examples
all: lib $(if $(CLI_SRC),$(BUILD)/touchstone)
lib: $(BUILD)/libtouchstone.a $(BUILD)/libtouchstone.so
examples: $(EXAMPLE_BIN)

# A build folder belongs to one compiler and one set of flags: a change of either compiles everything again.
BUILD_ID = $(CC) $(TS_CFLAGS) $(TS_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); echo '$(BUILD_ID)' | cmp -s - $@ || echo '$(BUILD_ID)' > $@
.PHONY: FORCE
FORCE:

$(OBJ)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(TS_CFLAGS) $(STACK_CFLAGS) -c $< -o $@
# Two paths of the host; what is not the library.
$(OBJ)/runtime/sys/fs.o: FRAME_MAX = 9216
$(OBJ)/runtime/tests/% $(OBJ)/runtime/fuzz/% $(OBJ)/runtime/examples/% $(OBJ)/runtime/cli/%: STACK_CFLAGS =
# Each operation is a function that others jump to: at the beginning of a cache line its speed does not depend on what else is linked.
$(OBJ)/runtime/core/run/exec.o: TS_CFLAGS += $(if $(findstring clang,$(CC)),-falign-functions=64)
# The switch over all operations under both sanitizers: at -O1 minutes of compiling, at -O0 seconds, and as sharp.
ifneq ($(findstring TS_DISPATCH_SWITCH,$(VARIANT) $(CFLAGS)),)
$(OBJ)/runtime/core/run/exec.o: TS_CFLAGS += -O0 $(if $(findstring clang,$(CC)),-fno-sanitize-address-use-after-scope)
endif
$(OBJ)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(TS_CFLAGS) -c $< -o $@

# Another's sources: their warnings are theirs. Strict: what is not HTTP to the letter is an error.
$(OBJ)/llhttp/%.o: /usr/share/llhttp/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(filter-out -W%,$(TS_CFLAGS)) -w -DLLHTTP_STRICT_MODE=1 -c $< -o $@

$(OBJ)/http_parser.o: $(PARSER_OBJ) $(LLHTTP_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -r -nostdlib -o $@ $^ && $(OBJCOPY) -w -L 'llhttp_*' $@

$(BUILD)/libtouchstone.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^
$(BUILD)/libtouchstone.so: $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-Bsymbolic,-z,now,-soname,$(SONAME)$(if $(VARIANT)$(CFLAGS),,$(comma)-z$(comma)defs) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
	$(Q)ln -sf libtouchstone.so $(BUILD)/$(SONAME)
$(BUILD)/touchstone: $(CLI_OBJ) $(BUILD)/libtouchstone.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
$(BUILD)/examples/%: $(OBJ)/runtime/examples/%.o $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
.SECONDARY:

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(CLI_OBJ)) $(wildcard $(OBJ)/runtime/examples/*.d)

include make/tests.mk make/fuzz.mk make/fixtures.mk make/install.mk make/develop.mk

.PHONY: clean help
clean:
	rm -rf build build-*
help:
	@echo 'make               build/touchstone and build/libtouchstone.{a,so}  (CC=, CFLAGS=, BUILD=, SANITIZE=1, ASSERT=1)'
	@echo 'make test          set up, build, and run every suite; STEPS="c p2" runs some'
	@echo 'make report        set up, build, run the cases on every runtime: reports/latest/index.html'
	@echo 'make test-c        the C tests (SANITIZE=1: with sanitizers); also test-gcc, test-harness, test-outside, test-wast, test-p2'
	@echo 'make test-aarch64  the official scripts in a build for aarch64, under qemu (minutes); in make test with CI_LONG=1'
	@echo 'make valgrind      the C tests and the cases under memcheck (many minutes); in make test with CI_LONG=1'
	@echo 'make lint          structure, style, types'
	@echo 'make format        clang-format and ruff mend what they can'
	@echo 'make fuzz          the fuzz targets and the comparison with wasmtime, FUZZ_SECONDS each (20)'
	@echo 'make bench         the benchmarks (minutes); BENCH=full: four times the work, seven rounds, large components under every runtime;'
	@echo '                   COREMARK=fetch or COREMARK=FOLDER: CoreMark as well (bench/README.md)'
	@echo 'make deps          system packages, .venv, npm packages; make suites: the official suites; make guests: large guests'
	@echo 'make fixtures      rebuild fixtures/built from fixtures/src'
	@echo 'make toolchains    which toolchains are here'
	@echo 'make debug         build-debug: assertions and symbols; make compile_commands.json: for clangd and clang-tidy'
	@echo 'make install       prefix=/usr/local DESTDIR=: the command, the library, touchstone.h, a pkg-config file; also make uninstall'
	@echo 'make clean         remove what was built (not .venv, not node_modules)'
