# SPDX-License-Identifier: BSD-2-Clause-Patent
# The verbs of the project.  `make test` does all its own set-up on a fresh Debian machine.
BUILD   ?= build
JOBS    ?= $(shell nproc)
COMPILER := -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
CMAKE_FLAGS ?=
DEMO_DEVICE ?= cosim
CAPTURE ?= tests/vectors/captures/mixed.pcap

.PHONY: build bench deps demo test sanitize fuzz tsan interop check install synth formal rtl clean help
.DEFAULT_GOAL := build

help:  ## this list
	@sed -n 's/^\([a-z][a-z_-]*\):.*##/  \1\t/p' $(MAKEFILE_LIST)

deps: $(BUILD)/.deps  ## install the Debian packages the build needs (root)
$(BUILD)/.deps: tools/deps.sh
	@tools/deps.sh
	@mkdir -p $(BUILD) && touch $@

$(BUILD)/build.ninja: $(BUILD)/.deps
	@cmake -S . -B $(BUILD) -G Ninja $(COMPILER) -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS)

build: $(BUILD)/build.ninja  ## build everything (default)
	@cmake --build $(BUILD) -j $(JOBS)

demo:  ## real captured traffic through the simulated card and back; installs (root) and builds only what that needs
	@tools/deps.sh demo
	@cmake -S . -B $(BUILD) -G Ninja $(COMPILER) -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS)
	@cmake --build $(BUILD) -j $(JOBS) --target espalier
	@$(BUILD)/bin/espalier demo --device $(DEMO_DEVICE) --reports $(BUILD)/reports/demo $(CAPTURE)
	@tools/decrypt.sh $(BUILD)/reports/demo $(CAPTURE)

test: build $(BUILD)/asan/build.ninja $(BUILD)/tsan/build.ninja  ## every test, through ctest; then host code's under ASan, UBSan, TSan
	@tools/run_tests.sh $(JOBS) $(BUILD) $(BUILD)/asan $(BUILD)/tsan:threads

sanitize: $(BUILD)/asan/build.ninja  ## only host code's tests under ASan and UBSan
	@tools/run_tests.sh $(JOBS) $(BUILD)/asan

# Host code alone, sanitized, with the fuzzers: no engine, no translator, no Verilated models.
$(BUILD)/asan/build.ninja: $(BUILD)/.deps
	@cmake -S . -B $(BUILD)/asan -G Ninja $(COMPILER) -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -gline-tables-only" -DESPALIER_SANITIZE=address,undefined -DESPALIER_FUZZ=ON \
	  -DESPALIER_CSIM=OFF -DESPALIER_TRANSLATOR=OFF -DESPALIER_SIM=OFF -DESPALIER_BENCH=OFF $(CMAKE_FLAGS)

# What a fuzzer finds interesting stays in build/fuzz; FUZZ_SECONDS each, 60 by default.
FUZZERS := packet open boundary capi sa_file capture
FUZZ_SECONDS ?= 60
fuzz: $(BUILD)/asan/build.ninja  ## libFuzzer on parser, open, policies, C API, SA files, captures (FUZZ_SECONDS=60 each)
	@cmake --build $(BUILD)/asan -j $(JOBS) --target $(addprefix fuzz_,$(FUZZERS))
	@for f in $(FUZZERS); do mkdir -p $(BUILD)/fuzz/$$f; \
	  $(BUILD)/asan/fuzz/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -artifact_prefix=$(BUILD)/fuzz/$$f- \
	    $(BUILD)/fuzz/$$f tests/fuzz/seeds/$$f || exit 1; done

tsan: $(BUILD)/tsan/build.ninja  ## queues, SAD, replay and policies under ThreadSanitizer
	@tools/run_tests.sh $(JOBS) $(BUILD)/tsan:threads
$(BUILD)/tsan/build.ninja: $(BUILD)/.deps
	@cmake -S . -B $(BUILD)/tsan -G Ninja $(COMPILER) -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	  -DESPALIER_SANITIZE=thread -DESPALIER_TRANSLATOR=OFF -DESPALIER_SIM=OFF -DESPALIER_BENCH=OFF $(CMAKE_FLAGS)

interop: build  ## the peers that are not ours: a Linux kernel in QEMU, scapy
	@cd $(BUILD) && ctest --output-on-failure -L interop

rtl: $(BUILD)/build.ninja  ## C++ to SystemVerilog: build/rtl/*.sv and report.json
	@cmake --build $(BUILD) -j $(JOBS) --target rtl

bench: $(BUILD)/build.ninja  ## the host's figures: what they must be, what was measured
	@cmake --build $(BUILD) -j $(JOBS) --target bench_host
	@$(BUILD)/bin/bench_host --benchmark_min_time=0.3

synth: $(BUILD)/build.ninja  ## area and levels by Yosys (estimates): build/reports/synth.json
	@cmake --build $(BUILD) -j $(JOBS) --target synth

formal: $(BUILD)/build.ninja  ## proofs of the leaves of hw/, by Yosys
	@cmake --build $(BUILD) -j $(JOBS) --target formal

PREFIX ?= /usr/local
install: build  ## library, headers, command to PREFIX=/usr/local (DESTDIR works)
	@cmake --install $(BUILD) --prefix $(PREFIX)

check: $(BUILD)/build.ninja  ## format, lint, drift of generated files
	@cmake --build $(BUILD) -j $(JOBS) --target check

clean:  ## remove the build folder
	@rm -rf $(BUILD)
