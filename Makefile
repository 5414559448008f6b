# Every recipe is one command. `make` alone lists them. On a fresh machine: `make demo`, then `make test`.

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-cluster test-torch fuzz soak check bench bench-all bench-peers bench-growth bench-spark clean docs

PYTHON ?= python3
# uv is taken from PATH where it is installed, else a copy of our own is put into .tools/.
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
BIN := .venv/bin
READY := .venv/.ready

# Where it is set, each process that a test starts would compile anew whatever it imports.
unexport PYTHONDONTWRITEBYTECODE

# Lists the recipes.
help:
	@echo "make setup      install Backbone with all its extras into ./.venv, exactly as uv.lock says"
	@echo "make demo       set up, make the example project in ./demo and run it (again: only what changed)"
	@echo "make test       set up and run all tests but those that take minutes"
	@echo "make test-long  set up and run the tests that take minutes; THOROUGH=1: those that take hours"
	@echo "make test-cluster  whole runs on Spark clusters of this machine, and what dies in them"
	@echo "make test-torch install torch into ./.venv too, gigabytes from some indexes, and run what needs it"
	@echo "make fuzz       try projects and queries made up at random: MINUTES=10"
	@echo "make soak       everything at once for half an hour, with kills; MINUTES=2 makes it short; POSTGRES=1: as a team"
	@echo "make docs       write what the reference says about code anew, from the code"
	@echo "make check      lint, format, types, layers, and that the reference documents everything"
	@echo "make bench      measure Backbone against the same work by hand in DuckDB, in one run"
	@echo "make bench-all  the same, other tools and growth, written into docs/performance.md: ROWS=10000000"
	@echo "make bench-spark  on Spark, beside PySpark by hand and DuckDB"
	@echo "make bench-peers, make bench-growth   the same beside other tools; costs by datasets, runs and files"
	@echo "make clean      remove what the recipes made, .venv and demo included"

# Installs everything into ./.venv. The stamp makes a second call cost nothing.
setup: $(READY)

$(READY): uv.lock pyproject.toml $(if $(filter .tools/%,$(UV)),$(UV))
	$(UV) sync --frozen --all-extras --no-extra torch --quiet
	@touch $@

# Bootstraps uv with nothing but Python: the machine itself is left as it is.
.tools/bin/uv:
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv

# Makes the example project once, then brings it up to date. Real data: 336,776 flights, twelve files.
demo: setup
	@test -f demo/backbone.yml || $(BIN)/backbone init demo --example nycflights
	$(BIN)/backbone --project demo run

# Two processes share the tests, four where there are cores.
SHARED := -n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

# All tests that are quick enough to run before every push; those of the docs are in `make check`.
test: setup
	$(BIN)/pytest -m "not long and not cluster" --ignore tests/docs $(SHARED)

# Kills, large inputs, whole cases: minutes. THOROUGH=1 makes it many more kills and larger inputs: hours.
test-long: setup
	$(BIN)/pytest -m "long and not cluster" $(SHARED) --durations=15

# Whole runs on real Spark clusters of this machine, and what dies in them: ten minutes, and Java.
test-cluster: setup
	$(BIN)/pytest -m cluster $(SHARED)

# What needs torch, of the version in uv.lock, which takes more room than all the rest.
test-torch: setup
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pytest tests/integration/exporting/test_tensors.py

# Half of the time projects, half of it queries; as long again, files. It prints the seed that makes a finding again.
fuzz: setup
	$(BIN)/python tests/hostile/fuzz.py $(or $(MINUTES),10)
	$(BIN)/python tests/hostile/fuzz_files.py $(or $(MINUTES),10)

# Rewrites the tables of docs/reference and the page of errors. `make check` fails where they are out of date.
docs: setup
	$(BIN)/python docs/render.py
	$(BIN)/python docs/errors.py

# Arrivals, runs, readers, maintenance, rollbacks and kills at once, for MINUTES; then all must be consistent.
soak: setup
	PYTHONPATH=tests/fakes $(BIN)/python tests/fakes/soak.py --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1) $(if $(POSTGRES),--postgres)

# What reads the code without running the product; pre-commit runs it too.
check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict -p backbone
	$(BIN)/lint-imports
	$(BIN)/pytest tests/docs -m "not long" $(SHARED)

# Prints ratios to the floor and writes benchmarks/.work/results.json. ROWS=10000000 makes it a long one; ONLY=load limits it
# to the workloads whose names begin so.
ROWS ?= 1000000
ONLY ?=
bench: setup
	$(BIN)/python -m benchmarks --rows $(ROWS) $(if $(ONLY),--only "$(ONLY)")

# The same beside dbt, SQLMesh, Dagster, Kedro and dlt, each installed into an environment of its own under benchmarks/.work.
bench-peers: setup
	$(BIN)/python -m benchmarks.peers --rows $(ROWS) $(if $(ONLY),--only "$(ONLY)")

# Spark on this machine: each side in turn with PySpark by hand, and with DuckDB.
bench-spark: setup
	$(BIN)/python -m benchmarks.spark --rows $(ROWS) $(if $(ONLY),--only "$(ONLY)")

# All, into benchmarks/measured, and the page: an hour for 10,000,000 rows. What fails stops nothing else, and what is
# measured is kept at once; one part again: python -m benchmarks --only NAME --json benchmarks/measured/results.json.
bench-all: setup
	-$(BIN)/python -m benchmarks --rows $(ROWS) --json benchmarks/measured/results.json
	-$(BIN)/python -m benchmarks.peers --rows $(ROWS) --json benchmarks/measured/peers.json
	-$(BIN)/python -m benchmarks.growth --most $(MOST) --json benchmarks/measured/growth.json
	-$(BIN)/python -m benchmarks.spark --rows $(ROWS) --json benchmarks/measured/spark.json
	$(BIN)/python -m benchmarks --page

# Costs by number of datasets, runs and landed files: exponents, and a picture in benchmarks/.work/growth.png. MOST=0.1 goes a
# tenth of the way.
MOST ?= 1
bench-growth: setup
	$(BIN)/python -m benchmarks.growth --most $(MOST)

# Back to a fresh clone (but for what is not committed).
clean:
	rm -rf .venv .tools demo build dist benchmarks/.work .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
