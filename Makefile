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
VARIANT := -fsanitize=address,undefined -fno-sanitize-recover=undefined -DTS_DISPATCH_SWITCH
VARIANT_LD := -fsanitize=address,undefined
endif
BUILD ?= build
OPT ?= -O2 -g

PYTHON ?= python3
CFLAGS ?=
LDFLAGS ?=
TS_CFLAGS = -std=gnu11 $(OPT) -fPIC -fno-semantic-interposition -Wall -Wextra -Werror -ffp-contract=off \
    -Iruntime -Iruntime/include -I$(BUILD)/gen -MMD -MP $(VARIANT) $(CFLAGS)
TS_LDFLAGS = $(VARIANT_LD) $(LDFLAGS)
LIBS = -lm -lpthread

# --- the runtime -----------------------------------------------------------------------------------------------------
LIB_SRC := $(wildcard $(foreach d,base sys core component wasi,runtime/$(d)/*.c))
CLI_SRC := $(wildcard runtime/cli/*.c)
TEST_SRC := $(wildcard runtime/tests/test_*.c)
TEST_LIB_SRC := $(filter-out $(TEST_SRC),$(wildcard runtime/tests/*.c))
EXAMPLE_SRC := $(wildcard runtime/examples/*.c)

# The glue between WIT and the host functions: written by a script before anything is compiled. Every .c that it leaves
# in $(BUILD)/gen is part of the library. Asked for as an included makefile, so that the list is known to this run.
GLUE := $(wildcard runtime/wasi/gen_glue.py)
ifneq ($(GLUE),)
ifeq ($(filter clean help lint suites,$(MAKECMDGOALS)),)
-include $(BUILD)/gen/files.mk
endif
GLUE_IN := $(GLUE) $(wildcard runtime/wasi/*.def runtime/wasi/*.tsv) $(shell find runtime/wasi/wit -name '*.wit' 2>/dev/null)
$(BUILD)/gen/files.mk: $(GLUE_IN)
	@mkdir -p $(@D)
	$(PYTHON) $(GLUE) --out $(@D)
	@{ printf 'GEN_SRC :='; for f in $(@D)/*.c; do [ -e "$$f" ] && printf ' %s' "$$f"; done; echo; } > $@
endif

OBJ = $(BUILD)/obj
obj_of = $(patsubst %.c,$(OBJ)/%.o,$(patsubst $(BUILD)/gen/%,gen/%,$(1)))
LIB_OBJ = $(call obj_of,$(LIB_SRC) $(GEN_SRC))
CLI_OBJ = $(call obj_of,$(CLI_SRC))
TEST_LIB_OBJ = $(call obj_of,$(TEST_LIB_SRC))
TEST_BIN = $(patsubst runtime/tests/%.c,$(BUILD)/tests/%,$(TEST_SRC))
EXAMPLE_BIN = $(patsubst runtime/examples/%.c,$(BUILD)/examples/%,$(EXAMPLE_SRC))

.PHONY: all lib tests examples
all: lib $(if $(CLI_SRC),$(BUILD)/touchstone)
lib: $(BUILD)/libtouchstone.a $(BUILD)/libtouchstone.so
tests: $(TEST_BIN)
examples: $(EXAMPLE_BIN)

# A build folder belongs to one compiler and one set of flags: a change of either compiles everything again.
BUILD_ID = $(CC) $(TS_CFLAGS) $(TS_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); echo '$(BUILD_ID)' | cmp -s - $@ || echo '$(BUILD_ID)' > $@
.PHONY: FORCE
FORCE:

$(OBJ)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(TS_CFLAGS) -c $< -o $@
$(OBJ)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(TS_CFLAGS) -c $< -o $@

$(BUILD)/libtouchstone.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/libtouchstone.so: $(LIB_OBJ)
	$(CC) -shared -Wl,-Bsymbolic,-z,now,-soname,libtouchstone.so $(TS_LDFLAGS) $^ -o $@ $(LIBS)
$(BUILD)/touchstone: $(CLI_OBJ) $(BUILD)/libtouchstone.a
	$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
$(BUILD)/tests/%: $(OBJ)/runtime/tests/%.o $(TEST_LIB_OBJ) $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(CC) $(TS_LDFLAGS) $^ -o $@ -lcmocka $(LIBS)
$(BUILD)/examples/%: $(OBJ)/runtime/examples/%.o $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
.SECONDARY:

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(CLI_OBJ) $(TEST_LIB_OBJ)) $(wildcard $(OBJ)/runtime/tests/*.d $(OBJ)/runtime/examples/*.d)

.PHONY: clean
clean:
	rm -rf build build-*
