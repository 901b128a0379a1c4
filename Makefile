# Touchstone's only entry point. `make help` lists the targets.
#
# in:  runtime/ (C), harness/ (Python), suites/ and fixtures/
# out: $(BUILD)/touchstone, $(BUILD)/libtouchstone.{a,so}, .venv/bin/assay, reports/latest/

SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# The interpreter is fastest with musttail and preserve_none, which clang 19 and later have. gcc works too.
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
# CFI=1: clang checks each call by a pointer (make/harden.mk), in a build folder of its own.
ifdef CFI
BUILD ?= build-cfi
endif
BUILD ?= build
OPT ?= -O2 -g
# ASSERT=1: assertions are checked (base/assert.h).
ifdef ASSERT
VARIANT += -DTS_ASSERTIONS
endif

PYTHON ?= python3
# Node.js is in .venv where the system has none.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# V=1 shows whole command lines.
ifndef V
Q := @
say = @printf '  %-4s %s\n' $(1) '$(2)'
endif
CFLAGS ?=
LDFLAGS ?=
include make/harden.mk
# Messages are cut to their buffers on purpose, and gcc would warn about each.
TS_CFLAGS = -std=gnu11 $(OPT) $(if $(findstring clang,$(CC)),,-Wno-format-truncation) -fPIC -fvisibility=hidden \
    -fno-semantic-interposition -Wall -Wextra -Werror -ffp-contract=off -Iruntime -Iruntime/include -I$(BUILD)/gen \
    -MMD -MP $(HARDEN) $(VARIANT) $(CFLAGS)
# Packed relative relocations make programs start sooner, where the linker and the C library support them.
PACKED := -Wl,-z,pack-relative-relocs
PACKED := $(shell f=$$(mktemp) && echo 'int main(void) { return 0; }' | \
    $(CC) -x c - $(PACKED) -o $$f 2>&1 | grep -q . || { [ -x $$f ] && $$f && echo '$(PACKED)'; }; rm -f $$f)
# The cache tells the machine code of this build from that of others by its identity (sys/build_id.h).
TS_LDFLAGS = -Wl,--build-id=sha1 $(PACKED) $(HARDEN_LD) $(VARIANT_LD) $(LDFLAGS)
# No function of the library has a larger stack frame than this (sys/stack.h). Frames of other builds are larger.
ifeq ($(VARIANT)$(CFLAGS),)
STACK_CFLAGS = -Wframe-larger-than=$(FRAME_MAX)
endif
FRAME_MAX = 5120
LIBS = -lm -lpthread

# --- the runtime -----------------------------------------------------------------------------------------------------
LIB_SRC := $(sort $(shell find $(foreach d,base sys http core component wasi,runtime/$(d)) -name "*.c"))
CLI_SRC := $(sort $(shell find runtime/cli -name "*.c"))
EXAMPLE_SRC := $(wildcard runtime/examples/*.c)

# A script writes the glue between WIT and the host functions before anything is compiled. Every .c that it leaves
# in $(BUILD)/gen is part of the library. It is an included makefile, so that this run of make knows the list.
GLUE := runtime/wasi/gen/gen_glue.py
NO_BUILD := clean help lint deps suites guests fixtures fixtures-deps prepare test report toolchains
ifeq ($(filter $(NO_BUILD),$(MAKECMDGOALS)),)
-include $(BUILD)/gen/files.mk
endif
GLUE_IN := $(wildcard runtime/wasi/gen/*.py) $(shell find runtime/wasi/wit -name '*.wit')
$(BUILD)/gen/files.mk: $(GLUE_IN)
	@mkdir -p $(@D)
	$(PYTHON) $(GLUE) --out $(@D)
	@{ printf 'GEN_SRC :='; printf ' %s' $(@D)/*.c; echo; } > $@

OBJ = $(BUILD)/obj
obj_of = $(patsubst %.c,$(OBJ)/%.o,$(patsubst $(BUILD)/gen/%,gen/%,$(1)))
LIB_OBJ = $(filter-out $(PARSER_OBJ),$(call obj_of,$(LIB_SRC) $(GEN_SRC))) $(LINKED_PARSER_OBJ)
CLI_OBJ = $(call obj_of,$(CLI_SRC))
EXAMPLE_BIN = $(patsubst runtime/examples/%.c,$(BUILD)/examples/%,$(EXAMPLE_SRC))
include make/llhttp.mk make/version.mk

.PHONY: all lib examples
all: lib $(BUILD)/touchstone
lib: $(BUILD)/libtouchstone.a $(BUILD)/libtouchstone.so
examples: $(EXAMPLE_BIN)

# A build folder belongs to one compiler and one set of flags: a change of either compiles everything again.
BUILD_ID = $(CC) $(subst $(CURDIR),.,$(TS_CFLAGS)) $(TS_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); echo '$(BUILD_ID)' | cmp -s - $@ || echo '$(BUILD_ID)' > $@
.PHONY: FORCE
FORCE:

$(OBJ)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(TS_CFLAGS) $(STACK_CFLAGS) -c $< -o $@
# sys/fs.c has two host paths in one frame. What is not part of the library has no limit.
$(OBJ)/runtime/sys/fs.o: FRAME_MAX = 9216
$(OBJ)/runtime/tests/% $(OBJ)/runtime/fuzz/% $(OBJ)/runtime/examples/% $(OBJ)/runtime/cli/%: STACK_CFLAGS =
# Each operation is a function that others jump to. It begins at a cache line, so that its speed does not depend on
# what else is linked.
$(OBJ)/runtime/core/run/exec.o: TS_CFLAGS += $(if $(findstring clang,$(CC)),-falign-functions=64)
# Under both sanitizers the switch over all operations takes minutes to compile at -O1, and seconds at -O0.
ifneq ($(findstring TS_DISPATCH_SWITCH,$(VARIANT) $(CFLAGS)),)
$(OBJ)/runtime/core/run/exec.o: TS_CFLAGS += -O0 $(if $(findstring clang,$(CC)),-fno-sanitize-address-use-after-scope)
endif
$(OBJ)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(TS_CFLAGS) -c $< -o $@

$(BUILD)/libtouchstone.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(ARCHIVER) rcsD $@ $^
$(BUILD)/libtouchstone.so: $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-Bsymbolic,-z,now,-soname,$(SONAME)$(SO_DEFS) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
	$(Q)ln -sf libtouchstone.so $(BUILD)/$(SONAME)
$(BUILD)/touchstone: $(CLI_OBJ) $(BUILD)/libtouchstone.a
	$(call say,LD,$@)
	$(Q)$(CC) $(HARDEN_PIE) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
$(BUILD)/examples/%: $(OBJ)/runtime/examples/%.o $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
.SECONDARY:
-include $(patsubst %.o,%.d,$(LIB_OBJ) $(CLI_OBJ)) $(wildcard $(OBJ)/runtime/examples/*.d)

include make/tests.mk make/fuzz.mk make/fixtures.mk make/wheel.mk make/install.mk make/develop.mk

.PHONY: clean help
clean:
	rm -rf build build-*
help:
	@cat make/help.txt
