# fuzz: the targets of libFuzzer, and the comparisons with other engines on random input.
#
# in:  runtime/fuzz/   out: build-fuzz*/fuzz/*, build-fuzz/corpora/, build-fuzz/found/, build-fuzz/*.log

# Each target runtime/fuzz/fuzz_*.c runs for FUZZ_SECONDS of CPU time on its seeds and regressions. Then modules of
# `wasm-tools smith` run on this engine and on wasmtime, random components run on both, and damaged components are
# compared with wasm-tools, for as long each.
FUZZ_SECONDS ?= 20
FUZZ_SRC := $(wildcard runtime/fuzz/fuzz_*.c)
FUZZ_LIB_SRC := $(filter-out $(FUZZ_SRC) $(wildcard runtime/fuzz/run_*.c),$(wildcard runtime/fuzz/*.c))
FUZZ_FLAGS = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -DTS_DISPATCH_SWITCH -DTS_ASSERTIONS
# What fuzz_* link with: libFuzzer of clang, or another engine.
FUZZ_ENGINE ?= -fsanitize=fuzzer,address,undefined
# An engine in C++ needs the linker of C++.
FUZZ_LINK ?= $(CC)
FUZZ_BIN = $(patsubst runtime/fuzz/%.c,%,$(FUZZ_SRC))
FUZZ_PYTHON = .venv/bin/python
.PHONY: fuzz fuzz-targets fuzz-compare
fuzz:
	@$(MAKE) --no-print-directory fuzz-targets
	@$(MAKE) --no-print-directory fuzz-compare
# Each target is a program with sanitizers and assertions; FUZZ_PLAIN without sanitizers, which turn machine code off.
FUZZ_PLAIN := fuzz_tiers fuzz_cache_code
FUZZ_NAMES ?= $(FUZZ_BIN)
FUZZ_BUILD ?= build-fuzz
.PHONY: fuzz-build fuzz-build-plain fuzz-build-coverage
fuzz-build:
	@$(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) OPT='-O1 -g' CFLAGS='$(FUZZ_FLAGS)' LDFLAGS='-fsanitize=address,undefined' \
	  $(patsubst %,$(FUZZ_BUILD)/fuzz/%,$(filter-out $(FUZZ_PLAIN),$(FUZZ_NAMES)))
fuzz-build-plain:
	@$(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) OPT='-O2 -g' CFLAGS='-fsanitize=fuzzer-no-link -DTS_ASSERTIONS' \
	  FUZZ_ENGINE=-fsanitize=fuzzer $(patsubst %,$(FUZZ_BUILD)/fuzz/%,$(filter $(FUZZ_PLAIN),$(FUZZ_NAMES)))
# What the corpora reach: runtime/fuzz/line_coverage.py reads it.
fuzz-build-coverage:
	@$(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) OPT='-O1 -g' CFLAGS='-fprofile-instr-generate -fcoverage-mapping' \
	  FUZZ_ENGINE='-fsanitize=fuzzer -fprofile-instr-generate' $(patsubst %,$(FUZZ_BUILD)/fuzz/%,$(FUZZ_NAMES))
# Every target for FUZZ_SECONDS: a short campaign without more.
fuzz-targets:
	@ci/fuzz_campaign.sh $$($(PYTHON) -c 'print($(FUZZ_SECONDS) * $(words $(FUZZ_BIN)) / 3600)') $(FUZZ_BIN) \
	  --no-merge --no-coverage
fuzz-compare: all $(BUILD)/fuzz/run_exec $(BUILD)/fuzz/run_call $(BUILD)/fuzz/run_tiers
	@[ -x .venv/bin/wasm-tools ] && $(FUZZ_PYTHON) -c 'import wasmtime' 2> /dev/null || \
	  { echo 'fuzz: wasmtime or wasm-tools is absent (make deps), so the comparison with it is left out'; exit 0; }; \
	echo "-- against wasmtime for $(FUZZ_SECONDS) s"; \
	$(FUZZ_PYTHON) runtime/fuzz/diff_wasmtime.py --runner $(BUILD)/fuzz/run_exec --seconds $(FUZZ_SECONDS) \
	  --work build-fuzz/diff || exit 1; \
	echo "-- interpreted and as machine code for $(FUZZ_SECONDS) s"; \
	$(FUZZ_PYTHON) runtime/fuzz/diff_tiers.py --runner $(BUILD)/fuzz/run_tiers --seconds $(FUZZ_SECONDS) \
	  --work build-fuzz/diff-tiers || exit 1; \
	for w in calls verdicts; do \
	  echo "-- components, $$w for $(FUZZ_SECONDS) s"; \
	  $(FUZZ_PYTHON) runtime/fuzz/diff_components.py $$w --runner $(BUILD)/fuzz/run_call --seconds $(FUZZ_SECONDS) \
	    --work build-fuzz/diff-components || exit 1; done
$(BUILD)/fuzz/run_%: $(OBJ)/runtime/fuzz/run_%.o $(call obj_of,$(FUZZ_LIB_SRC)) $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(TS_LDFLAGS) $^ -o $@ $(LIBS)
# The command's files, without main, for the targets that read what only the command reads.
FUZZ_CLI_OBJ = $(filter-out %/main.o,$(CLI_OBJ))
$(BUILD)/fuzz/fuzz_wast $(BUILD)/fuzz/fuzz_inspect: $(FUZZ_CLI_OBJ)
# libcurl, which is loaded later, finds the target's connect.
$(BUILD)/fuzz/fuzz_client: FUZZ_WRAP := -Wl,--export-dynamic-symbol=connect
# It reads host names, which must not be looked up.
$(BUILD)/fuzz/fuzz_policy: FUZZ_WRAP := -Wl,--wrap=getaddrinfo
$(BUILD)/fuzz/fuzz_%: $(OBJ)/runtime/fuzz/fuzz_%.o $(call obj_of,$(FUZZ_LIB_SRC)) $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(FUZZ_LINK) $(FUZZ_ENGINE) $(FUZZ_LDFLAGS) $(FUZZ_WRAP) $(filter %.o,$^) $(filter %.a,$^) -o $@ $(LIBS)
-include $(wildcard $(OBJ)/runtime/fuzz/*.d)
