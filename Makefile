# A thin wrapper: the build itself is meson's (meson.build), the work is in scripts/.
#
#   make          build; the command is build/pidmem
#   make demo     install what is missing, build, and watch it work on a real program
#   make test     install what is missing, build, run every test
#   make check    format, lint, man pages, help text against man pages against completions
#   make bench    measure: a table, and build/bench.json, bench.md, pause.svg, peers.svg
#   make install  PREFIX=/usr/local DESTDIR=
#
# BUILD=dir builds elsewhere, CC=clang with another compiler, SKIP_DEPS=1 does not look for packages.

BUILD ?= build
PREFIX ?= /usr/local
export BUILD DESTDIR

all:
	@scripts/build

demo:
	@scripts/setup-deps demo
	@scripts/build
	@scripts/demo

test:
	@scripts/setup-deps build test
	@scripts/test

check:
	@scripts/setup-deps build check
	@scripts/check

bench:
	@scripts/setup-deps build bench
	@scripts/build
	@bench/run --json '$(BUILD)/bench.json' --markdown '$(BUILD)/bench.md'

install:
	@scripts/build -Dprefix='$(PREFIX)'
	meson install --no-rebuild -C '$(BUILD)'
	@if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

clean:
	rm -rf '$(BUILD)' build-asan build-check build-clang build-fuzz

.PHONY: all demo test check bench install clean
