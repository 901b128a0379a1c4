# fixtures: packages, suites and guests, which are installed, cloned and built before the tests run.
#
# in:  ci/setup.sh, ci/suites.tsv, fixtures/src/   out: .venv, node_modules, build/suites, build/guests, fixtures/built

.PHONY: deps suites guests fixtures fixtures-deps toolchains
deps:
	@ci/setup.sh
suites:
	@ci/suites.sh
# The guests that are too large to commit. They need componentize-js.
NO_JS := and their cases are skipped
guests: deps
	@if [ ! -x node_modules/.bin/componentize-js ]; then \
	  echo 'guests: componentize-js is absent, so those in JavaScript are not built $(NO_JS)'; \
	else $(PYTHON) fixtures/build.py --js || echo 'guests: those in JavaScript could not be built $(NO_JS)'; fi
fixtures: deps fixtures-deps
	$(PYTHON) fixtures/build.py
	$(PYTHON) fixtures/compose.py
# Guests of a new world and compositions need these. They are compiled here, which takes minutes.
WIT_BINDGEN_VERSION := 0.63.0
WAC_VERSION := 0.12.0
fixtures-deps:
	@command -v wit-bindgen > /dev/null || [ -x build/tools/bin/wit-bindgen ] || \
	  { echo 'fixtures: compiling wit-bindgen (minutes)'; \
	    cargo install --quiet --locked --version $(WIT_BINDGEN_VERSION) --root build/tools wit-bindgen-cli; }
	@command -v wac > /dev/null || [ -x build/tools/bin/wac ] || \
	  { echo 'fixtures: compiling wac (minutes)'; \
	    cargo install --quiet --locked --version $(WAC_VERSION) --root build/tools wac-cli; }

# One program by every toolchain that is installed or can be installed: cases p2/toolchains.
# TOOLCHAINS="go python" builds some of them, ARGS=--run runs them.
toolchains:
	@$(PYTHON) ci/toolchains.py --install $(ARGS) $(TOOLCHAINS)

# Other runtimes, into a folder outside of the project: all that a registry has built, or RUNTIMES="NAME NAME@VERSION".
.PHONY: runtimes
runtimes:
	@.venv/bin/assay runtimes --install $(RUNTIMES)
