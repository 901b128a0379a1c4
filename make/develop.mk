# develop: a build for the debugger, what editors and linters read, the tests of a change, and made pages.
#
# out: build-debug/touchstone, compile_commands.json

.PHONY: debug compile_commands.json test-changed tidy
# Assertions, symbols, no optimization.
debug:
	@$(MAKE) --no-print-directory BUILD=build-debug OPT='-O0 -g3' ASSERT=1 all tests
# One entry a C file, for clangd and clang-tidy.
COMPILE = $(CC) $(filter-out -MMD -MP,$(TS_CFLAGS))
compile_commands.json: $(BUILD)/gen/files.mk
	@$(PYTHON) ci/compile_commands.py '$(COMPILE)' $(LIB_SRC) $(CLI_SRC) $(TEST_SRC) $(EXAMPLE_SRC) > $@
	@echo "compile_commands.json: $$(grep -c '"file"' $@) files"
# The checks of .clang-tidy. FILES="…" checks some files.
tidy:
	@$(PYTHON) ci/tidy.py $(FILES)
# The tests that the change at hand can break. PLAN=1 lists them, BASE=COMMIT compares with another commit.
test-changed:
	@$(PYTHON) ci/changed.py $(if $(PLAN),--plan) $(if $(BASE),--base $(BASE)) $(if $(BUDGET),--budget $(BUDGET)) $(FILES)

# The picture of the report page in README.md: of the record RECORD, or else of the last run.
.PHONY: picture
picture:
	@$(PYTHON) ci/picture.py $(RECORD)

# Faults put into copies, one at a time: which of them turn the suites red. MUTANTS='--sample 20 --seed 7', '--area http' and the like.
# Variables of a file with a fault begin with a pattern in place of zero: what is read before it is written shows.
.PHONY: mutants
mutants: $(BUILD)/gen/files.mk
	@$(PYTHON) suites/mutants/run.py --cc '$(CC)' --cflags '$(subst auto-var-init=zero,auto-var-init=pattern,$(TS_CFLAGS)) -O1' --libs '$(TS_LDFLAGS) $(LIBS)' $(MUTANTS)

# Rewrites the outputs in harness/TOUR.md with what the commands print.
.PHONY: tour
tour: all
	@ASSAY_TOUR=write .venv/bin/python -m pytest -c harness/pyproject.toml --rootdir . -q -p no:cacheprovider harness/tests/test_tour.py
