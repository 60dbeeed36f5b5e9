# Everything runs in .venv, which requirements/bootstrap.py makes from the locks; `make` alone lists the commands.
PYTHON3 ?= python3
BIN := .venv/bin
# A worker for each core; tests/conftest.py says which tests stay together.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup
IMAGE := PYTHONPATH=requirements PYTHONDONTWRITEBYTECODE=1 $(PYTHON3) -m deploy.image

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast check bench horovod engines kubernetes lock image test-image image-size clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## the environment in .venv (the other commands do this first; it takes no time when it is there)
	@command -v $(PYTHON3) >/dev/null || { echo "error: no $(PYTHON3) on PATH. Fix: install Python 3, e.g. apt-get install python3" >&2; exit 2; }
	@$(PYTHON3) requirements/bootstrap.py

demo: setup ## train, evaluate and push a model on the Chicago taxi sample, and ask it for three trips
	$(BIN)/scalable-tf run -c configs/taxi.yaml
	$(BIN)/scalable-tf serve --model taxi=outputs/taxi/releases/taxi --grpc-port 0 --rest-port 0 --ask configs/taxi_trips.csv

test: setup ## every test
	$(PYTEST)

test-fast: setup ## unit tests and golden files, but those marked slow
	PYTHONDONTWRITEBYTECODE= $(PYTEST) tests/unit tests/golden -m "not slow"

check: setup ## lint, format, types, import order, packaging
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/unit/test_packaging.py

bench: setup ## ours beside stock TFX at 15,002 and 300,000 rows, into docs/benchmarks
	$(BIN)/python -m benchmarks.pipeline --rows 15002 300000

horovod: setup ## Horovod for the environment, built once (docs/horovod.md); needs cmake and g++
	@$(PYTHON3) requirements/horovod_build.py

engines: ## Beam's job servers for Flink and Spark, and Prism, into ~/.cache, once; needs Java 17, mvn and Go
	@$(PYTHON3) requirements/engine_jars.py
	@$(PYTHON3) requirements/engine_programs.py

lock: ## resolve the locks in requirements/ anew
	@$(PYTHON3) requirements/lock.py

image: ## the container image, by Docker or buildah: docs/image.md
	@$(IMAGE) build

test-image: ## the image, and the fast, component and e2e tests in it (TESTS="..." runs others)
	@$(IMAGE) test $(TESTS)

image-size: ## what the image weighs, by layer and by package
	@$(IMAGE) size

kubernetes: ## a Kubernetes control plane for the tests, built from source into ~/.cache, once (10 minutes)
	@PYTHONPATH=requirements PYTHONDONTWRITEBYTECODE=1 $(PYTHON3) -m deploy.control_plane

clean: ## remove caches and build products (.venv and outputs stay)
	rm -rf build dist *.egg-info .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.venv/*' -not -path './.git/*' -prune -exec rm -rf {} +
