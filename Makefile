# ssemux: build, run, test, install. `make help` lists the targets.

CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
BUILD ?= build

MSGPACK := $(shell pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack)
PACKAGES := $(MSGPACK) sqlite3 libseccomp

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef \
	-Wvla -Wconversion -Wno-sign-conversion
ifeq ($(CI),true)
WARNINGS += -Werror
endif
HARDENING := -fstack-protector-strong -fPIC -D_FORTIFY_SOURCE=2
override CFLAGS += -std=c11 -D_GNU_SOURCE -I. -Ilibpub/include \
	$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(WARNINGS) $(HARDENING)

PROTOCOL := $(wildcard protocol/*.c)
LIBPUB := $(wildcard libpub/*.c)
BROKER := $(wildcard broker/*.c broker/*/*.c)

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

all: $(BUILD)/ssemuxd

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/ssemuxd: $(call object,$(BROKER) $(PROTOCOL))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lev $(shell pkg-config --libs $(PACKAGES)) -lm

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: all clean
