# Tidemark: every target sets up what it needs, once, and is quick the second time.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
AZURITE := node_modules/.installed
LIBRARIES := .package/.installed
CHECKOV := .venv/checkov/.installed
CHECKOV_PIP := $(BIN)/python -m pip --python .venv/checkov install --quiet --disable-pip-version-check --no-compile

.PHONY: help demo test check bench package serve soak schedules clean
help: ## what there is to make
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: setup ## back a VM up, lose its region, bring it back
	@$(BIN)/python demo.py

test: setup $(LIBRARIES) ## run the tests, but those that only repeat (make soak)
	@$(BIN)/python -m pytest -q -m "not soak" --numprocesses auto --maxprocesses 8 --dist worksteal

check: $(BIN)/.installed $(CHECKOV) ## format, lint, types, and what is deployed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/python -m infra.checks

bench: setup $(LIBRARIES) ## measure, print a table, write bench/results.json
	@$(BIN)/python -m bench

package: $(LIBRARIES) ## make what is uploaded to Azure: .package/tidemark.zip
	@$(BIN)/python -m infra.package zip .package/tidemark.zip .package/libraries

serve: setup ## leave a whole system running, to play with by curl
	@$(BIN)/python demo.py --serve

soak: setup ## kill the host after every step, and at random moments: make soak KILLS=500
	@TIDEMARK_KILLS=$(or $(KILLS),500) $(BIN)/python -m pytest -q -m soak --timeout 7200

schedules: setup ## play random schedules of kills and troubles: make schedules RUNS=2000 SEED=1, PAGES=yes for page blobs
	@$(BIN)/python -m tests.schedules --runs $(or $(RUNS),2000) --seed $(or $(SEED),1) $(if $(PAGES),--pages)

clean: ## remove what was set up here
	rm -rf .venv node_modules .package .tidemark .mypy_cache .pytest_cache .ruff_cache .hypothesis

.PHONY: setup
setup: prerequisites $(BIN)/.installed $(AZURITE)

.PHONY: prerequisites
prerequisites:
	@PYTHON="$(PYTHON)" sh ./prerequisites.sh

$(BIN)/.installed: requirements.txt requirements-dev.txt
	@PYTHON="$(PYTHON)" sh ./prerequisites.sh python
	@echo "Setting up .venv (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(CHECKOV): infra/checks/checkov.txt infra/checks/checkov-parser.txt | $(BIN)/.installed
	@echo "Setting up checkov (once) ..."
	@$(BIN)/python -m venv --clear --without-pip .venv/checkov
	@$(CHECKOV_PIP) -r infra/checks/checkov.txt
	@$(CHECKOV_PIP) --no-deps -r infra/checks/checkov-parser.txt
	@touch $@

$(AZURITE): package.json package-lock.json
	@echo "Setting up Azurite (once) ..."
	@npm ci --silent --no-audit --no-fund
	@touch $@

$(LIBRARIES): requirements.txt infra/package/libraries.py infra/package/byte_code.py $(BIN)/.installed
	@echo "Setting up the package's own libraries (once) ..."
	@$(BIN)/python -m infra.package libraries .package/libraries
	@touch $@
