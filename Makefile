# The commands of the project. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
MAKEFLAGS += --no-print-directory

# More flags for every debug build and test, such as `-Xswiftc -warnings-as-errors`.
FLAGS ?=
# The folder of what a debug build makes.
BUILD ?= .build
# One folder for what all release builds of Benchmarks and fuzz make, which then share their dependencies; each has its
# own otherwise, so that nobody who goes from one to the other builds anything again.
RELEASE_BUILD ?=
export RELEASE_BUILD
TOOLS := $(or $(RELEASE_BUILD),fuzz/.build)
BUILD_TOOL = swift build --package-path fuzz --scratch-path $(TOOLS) -c release $(FLAGS) --product
# The folder of the store that `make run` makes, and the usage log that it replays.
RUN ?= run
LOG ?= Benchmarks/Samples/usage.csv

# What the benchmarks get: the seconds of one run, the minutes of a soak, and more arguments, such as
# `ARGS="--folder /mnt/disk --runs 5"`. Their reports and charts go to Benchmarks/results.
SECONDS ?=
MINUTES ?=
ARGS ?=

SOURCES := Sources Tests Package.swift Benchmarks/Package.swift Benchmarks/Sources Benchmarks/Tests \
  fuzz/Package.swift fuzz/Sources
DOCS := $(BUILD)/documentation
# What the thread sanitizer reports wrongly, if anything.
SUPPRESSIONS := $(wildcard $(CURDIR)/Tests/tsan-suppressions.txt)

.PHONY: all build run test format lint docs tsan clean help deps bench load peers micro limits soak bench-test \
  crash-states faults power-cut linearizability asan coverage fuzz fuzz-replay fuzz-canary fuzz-seeds fuzz-merge \
  simulate

all: build

## build: build everything for debugging
build: deps
	swift build --scratch-path $(BUILD) --build-tests $(FLAGS)

## run: build creditctl for release, replay the sample usage log into a store under ./run, and print the summary
run: deps
	swift build --scratch-path $(BUILD) -c release --product creditctl
	rm -rf $(RUN)
	mkdir -p $(RUN)
	$(BUILD)/release/creditctl replay --store $(RUN)/store --repeat 40 --credits 350 $(LOG)

## test: build and run all tests; with LEAST=95, also print the lines that they reach, and fail below that percentage
test: deps
	$(if $(LEAST),.ci/coverage $(BUILD) $(LEAST),SWIFT_BACKTRACE=enable=no swift test --scratch-path $(BUILD)) $(FLAGS)

## format: format all Swift files in place
format:
	swift format --in-place --recursive $(SOURCES)

## lint: check the format of all Swift files, and that every public declaration is documented
lint:
	swift format lint --strict --recursive $(SOURCES)

## docs: build the documentation, warnings being errors
docs: deps
	.ci/docs $(BUILD) $(DOCS) $(FLAGS)

# The random tests run for a shorter time under a sanitizer. Left out: the test that gives a process too little address
# space, of which the sanitizers themselves take 20 TB, and the kept inputs of the fuzzers, which run under the address
# sanitizer anyway; and under the thread sanitizer the simulation and the table of accounts, which are one thread, damaged
# files, which need large commits in little time, and the examples, whose stores reserve 1 TiB each of the 1.5 TiB that it
# leaves to all stores.
SHORTER := CREDITS_ORACLE_STEPS=$(or $(STEPS),5000) CREDITS_FIRE_ROUNDS=$(or $(ROUNDS),2) CREDITS_CRASH_ROUNDS=10 \
  SWIFT_BACKTRACE=enable=no
SKIPPED := --disable-xctest --skip FullTests/noMemory --skip RegressionTests $(if $(SKIP),--skip '$(SKIP)')
SOME := $(if $(TESTS),CREDITS_TESTS="$(TESTS)")

## tsan: run all tests, or those of the targets TESTS but for what SKIP matches, under the thread sanitizer
tsan: deps
	$(SOME) $(SHORTER) \
	TSAN_OPTIONS="$(if $(SUPPRESSIONS),suppressions=$(SUPPRESSIONS) )halt_on_error=1 atexit_sleep_ms=0" \
	swift test --scratch-path $(BUILD)-tsan --sanitize=thread -Xswiftc -DTSAN $(SKIPPED) --skip ExampleRunTests \
	  --skip SimulationTests --skip AccountTableTests --skip CorruptionTests

