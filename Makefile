# ssemux: build, run, test, install. `make help` lists the targets.
#
# New files are found by themselves: every protocol/*.c, libpub/*.c,
# publisher-cli/*.c and *.c below broker/ is built; a file with main() is named
# here. Objects exist in three flavours: obj (to ship), asan (for
# tests) and fuzz (clang's libFuzzer), each in a folder of build/.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(LIBDIR)/systemd/system
VERSION := 0.1.0
SOVERSION := 0
BUILD := build

CLANG ?= clang
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g

# ---- flags

have = $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo $(1))
MSGPACK := $(or $(call have,msgpack-c),msgpack)
# `make ISAL=no` leaves it out; it is not there for every processor.
QUICK := $(if $(filter no,$(ISAL)),,$(call have,libisal))
# `make ZSTD=no`, after `make clean`, leaves it out; without, it is in where its
# library is.
ZSTD ?= $(if $(call have,libzstd),yes,no)
ZSTD_PACKAGE := $(if $(filter yes,$(ZSTD)),libzstd)
PACKAGES := $(MSGPACK) sqlite3 libseccomp jansson libcrypto zlib $(QUICK) \
	$(ZSTD_PACKAGE)
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef \
	-Wvla -Wconversion -Wno-sign-conversion $(if $(CI),-Werror)
C_FLAGS := -std=c11 -D_GNU_SOURCE -I. -Ilibpub/include -fPIC \
	-DSSEMUX_VERSION='"$(VERSION)"' $(WARNINGS) \
	$(if $(QUICK),,-DSSEMUX_NO_ISAL) \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
HARDENING := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
# `make IO_URING=no` leaves it out; without, it is asked for when a worker starts.
ifeq ($(IO_URING),no)
C_FLAGS += -DSSEMUX_NO_IO_URING
endif
ifneq ($(ZSTD),yes)
C_FLAGS += -DSSEMUX_NO_ZSTD
endif
LINK := -Wl,-z,relro,-z,now -Wl,--as-needed
libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)
BROKER_LIBS := -lev $(call libs,$(PACKAGES)) -lm
LIBPUB_LIBS := $(call libs,$(MSGPACK)) -lm
CLI_LIBS := $(LIBPUB_LIBS) $(call libs,jansson)

# A line for each step; `make V=1` shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $@)

# ---- what there is

MAINS := broker/main.c publisher-cli/ssemux-pub.c publisher-cli/ssemuxctl.c
PROTOCOL := $(wildcard protocol/*.c)
EXAMPLES := $(wildcard libpub/example*.c)
LIBPUB := $(filter-out $(EXAMPLES),$(wildcard libpub/*.c))
ZSTD_FILES := $(if $(ZSTD_PACKAGE),,%/zstd.c %/zstd_check.c %/zstd_check_test.c \
	%/zstd_fuzz.c)
BROKER := $(filter-out $(MAINS) $(ZSTD_FILES),$(wildcard \
	broker/*.c broker/*/*.c broker/*/*/*.c))
