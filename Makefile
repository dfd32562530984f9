# softhsm-rs: build, run, test, install. `make help` lists the targets.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c

CARGO   ?= cargo
PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR       ?= $(PREFIX)/bin
LIBDIR       ?= $(PREFIX)/lib
DATADIR      ?= $(PREFIX)/share
MODULEDIR    ?= $(LIBDIR)/pkcs11
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
P11KITDIR    ?= $(DATADIR)/p11-kit/modules
UNITDIR      ?= $(LIBDIR)/systemd/system

TARGET  := $(or $(CARGO_TARGET_DIR),target)
LIBRARY := $(TARGET)/release/libsofthsm-rs.so
BINARY  := $(TARGET)/release/softhsm-rs
VERSION  = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# Where `make run` makes its HSM.
export SOFTHSM_RS_HOME ?= $(CURDIR)/hsm-data

# Cargo cannot put a hyphen into a library's name. A link, not a copy: processes that have the old
# file loaded keep it.
define name-library
	@ln -f $(TARGET)/$(1)/libsofthsm_rs.so $(TARGET)/$(1)/libsofthsm-rs.so
endef

.PHONY: help build run test interop bench-kmip lint install uninstall clean build-packages test-packages

help: ## Show this list
	@echo "softhsm-rs, a software HSM. Start with: make run"
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
	@echo "  Variables: PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) SOFTHSM_RS_HOME=$(SOFTHSM_RS_HOME)"

build: build-packages ## Build target/release/libsofthsm-rs.so and target/release/softhsm-rs
	$(CARGO) build --release --locked -p pkcs11-module -p hsm-cli
	$(call name-library,release)

run: build ## Make an HSM in ./hsm-data (or SOFTHSM_RS_HOME), make keys, sign, verify
	@install/packages.sh openssl
	$(CARGO) build --release --locked -p hsm-tests --bin first-run
	@env -u SOFTHSM_RS_CONF $(TARGET)/release/first-run

test: build-packages test-packages ## Unit, property, vector and black-box tests
	$(CARGO) test --locked -p hsm-core --lib --no-default-features --features rustcrypto
	$(CARGO) build --locked --workspace --all-targets
	$(call name-library,debug)
	$(CARGO) test --locked --workspace

interop: build ## Other people's clients, suites and applications against server and module
	@install/packages.sh python3 venv openssl pkcs11-tool
	python3 tests/interop/run.py --binary $(BINARY) $(SUITES)

bench-kmip: build ## The KMIP server's rates beside an echo's (SHARED_TOOLS: see tests/bench/kmip.py)
	BINARY=$(BINARY) MODULE=$(LIBRARY) python3 tests/bench/kmip.py $(PARTS)

lint: build-packages ## Format, clippy, documentation and dependency rules
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --quiet
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
		$(CARGO) deny --log-level error check bans licenses sources; \
	else echo "cargo-deny is not installed, deny.toml was not checked: cargo install --locked cargo-deny"; fi

install: $(if $(wildcard $(LIBRARY)),,build) ## Install below DESTDIR and PREFIX
	install -D -m 755 $(BINARY) $(DESTDIR)$(BINDIR)/softhsm-rs
	install -D -m 644 $(LIBRARY) $(DESTDIR)$(MODULEDIR)/libsofthsm-rs.so
	install -d $(DESTDIR)$(PKGCONFIGDIR) $(DESTDIR)$(P11KITDIR) \
		$(DESTDIR)$(DATADIR)/bash-completion/completions $(DESTDIR)$(DATADIR)/zsh/site-functions \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d
	sed -e 's|@prefix@|$(PREFIX)|' -e 's|@moduledir@|$(MODULEDIR)|' -e 's|@version@|$(VERSION)|' \
		install/softhsm-rs.pc.in > $(DESTDIR)$(PKGCONFIGDIR)/softhsm-rs.pc
	sed -e 's|@moduledir@|$(MODULEDIR)|' install/softhsm-rs.module.in > $(DESTDIR)$(P11KITDIR)/softhsm-rs.module
	install -d $(DESTDIR)$(UNITDIR)
	sed -e 's|@bindir@|$(BINDIR)|' install/softhsm-rs.service.in > $(DESTDIR)$(UNITDIR)/softhsm-rs.service
	$(BINARY) completions bash > $(DESTDIR)$(DATADIR)/bash-completion/completions/softhsm-rs
	$(BINARY) completions zsh > $(DESTDIR)$(DATADIR)/zsh/site-functions/_softhsm-rs
	$(BINARY) completions fish > $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/softhsm-rs.fish

uninstall: ## Remove what install put there; HSMs stay
	rm -f $(DESTDIR)$(BINDIR)/softhsm-rs $(DESTDIR)$(MODULEDIR)/libsofthsm-rs.so \
		$(DESTDIR)$(UNITDIR)/softhsm-rs.service \
		$(DESTDIR)$(PKGCONFIGDIR)/softhsm-rs.pc $(DESTDIR)$(P11KITDIR)/softhsm-rs.module \
		$(DESTDIR)$(DATADIR)/bash-completion/completions/softhsm-rs \
		$(DESTDIR)$(DATADIR)/zsh/site-functions/_softhsm-rs \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/softhsm-rs.fish

clean: ## Remove what was built; hsm-data stays
	$(CARGO) clean

build-packages:
	@install/packages.sh cc c++ make cmake libclang

test-packages:
	@install/packages.sh openssl pkcs11-tool