## asan: run all tests, or those of the targets TESTS but for what SKIP matches, under the address sanitizer
asan: deps
	$(SOME) $(SHORTER) swift test --scratch-path $(BUILD)-asan --sanitize=address $(SKIPPED) $(FLAGS)

## bench: measure the store against its targets P1 to P10, and against the limits of disk and memory
bench: deps
	Benchmarks/bench targets $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

## load: measure throughput against callers, and latency against rate
load: deps
	Benchmarks/bench load $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)
	Benchmarks/bench load --rate 1000,10000,50000,100000,200000,400000,600000 $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

## peers: measure the store and LMDB, SQLite, RocksDB, Redis and PostgreSQL on the same work, side by side
peers: deps
	Benchmarks/peers --seconds $(or $(SECONDS),2) --warm-up 0.5 $(ARGS)

## micro: measure single calls, and check their allocations against Benchmarks/allocations.json
micro: deps
	Benchmarks/bench micro --check allocations.json --output results $(ARGS)

## limits: measure what the disk and the memory of this machine allow by themselves
limits: deps
	Benchmarks/bench limits $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

## soak: load a store at 80 % of the rate that it reaches, 15 minutes or MINUTES, while old journal is deleted
soak: deps
	Benchmarks/bench soak $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

## bench-test: build the benchmarks, run their own tests, and check allocations
bench-test: deps
	Benchmarks/bench test $(FLAGS)

## crash-states: build every state that a power cut could leave and examine it, for SECONDS (600)
crash-states: deps
	$(BUILD_TOOL) crash-states
	$(BUILD_TOOL) fault-shim
	$(TOOLS)/release/crash-states --seconds $(or $(SECONDS),600) --findings fuzz/findings

## faults: let every call of a store's files go wrong in turn and examine what is left, for SECONDS (600)
faults: deps
	$(BUILD_TOOL) faults
	$(BUILD_TOOL) fault-shim
	$(TOOLS)/release/faults --seconds $(or $(SECONDS),600)
	$(TOOLS)/release/faults surroundings

## power-cut: cut a file system off from its device under a working store, ROUNDS (100) times; needs to be root
power-cut: deps
	$(BUILD_TOOL) crash-states
	$(TOOLS)/release/crash-states power-cut $(or $(ROUNDS),100)

## linearizability: record OPERATIONS (1000000) of many callers at once, and check that their order is one of real time
linearizability: deps
	$(BUILD_TOOL) linearize
	$(TOOLS)/release/linearize --operations $(or $(OPERATIONS),1000000) --scale $(or $(SCALE),1) \
	  $(if $(SECONDS),--seconds $(SECONDS))

## coverage: as test with LEAST=95, or another LEAST, with fewer random steps: the lines that they reach are the same
coverage:
	CREDITS_ORACLE_STEPS=60000 CREDITS_FIRE_ROUNDS=2 CREDITS_CRASH_ROUNDS=10 \
	$(MAKE) test BUILD=$(BUILD)-coverage LEAST=$(or $(LEAST),95)

## fuzz: fuzz TARGET (model, journal, files or inputs), or all of them in turn, for SECONDS (600) in all
fuzz: deps
	fuzz/fuzz run $(or $(SECONDS),600) $(TARGET) $(ARGS)

## fuzz-replay: run one INPUT of the fuzzers' TARGET
fuzz-replay: deps
	fuzz/fuzz replay $(TARGET) $(INPUT)

## fuzz-canary: prove that each fuzzer finds a mistake that is planted
fuzz-canary: deps
	fuzz/fuzz canary

## fuzz-seeds: write the inputs that the fuzzers begin with
fuzz-seeds: deps
	fuzz/fuzz seeds

## fuzz-merge: keep in fuzz/corpus what fuzzing has found that reaches more
fuzz-merge: deps
	fuzz/fuzz merge $(TARGET)

## simulate: run simulated histories from SEED (a random one), STEPS (1,000,000) steps in all
simulate: deps
	$(BUILD_TOOL) simulate
	$(TOOLS)/release/simulate --steps $(or $(STEPS),1000000) $(if $(SEED),--seed $(SEED))

## clean: remove everything that was built, and the store under ./run
clean:
	rm -rf $(BUILD) $(BUILD)-release $(BUILD)-tsan $(BUILD)-asan $(BUILD)-coverage $(RUN) Benchmarks/.build fuzz/.build \
	  fuzz/.build-fuzz fuzz/findings

## deps: install liblmdb-dev and pkg-config if they are missing
deps:
	@.ci/deps

## help: list the commands
help:
	@sed -n 's/^## /  make /p' $(MAKEFILE_LIST)
