# develop: a build for the debugger, and what editors and linters read.
#
# out: build-debug/touchstone, compile_commands.json

.PHONY: debug compile_commands.json
# Assertions, symbols, no optimization.
debug:
	@$(MAKE) --no-print-directory BUILD=build-debug OPT='-O0 -g3' ASSERT=1 all tests
# One entry a C file, for clangd and clang-tidy.
compile_commands.json: $(BUILD)/gen/files.mk
	@$(PYTHON) -c 'import json, os, shlex, sys; flags = shlex.split(sys.argv[1]); \
	print(json.dumps([{"directory": os.getcwd(), "file": f, "arguments": [*flags, "-c", f]} for f in sys.argv[2:]], indent=1))' \
	  '$(CC) $(filter-out -MMD -MP,$(TS_CFLAGS))' $(LIB_SRC) $(CLI_SRC) $(TEST_SRC) $(EXAMPLE_SRC) > $@
	@echo "compile_commands.json: $$(grep -c '"file"' $@) files"
