# harden: what compiler and linker add against faults of memory, and what makes builds reproducible.
#
# in:  CC, OPT, SANITIZE, CFI   out: HARDEN, HARDEN_LD, HARDEN_PIE, ARCHIVER; ci/check_hardened.py reads what was built
#
# HARDEN= switches it off, to measure what it costs.

ifeq ($(origin HARDEN),undefined)
# Sanitizers have checks of their own, and stack frames several times larger.
ifeq ($(SANITIZE)$(findstring -fsanitize,$(CFLAGS)),)
# These are left out where the compiler does not know them. Returns are checked by the shadow stacks of x86-64. Branch
# targets (-fcf-protection=full) would cost the interpreter 1 %, one program 8 %, and Linux checks them in the kernel
# only.
HARDEN_TRY := -fstack-clash-protection -ftrivial-auto-var-init=zero \
    $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),-fcf-protection=return)
HARDEN_HAS = $(shell echo 'int main(void) { return 0; }' | $(CC) -Werror -x c - -c $(1) -o /dev/null 2> /dev/null && echo '$(1)')
HARDEN := $(or $(call HARDEN_HAS,$(HARDEN_TRY)),$(foreach flag,$(HARDEN_TRY),$(call HARDEN_HAS,$(flag))))
HARDEN += -fstack-protector-strong
# Checked functions need an optimizer that knows sizes.
ifeq ($(findstring -O0,$(OPT)),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
endif
# The folder of the build is no part of what is built: two builds in two folders are equal, byte by byte.
HARDEN += -ffile-prefix-map=$(CURDIR)=.
HARDEN_LD := -Wl,-z,relro,-z,now,-z,noexecstack
HARDEN_PIE := -pie
endif

# CFI=1: a call by a pointer goes to a function of this build that has the type of the pointer, or the process ends. The
# linker makes the tables of functions, so that it compiles all of them (thin LTO). Functions that call machine code,
# shared libraries or an embedder are exempt, and base/cfi.h marks them.
ARCHIVER := ar
ifdef CFI
ifeq ($(findstring clang,$(CC)),)
$(error CFI=1 needs clang and lld, and CC is $(CC))
endif
ifdef SANITIZE
$(error CFI=1 and SANITIZE=1 are two builds)
endif
VARIANT += -flto=thin -fsanitize=cfi-icall -fsanitize-trap=cfi-icall
VARIANT_LD += -flto=thin -fsanitize=cfi-icall -fuse-ld=lld -Wl,--thinlto-cache-dir=$(BUILD)/lto
ARCHIVER := $(shell $(CC) -print-prog-name=llvm-ar)
endif
