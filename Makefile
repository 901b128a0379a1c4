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
TS_LDFLAGS = $(VARIANT_LD) $(LDFLAGS)
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
TEST_SRC := $(wildcard runtime/tests/test_*.c)
TEST_LIB_SRC := $(filter-out $(TEST_SRC),$(wildcard runtime/tests/*.c))
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
TEST_LIB_OBJ = $(call obj_of,$(TEST_LIB_SRC))
TEST_BIN = $(patsubst runtime/tests/%.c,$(BUILD)/tests/%,$(TEST_SRC))
include make/install.mk
EXAMPLE_BIN = $(patsubst runtime/examples/%.c,$(BUILD)/examples/%,$(EXAMPLE_SRC))

.PHONY: all lib tests examples
all: lib $(if $(CLI_SRC),$(BUILD)/touchstone)
lib: $(BUILD)/libtouchstone.a $(BUILD)/libtouchstone.so
# The drivers of the benchmarks are compiled too, so that a change of a header shows here.
tests: $(TEST_BIN) $(call obj_of,bench/drive.c bench/instances.c bench/launch.c) $(BUILD)/cabi_probe $(BUILD)/http_probe $(BUILD)/toml_probe $(BUILD)/fuzz/run_call
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
# A call of every public function with each pointer NULL, made of the header.
$(BUILD)/gen/api_slips.h: runtime/tests/gen_slips.py runtime/include/touchstone.h
	$(Q)$(PYTHON) $^ $@ && touch $@
$(OBJ)/runtime/tests/test_api_slips.o: $(BUILD)/gen/api_slips.h
# Two paths of the host; what is not the library.
$(OBJ)/runtime/sys/fs.o: FRAME_MAX = 9216
$(OBJ)/runtime/tests/% $(OBJ)/runtime/fuzz/% $(OBJ)/runtime/examples/% $(OBJ)/runtime/cli/%: STACK_CFLAGS =
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
$(BUILD)/tests/%: $(OBJ)/runtime/tests/%.o $(TEST_LIB_OBJ) $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ -lcmocka $(LIBS)
$(BUILD)/examples/%: $(OBJ)/runtime/examples/%.o $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
# What harness/tests/test_cabi_oracle.py asks.
$(BUILD)/cabi_probe: $(OBJ)/runtime/tests/oracle/cabi_probe.o $(BUILD)/libtouchstone.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
# What harness/tests/test_http_client.py drives.
$(BUILD)/http_probe: $(OBJ)/runtime/tests/oracle/http_probe.o $(BUILD)/libtouchstone.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
# What harness/tests/test_toml.py asks.
$(BUILD)/toml_probe: $(OBJ)/runtime/tests/oracle/toml_probe.o $(BUILD)/libtouchstone.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
# What can fail for want of memory fails on demand there.
$(BUILD)/tests/test_faults: TS_LDFLAGS += $(foreach f,malloc calloc realloc mmap mprotect mremap pthread_create pthread_mutex_init,-Wl,--wrap=$(f))
$(BUILD)/tests/test_wasi_faults_memory $(BUILD)/tests/test_wasi_http: TS_LDFLAGS += $(foreach f,malloc calloc realloc,-Wl,--wrap=$(f))
# … and so do the system calls of the WASI host.
$(BUILD)/tests/test_wasi_faults: TS_LDFLAGS += $(foreach f,read write pread pwrite pwritev2 getrandom open openat syscall fstat fstatat \
    ftruncate fsync fdatasync futimens utimensat posix_fadvise mkdirat unlinkat renameat linkat symlinkat readlinkat readdir fdopendir \
    ppoll,-Wl,--wrap=$(f))
$(BUILD)/tests/test_wasi_faults_net: TS_LDFLAGS += $(foreach f,socket bind connect listen accept4 getsockname getpeername setsockopt \
    getsockopt shutdown send read sendto recvfrom,-Wl,--wrap=$(f))
# The same there, of the HTTP client.
$(BUILD)/tests/test_http_client: TS_LDFLAGS += $(foreach f,malloc calloc realloc strdup asprintf,-Wl,--wrap=$(f))
.SECONDARY:

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(CLI_OBJ) $(TEST_LIB_OBJ)) $(wildcard $(OBJ)/runtime/tests/*.d $(OBJ)/runtime/examples/*.d)

# --- set-up ----------------------------------------------------------------------------------------------------------
.PHONY: deps suites guests fixtures fixtures-deps
deps:
	@ci/setup.sh
suites:
	@ci/suites.sh
# The guests that are too large to commit; absent where componentize-js is.
guests: deps
	@if [ -x node_modules/.bin/componentize-js ]; then $(PYTHON) fixtures/build.py --js || echo 'guests: those in JavaScript could not be built; their cases are skipped'; \
	else echo 'guests: componentize-js is absent, so those in JavaScript are not built and their cases are skipped'; fi
fixtures: deps fixtures-deps
	$(PYTHON) fixtures/build.py
	$(PYTHON) fixtures/compose.py
# What only the rebuilding of committed guests needs: wit-bindgen is compiled here, which takes minutes.
WIT_BINDGEN_VERSION := 0.63.0
WAC_VERSION := 0.12.0
fixtures-deps:
	@command -v wit-bindgen >/dev/null || [ -x build/tools/bin/wit-bindgen ] || \
	  { echo 'fixtures: compiling wit-bindgen (minutes)'; cargo install --quiet --locked --version $(WIT_BINDGEN_VERSION) --root build/tools wit-bindgen-cli; }
	@command -v wac >/dev/null || [ -x build/tools/bin/wac ] || \
	  { echo 'fixtures: compiling wac (minutes)'; cargo install --quiet --locked --version $(WAC_VERSION) --root build/tools wac-cli; }

# --- tests and reports -------------------------------------------------------------------------------------------------
# Each suite is a step with its own log (build/log) and count; the last line sums them up.
.PHONY: prepare test test-c test-gcc test-harness test-wast test-aarch64 test-p2 valgrind report bench fuzz lint format toolchains
# What makes components of programs of preview 1 (it comes with jco).
P1_ADAPTER := node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.command.wasm
# CI_LONG=1: the long form, with the scripts on aarch64 under emulation, and memcheck (many minutes).
STEPS ?= structure c c-sanitized c-gcc harness wast wast-checked wast-metered wast-sanitized wast-gcc $(if $(CI_LONG),wast-aarch64) p2 \
    $(shell [ -e $(BUILD)/suites/wasi-testsuite/. ] && [ -e $(P1_ADAPTER) ] && echo testsuite) $(if $(CI_LONG),valgrind)
prepare: deps suites guests
	@$(if $(CI_LONG),ci/setup_aarch64.sh)
	@$(MAKE) --no-print-directory all
test: prepare
	@$(PYTHON) ci/run_tests.py $(STEPS)
test-c:
	@$(PYTHON) ci/run_tests.py $(if $(SANITIZE),c-sanitized,c)
test-gcc:
	@$(PYTHON) ci/run_tests.py c-gcc
test-harness: deps
	@$(PYTHON) ci/run_tests.py harness
test-wast: deps suites
	@$(MAKE) --no-print-directory all
	@$(PYTHON) ci/run_tests.py wast
# Cross compiler and emulator from the distribution: installed here when apt may.
test-aarch64: deps suites
	@ci/setup_aarch64.sh
	@$(PYTHON) ci/run_tests.py wast-aarch64
# memcheck over the C tests and the cases, in a build of its own.
valgrind: guests
	@CI_LONG=1 ci/setup.sh
	@$(PYTHON) ci/run_tests.py valgrind
test-p2: deps guests
	@$(MAKE) --no-print-directory all
	@$(PYTHON) ci/run_tests.py p2
lint:
	@$(PYTHON) ci/run_tests.py structure lint
format:
	clang-format-19 -i $$(find runtime \( -name '*.c' -o -name '*.h' \))
	.venv/bin/ruff check --fix harness
# Everything that a reader of the page wants: the scripts and the cases on every runtime that is there.
report: prepare
	@rm -f reports/latest/wast.json reports/latest/testsuite.json
	@.venv/bin/assay wast || [ $$? = 2 ] || echo 'report: the official scripts are not as announced; the page shows them'
	@.venv/bin/assay testsuite --if-there || [ $$? = 2 ] || echo 'report: the programs of wasi-testsuite are not as announced; the page shows them'
	@.venv/bin/assay run $(CASES) || { [ $$? = 1 ] && echo 'report: the cases are not as announced; the page shows them'; }
bench: all
	@{ command -v wrk && command -v wasm-ld-19; } > /dev/null || CI_BENCH=1 ci/setup.sh
	@if [ -f bench/run.py ]; then $(PYTHON) bench/run.py; else echo 'bench: no benchmark is there (bench/run.py)'; exit 1; fi

# libFuzzer targets: runtime/fuzz/fuzz_*.c, each run for FUZZ_SECONDS on its seeds, after its regressions; then modules of
# `wasm-tools smith` on this engine and on wasmtime, and random components on both and damaged ones against wasm-tools, for as long each.
FUZZ_SECONDS ?= 20
FUZZ_SRC := $(wildcard runtime/fuzz/fuzz_*.c)
FUZZ_LIB_SRC := $(filter-out $(FUZZ_SRC) $(wildcard runtime/fuzz/run_*.c),$(wildcard runtime/fuzz/*.c))
FUZZ_FLAGS = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -DTS_DISPATCH_SWITCH -DTS_ASSERTIONS
FUZZ_BIN = $(patsubst runtime/fuzz/%.c,%,$(FUZZ_SRC))
fuzz: all $(BUILD)/fuzz/run_exec $(BUILD)/fuzz/run_call
	@[ -n "$(FUZZ_SRC)" ] || { echo 'fuzz: no target is there (runtime/fuzz/fuzz_*.c)'; exit 1; }
	@$(MAKE) --no-print-directory BUILD=build-fuzz OPT='-O1 -g' CFLAGS='$(FUZZ_FLAGS)' LDFLAGS='-fsanitize=address,undefined' $(FUZZ_BIN:%=build-fuzz/fuzz/%)
	@for t in $(FUZZ_BIN); do mkdir -p build-fuzz/corpus/$$t; seeds=; [ -d runtime/fuzz/seeds/$$t ] && seeds=runtime/fuzz/seeds/$$t; \
	  [ -d runtime/fuzz/regressions/$$t ] && seeds="$$seeds runtime/fuzz/regressions/$$t"; \
	  echo "-- $$t for $(FUZZ_SECONDS) s"; build-fuzz/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=30 -print_final_stats=1 build-fuzz/corpus/$$t $$seeds > build-fuzz/$$t.log 2>&1 || { tail -n 40 build-fuzz/$$t.log; exit 1; }; \
	  tail -n 8 build-fuzz/$$t.log; done
	@if [ -x .venv/bin/wasm-tools ] && .venv/bin/python -c 'import wasmtime' 2>/dev/null; then \
	  echo "-- against wasmtime for $(FUZZ_SECONDS) s"; .venv/bin/python runtime/fuzz/diff_wasmtime.py --runner $(BUILD)/fuzz/run_exec --seconds $(FUZZ_SECONDS) --work build-fuzz/diff || exit 1; \
	  for w in calls verdicts; do echo "-- components, $$w for $(FUZZ_SECONDS) s"; .venv/bin/python runtime/fuzz/diff_components.py $$w --runner $(BUILD)/fuzz/run_call --seconds $(FUZZ_SECONDS) --work build-fuzz/diff-components || exit 1; done; \
	else echo 'fuzz: wasmtime or wasm-tools is absent (make deps), so the comparison with it is left out'; fi
$(BUILD)/fuzz/run_%: $(OBJ)/runtime/fuzz/run_%.o $(call obj_of,$(FUZZ_LIB_SRC)) $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
$(BUILD)/fuzz/fuzz_%: $(OBJ)/runtime/fuzz/fuzz_%.o $(call obj_of,$(FUZZ_LIB_SRC)) $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $^ -o $@ $(LIBS)
-include $(wildcard $(OBJ)/runtime/fuzz/*.d)

# One program by every toolchain that is here or can be had: cases p2/toolchains. TOOLCHAINS="go python" builds some, ARGS=--run runs them.
toolchains:
	@$(PYTHON) ci/toolchains.py --install $(ARGS) $(TOOLCHAINS)

.PHONY: clean help
clean:
	rm -rf build build-*
help:
	@echo 'make               build/touchstone and build/libtouchstone.{a,so}  (CC=, CFLAGS=, BUILD=, SANITIZE=1, ASSERT=1)'
	@echo 'make test          set up, build, and run every suite; STEPS="c p2" runs some'
	@echo 'make report        set up, build, run the cases on every runtime: reports/latest/index.html'
	@echo 'make test-c        the C tests (SANITIZE=1: with sanitizers); also test-gcc, test-harness, test-wast, test-p2'
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
	@echo 'make install       prefix=/usr/local DESTDIR=: the command, the library, touchstone.h, a pkg-config file; also make uninstall'
	@echo 'make clean         remove what was built (not .venv, not node_modules)'
