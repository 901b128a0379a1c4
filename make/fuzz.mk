# fuzz: the targets of libFuzzer, and the comparisons with other engines on random input.
#
# in:  runtime/fuzz/   out: build-fuzz/fuzz/*, build-fuzz/corpus/, build-fuzz/*.log

# Each target runtime/fuzz/fuzz_*.c runs for FUZZ_SECONDS on its seeds, after its regressions. Then modules of
# `wasm-tools smith` run on this engine and on wasmtime, random components run on both, and damaged components are
# compared with wasm-tools, for as long each.
FUZZ_SECONDS ?= 20
FUZZ_SRC := $(wildcard runtime/fuzz/fuzz_*.c)
FUZZ_LIB_SRC := $(filter-out $(FUZZ_SRC) $(wildcard runtime/fuzz/run_*.c),$(wildcard runtime/fuzz/*.c))
FUZZ_FLAGS = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -DTS_DISPATCH_SWITCH -DTS_ASSERTIONS
FUZZ_BIN = $(patsubst runtime/fuzz/%.c,%,$(FUZZ_SRC))
FUZZ_PYTHON = .venv/bin/python
.PHONY: fuzz fuzz-targets fuzz-compare
fuzz:
	@$(MAKE) --no-print-directory fuzz-targets
	@$(MAKE) --no-print-directory fuzz-compare
fuzz-targets:
	@$(MAKE) --no-print-directory BUILD=build-fuzz OPT='-O1 -g' CFLAGS='$(FUZZ_FLAGS)' LDFLAGS='-fsanitize=address,undefined' \
	  $(FUZZ_BIN:%=build-fuzz/fuzz/%)
	@for t in $(FUZZ_BIN); do \
	  mkdir -p build-fuzz/corpus/$$t; \
	  echo "-- $$t for $(FUZZ_SECONDS) s"; \
	  build-fuzz/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=30 -print_final_stats=1 build-fuzz/corpus/$$t \
	    $$(ls -d runtime/fuzz/seeds/$$t runtime/fuzz/regressions/$$t 2> /dev/null) > build-fuzz/$$t.log 2>&1 || \
	    { tail -n 40 build-fuzz/$$t.log; exit 1; }; \
	  tail -n 8 build-fuzz/$$t.log; done
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
$(BUILD)/fuzz/fuzz_%: $(OBJ)/runtime/fuzz/fuzz_%.o $(call obj_of,$(FUZZ_LIB_SRC)) $(BUILD)/libtouchstone.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $^ -o $@ $(LIBS)
-include $(wildcard $(OBJ)/runtime/fuzz/*.d)