CLI := $(filter-out $(MAINS),$(wildcard publisher-cli/*.c))
UNIT := $(filter-out $(ZSTD_FILES),$(wildcard tests/unit/*_test.c))
FUZZ := $(filter-out $(ZSTD_FILES),$(wildcard tests/fuzz/*_fuzz.c))
SCENARIOS := $(sort $(wildcard tests/scenario/*_test.py))
BROWSER := $(sort $(wildcard tests/browser/*_test.py))
CLIENT := $(sort $(wildcard client/test/*.test.js))
SYSTEMS := $(sort $(wildcard examples/*/e2e.test.js))
MAN := $(wildcard man/*.[1-8])

PROGRAMS := $(if $(wildcard broker/main.c),ssemuxd) \
	$(patsubst publisher-cli/%.c,%,$(filter publisher-cli/%,\
		$(wildcard $(MAINS))))
LIBRARIES := $(if $(LIBPUB),libssemux-pub.a libssemux-pub.so)
UNIT_TESTS := $(UNIT:tests/unit/%.c=$(BUILD)/unit/%)
FUZZERS := $(FUZZ:tests/fuzz/%.c=$(BUILD)/fuzzers/%)
EXAMPLE_PROGRAMS := $(EXAMPLES:libpub/%.c=$(BUILD)/libpub-%)

# ---- to ship

all: $(addprefix $(BUILD)/,$(PROGRAMS) $(LIBRARIES)) $(EXAMPLE_PROGRAMS)

# flavour(folder, folder of programs, compiler, flags)
define flavour
$(BUILD)/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC)
	$$(Q)$(3) $$(CPPFLAGS) $$(CFLAGS) $$(C_FLAGS) $(4) -MMD -MP -c -o $$@ $$<

$(BUILD)/$(1)/protocol.a: $(PROTOCOL:%.c=$(BUILD)/$(1)/%.o)
$(BUILD)/$(1)/libpub.a: $(LIBPUB:%.c=$(BUILD)/$(1)/%.o)
$(BUILD)/$(1)/broker.a: $(BROKER:%.c=$(BUILD)/$(1)/%.o)
$(BUILD)/$(1)/cli.a: $(CLI:%.c=$(BUILD)/$(1)/%.o)
$(BUILD)/$(1)/%.a:
	@rm -f $$@; mkdir -p $$(@D)
	$$(call say,AR)
	$$(Q)$$(AR) rcs $$@ $$^

# The library to link statically: no names of its inside are left in it.
$(BUILD)/$(1)/libssemux-pub.a: $(LIBPUB:%.c=$(BUILD)/$(1)/%.o) \
		$(PROTOCOL:%.c=$(BUILD)/$(1)/%.o)
	@rm -f $$@
	$$(call say,LD)
	$$(Q)$$(LD) -r -o $(BUILD)/$(1)/libssemux-pub.o $$^
	$$(Q)objcopy --wildcard --keep-global-symbol='ssemux_pub_*' \
		$(BUILD)/$(1)/libssemux-pub.o
	$$(Q)$$(AR) rcs $$@ $(BUILD)/$(1)/libssemux-pub.o

$(2)/ssemuxd: $(BUILD)/$(1)/broker/main.o $(BUILD)/$(1)/broker.a \
		$(BUILD)/$(1)/protocol.a
	@mkdir -p $$(@D)
	$$(call say,LD)
	$$(Q)$(3) $$(CFLAGS) $(4) $$(LDFLAGS) $$(LINK) -o $$@ $$^ $$(BROKER_LIBS)

$(2)/ssemux-pub $(2)/ssemuxctl: $(2)/%: $(BUILD)/$(1)/publisher-cli/%.o \
		$(BUILD)/$(1)/cli.a $(BUILD)/$(1)/libssemux-pub.a
	@mkdir -p $$(@D)
	$$(call say,LD)
	$$(Q)$(3) $$(CFLAGS) $(4) $$(LDFLAGS) $$(LINK) -o $$@ $$^ $$(CLI_LIBS)

$(BUILD)/$(1)/broker/worker/answers/page.o: broker/worker/answers/page.html
endef

$(eval $(call flavour,obj,$(BUILD),$$(CC),$$(HARDENING)))
$(eval $(call flavour,asan,$(BUILD)/asan/bin,$$(CC),$$(SANITIZE)))
$(eval $(call flavour,fuzz,$(BUILD)/fuzz/bin,$$(CLANG),\
	$$(SANITIZE) -fsanitize=fuzzer-no-link -Wno-error))

# As `make ZSTD=no` builds it, for a test: just two files know the difference.
WITHOUT_ZSTD := $(BUILD)/without-zstd/ssemuxd
KNOW_ZSTD := broker/shared/coding broker/worker/cursor/coder
$(BUILD)/without-zstd/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(C_FLAGS) $(HARDENING) \
		-DSSEMUX_NO_ZSTD -MMD -MP -c -o $@ $<

$(WITHOUT_ZSTD): $(KNOW_ZSTD:%=$(BUILD)/without-zstd/%.o) \
		$(patsubst %.c,$(BUILD)/obj/%.o,broker/main.c $(filter-out \
			%/zstd.c %/zstd_check.c $(KNOW_ZSTD:%=%.c),$(BROKER))) \
		$(BUILD)/obj/protocol.a
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(HARDENING) $(LDFLAGS) $(LINK) -o $@ $^ \
		$(filter-out -lzstd,$(BROKER_LIBS))

$(BUILD)/libssemux-pub.a: $(BUILD)/obj/libssemux-pub.a
	$(Q)cp $< $@

$(BUILD)/libssemux-pub.so.$(SOVERSION): libpub/pub.map \
		$(LIBPUB:%.c=$(BUILD)/obj/%.o) $(PROTOCOL:%.c=$(BUILD)/obj/%.o)
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LINK) -shared -Wl,-z,defs -o $@ \
		-Wl,-soname,$(@F) -Wl,--version-script=$^ $(LIBPUB_LIBS)

$(BUILD)/libssemux-pub.so: $(BUILD)/libssemux-pub.so.$(SOVERSION)
	$(Q)ln -sf $(<F) $@

# As a user of the library would: its header and itself, nothing else.
$(BUILD)/libpub-%: libpub/%.c $(BUILD)/libssemux-pub.so
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) -std=c11 $(WARNINGS) -Ilibpub/include -o $@ $< \
		-L$(BUILD) -lssemux-pub -Wl,-rpath,'$$ORIGIN'

# ---- to test

$(BUILD)/unit/%: $(BUILD)/asan/tests/unit/%.o $(BUILD)/asan/broker.a \
		$(BUILD)/asan/cli.a $(BUILD)/asan/bench.a \
		$(BUILD)/asan/libpub.a $(BUILD)/asan/protocol.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ \
		$(call libs,check) $(BROKER_LIBS) $(CLI_LIBS)

$(BUILD)/fuzzers/%: $(BUILD)/fuzz/tests/fuzz/%.o $(BUILD)/fuzz/broker.a \
		$(BUILD)/fuzz/bench.a $(BUILD)/fuzz/protocol.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CLANG) $(CFLAGS) $(SANITIZE) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ \
		$(BROKER_LIBS) $(CLI_LIBS)

# Programs that tests and measurements need, users of the library.
TOOLS := $(BUILD)/steady $(BUILD)/asan/bin/steady
$(BUILD)/steady: $(BUILD)/obj/tests/scenario/steady.o $(BUILD)/libssemux-pub.a
$(BUILD)/asan/bin/steady: $(BUILD)/asan/tests/scenario/steady.o \
		$(BUILD)/asan/libssemux-pub.a
$(BUILD)/asan/bin/steady: private CFLAGS += $(SANITIZE)

# The bench: each program is a file with main(); all share the other rooms.
BENCH_PROGRAMS := load crowd floor toll
BENCH_ROOMS := $(filter-out $(BENCH_PROGRAMS:%=tests/bench/%.c),\
	$(wildcard tests/bench/*.c))
BENCH := $(BENCH_PROGRAMS:%=$(BUILD)/%)
# A test sees that they count well, and that all can be built.
BENCH_ASAN := $(BENCH_PROGRAMS:%=$(BUILD)/asan/bin/%)
TOOLS += $(BENCH) $(BENCH_ASAN)
$(BUILD)/obj/bench.a: $(BENCH_ROOMS:%.c=$(BUILD)/obj/%.o)
$(BUILD)/asan/bench.a: $(BENCH_ROOMS:%.c=$(BUILD)/asan/%.o)
# What it reads is fuzzed.
$(BUILD)/fuzz/bench.a: $(BENCH_ROOMS:%.c=$(BUILD)/fuzz/%.o)
$(BENCH): $(BUILD)/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/obj/bench.a \
		$(BUILD)/libssemux-pub.a
$(BENCH_ASAN): $(BUILD)/asan/bin/%: \
		$(BUILD)/asan/tests/bench/%.o $(BUILD)/asan/bench.a \
		$(BUILD)/asan/libssemux-pub.a
$(BENCH_ASAN): private CFLAGS += $(SANITIZE)
$(TOOLS):
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ $(LIBPUB_LIBS) \
		$(call libs,sqlite3 zlib $(ZSTD_PACKAGE))

# What the client's tests and the examples need, at the versions of the lock
# files; npm writes this file when all is there. One after the other: they are
# the same packages for the most part, and npm keeps them.
CLIENT_PACKAGES := client/node_modules/.package-lock.json
EXAMPLE_PACKAGES := examples/node_modules/.package-lock.json
$(EXAMPLE_PACKAGES): | $(CLIENT_PACKAGES)
%/node_modules/.package-lock.json: %/package-lock.json
	$(call say,NPM)
	$(Q)cd $* && npm ci --no-audit --no-fund --loglevel=error \
		--fetch-retries=5
	$(Q)touch $@

unit: $(UNIT_TESTS)
fuzz: $(FUZZERS)
asan: $(addprefix $(BUILD)/asan/bin/,$(PROGRAMS))

# ---- what people type; run and check install what is missing first

AGAIN = $(MAKE) --no-print-directory \
	$(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
CHECK = python3 tests/check.py --build $(BUILD) --unit $(UNIT_TESTS) \
	--fuzz $(FUZZERS) --scenario $(SCENARIOS) --browser $(BROWSER) \
	--client $(CLIENT) --system $(SYSTEMS)

## make run: the broker with a live page; its state is in build/run/
run:
	packaging/deps.sh build
	$(AGAIN) all
	packaging/run.sh $(BUILD)

## make check: every test that ends within minutes
check:
	packaging/deps.sh build check client
	$(AGAIN) all unit fuzz asan $(TOOLS) $(WITHOUT_ZSTD) $(EXAMPLE_PACKAGES)
	tests/lint/quick.sh
	$(CHECK)

## make check-long: twenty times the fuzzing, ten times the kills
check-long:
	packaging/deps.sh build check client
	$(AGAIN) all unit fuzz asan $(TOOLS) $(WITHOUT_ZSTD) $(EXAMPLE_PACKAGES)
	$(CHECK) --long

## make client: the tests of the JavaScript client
client:
	packaging/deps.sh build client
	$(AGAIN) all $(CLIENT_PACKAGES)
	python3 tests/check.py --build $(BUILD) --client $(CLIENT)

## make example-NAME: one of the five systems in examples/, with a page
example-%: examples/%/ssemuxd.conf
	packaging/deps.sh build client
	$(AGAIN) all $(EXAMPLE_PACKAGES)
	node examples/shared/start.js $*

## make lint: formatting, static analysis and the house rules
lint:
	packaging/deps.sh build lint
	tests/lint/lint.sh

## make bench: ratios, tables and a line of JSON, in some minutes
bench:
	packaging/deps.sh build bench
	$(AGAIN) all $(BENCH)
	SSEMUX_BUILD=$(BUILD) python3 tests/bench/bench.py

## make bench-full: more of it, and charts, into tests/bench/RESULTS.md
bench-full:
	packaging/deps.sh build bench
	$(AGAIN) all $(BENCH)
	SSEMUX_BUILD=$(BUILD) python3 tests/bench/bench.py --full \
		--results tests/bench/RESULTS.md

## make bench-peers: installs what make bench measures beside ssemux
bench-peers:
	packaging/deps.sh peers

## make deps: install what building, testing and linting need
deps:
	packaging/deps.sh build check client lint

DEST_LIB = $(DESTDIR)$(LIBDIR)
HEADER = $(DESTDIR)$(PREFIX)/include/ssemux/pub.h
DOC = $(DESTDIR)$(PREFIX)/share/doc/ssemux
MAN_DEST = $(foreach page,$(MAN),\
	$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
filled = sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' \
	-e 's|@VERSION@|$(VERSION)|g' -e 's|@MSGPACK@|$(MSGPACK)|g' \
	-e 's|^libdir=.*|libdir=$(LIBDIR)|' $(1) > $(2) && chmod 0644 $(2)

## make install: PREFIX=/usr/local and DESTDIR= say where
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin \
		$(DEST_LIB)/pkgconfig $(DESTDIR)$(UNITDIR) $(DOC)/systems \
		$(sort $(dir $(HEADER) $(MAN_DEST)))
	install -m 0755 $(BUILD)/ssemuxd $(DESTDIR)$(PREFIX)/sbin
	install -m 0755 $(BUILD)/ssemux-pub $(BUILD)/ssemuxctl \
		$(DESTDIR)$(PREFIX)/bin
	install -m 0644 libpub/include/ssemux/pub.h $(HEADER)
	install -m 0644 packaging/*.conf LICENSE $(DOC)
	install -m 0644 packaging/systems/*.conf $(DOC)/systems
	install -m 0644 $(BUILD)/libssemux-pub.a $(DEST_LIB)
	install -m 0644 $(BUILD)/libssemux-pub.so.$(SOVERSION) $(DEST_LIB)
	ln -sf libssemux-pub.so.$(SOVERSION) $(DEST_LIB)/libssemux-pub.so
	$(foreach page,$(MAN),install -m 0644 $(page) \
		$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page))) &&) true
	$(call filled,libpub/ssemux-pub.pc.in,$(DEST_LIB)/pkgconfig/ssemux-pub.pc)
	$(call filled,packaging/ssemuxd.service.in,$(DESTDIR)$(UNITDIR)/ssemuxd.service)

## make uninstall: takes away what install put there
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,sbin/ssemuxd bin/ssemux-pub \
		bin/ssemuxctl) $(HEADER) $(MAN_DEST) \
		$(DEST_LIB)/libssemux-pub.* \
		$(DEST_LIB)/pkgconfig/ssemux-pub.pc \
		$(DESTDIR)$(UNITDIR)/ssemuxd.service
	rm -rf $(DOC)
	-rmdir $(dir $(HEADER))

## make clean: takes build/ away
clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all unit fuzz asan run check client check-long lint bench bench-full \
	bench-peers deps install uninstall clean help
