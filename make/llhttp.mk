# llhttp: the parser of the HTTP server, where it can be had.
#
# in:  /usr/share/llhttp (Debian: node-llhttp) or libllhttp-dev   out: PARSER_OBJ, LINKED_PARSER_OBJ, flags
#
# Its sources are compiled in where the distribution has them; otherwise its library is linked. Without either,
# `touchstone serve` reports that this build cannot serve.

LLHTTP_SRC := $(wildcard $(foreach f,llhttp api http,/usr/share/llhttp/$(f).c))
ifneq ($(and $(LLHTTP_SRC),$(wildcard /usr/share/include/llhttp/llhttp.h)),)
LLHTTP_CFLAGS := -isystem /usr/share/include/llhttp
TS_CFLAGS += -DTS_HTTP_SERVER $(LLHTTP_CFLAGS)
LLHTTP_OBJ = $(patsubst /usr/share/llhttp/%.c,$(OBJ)/llhttp/%.o,$(LLHTTP_SRC))
else ifneq ($(and $(wildcard /usr/include/llhttp.h),$(if $(findstring -linux-gnu-,$(CC)),,1)),)
TS_CFLAGS += -DTS_HTTP_SERVER
LIBS += -lllhttp
endif

# llhttp and the one file that uses it become one object, in which llhttp's names are local: a program that links
# libtouchstone.a may have an llhttp of its own. With CFI=1 they stay apart, because the linker compiles them.
PARSER_OBJ = $(if $(LLHTTP_OBJ),$(OBJ)/runtime/http/server/wire.o)
LINKED_PARSER_OBJ = $(if $(LLHTTP_OBJ),$(if $(CFI),$(PARSER_OBJ) $(LLHTTP_OBJ),$(OBJ)/http_parser.o))
OBJCOPY ?= $(if $(findstring --target=,$(CC)),$(patsubst --target=%,%-objcopy,$(filter --target=%,$(CC))),$(if \
    $(findstring -linux-gnu-,$(CC)),$(patsubst %gcc,%objcopy,$(lastword $(CC))),objcopy))

# Strict mode: anything that is not HTTP to the letter is an error. Warnings in third-party code are off.
$(OBJ)/llhttp/%.o: /usr/share/llhttp/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(filter-out -W%,$(TS_CFLAGS)) -w -DLLHTTP_STRICT_MODE=1 -c $< -o $@
$(OBJ)/http_parser.o: $(PARSER_OBJ) $(LLHTTP_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -r -nostdlib -o $@ $^ && $(OBJCOPY) -w -L 'llhttp_*' $@
