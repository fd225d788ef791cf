# One set of verbs for people and for CI. `make` alone prints them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
QUEUES ?= default,email,reports
CONCURRENCY ?= 4
FLASK := $(BIN)/flask --app wsgi
IMAGE_EXTRAS := local s3 otel sentry

.DEFAULT_GOAL := help
.PHONY: help run demo drill test soak bench check audit sbom format web worker relay flower migrate upgrade shell lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The stamps install from the hashed locks and are made again when a lock changes.
$(VENV)/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "This Python has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: $(VENV)/run.stamp ## Bring everything up on nothing: broker, database, inbox, web and a worker
	@exec $(BIN)/python -m webapi.local run

demo: $(VENV)/run.stamp ## Send the main jobs through the real doors and print what happened
	@exec $(BIN)/python -m webapi.local demo

drill: $(VENV)/run.stamp ## Prove the promises under SIGKILL: DATABASE=postgresql SEED=7 MINUTES=10
	@exec $(BIN)/python -m webapi.local drill $(if $(DATABASE),--database $(DATABASE)) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

test: $(VENV)/dev.stamp ## Run the tests, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not soak" $(ARGS)

soak: $(VENV)/dev.stamp ## Run the tests that take minutes: long stalls, many restarts, deep searches
	$(BIN)/python -m pytest -m soak $(ARGS)

# The peers stand apart: what they need must not decide what we run on.
$(VENV)/peers/stamp: benchmarks/peers/requirements.txt $(VENV)/run.stamp
	@$(BIN)/python -m venv $(VENV)/peers
	$(VENV)/peers/bin/pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/peers/requirements.txt
	@touch $@

bench: $(VENV)/dev.stamp $(VENV)/peers/stamp ## Measure us beside the peers, into benchmarks/RESULTS.md: ONLY=accept prints one
	$(BIN)/python -m benchmarks$(if $(ONLY),.$(ONLY)) $(ARGS)

check: $(VENV)/dev.stamp ## Format, lint, types, security lint and the tests: what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --recursive webapi --ini setup.cfg
	$(MAKE) test

audit: $(VENV)/dev.stamp ## Ask an advisory service about every package of the lock; skipped with a word when there is none
	@.ci/audit

# In an environment of its own: it brings lxml, with which openpyxl would read otherwise than where we run.
$(VENV)/sbom/stamp: requirements-sbom.txt $(VENV)/run.stamp
	@$(BIN)/python -m venv $(VENV)/sbom
	$(VENV)/sbom/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-sbom.txt
	@touch $@

sbom: $(VENV)/sbom/stamp ## Write what is inside, as CycloneDX, to build/sbom.cdx.json
	@mkdir -p build
	$(VENV)/sbom/bin/python -m cyclonedx_py requirements requirements-image.txt --output-reproducible --output-file build/sbom.cdx.json

format: $(VENV)/dev.stamp ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

web: $(VENV)/run.stamp ## Serve HTTP: PORT=5000 LIVE_WATCHERS=200 WEB_THREADS=16
	exec $(BIN)/python -m webapi.serve

worker: $(VENV)/run.stamp ## Work the queues: QUEUES=email,reports CONCURRENCY=4
	exec $(BIN)/celery -A wsgi:celery worker -Q $(QUEUES) -c $(CONCURRENCY) --without-gossip --without-mingle --without-heartbeat --loglevel INFO

relay: $(VENV)/run.stamp ## Run the relay alone; every worker has one inside
	exec $(FLASK) relay

flower: $(VENV)/run.stamp ## Watch the Celery side at http://127.0.0.1:5555
	exec $(BIN)/celery -A wsgi:celery flower --address=127.0.0.1 --port=5555

migrate: $(VENV)/run.stamp ## Write a migration for changed models: NAME="what changes"
	$(FLASK) db revision --autogenerate -m "$(NAME)"

upgrade: $(VENV)/run.stamp ## Bring the database to the newest migration
	$(FLASK) db upgrade

shell: $(VENV)/run.stamp ## A Python shell with the app at hand
	exec $(FLASK) shell

lock: $(VENV)/dev.stamp ## Compile the hashed locks from setup.cfg
	$(BIN)/uv pip compile setup.cfg --extra local --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade -o requirements.txt
	$(BIN)/uv pip compile setup.cfg --extra local --extra dev --constraint requirements.txt --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade -o requirements-dev.txt
	$(BIN)/uv pip compile setup.cfg $(IMAGE_EXTRAS:%=--extra %) --constraint requirements-dev.txt --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade -o requirements-image.txt
	echo "cyclonedx-bom>=7.2" | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade -o requirements-sbom.txt
	$(BIN)/uv pip compile benchmarks/peers/requirements.in --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade -o benchmarks/peers/requirements.txt

clean: ## Remove the environment, the caches and what `make run` keeps in var/
	rm -rf $(VENV) var .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
