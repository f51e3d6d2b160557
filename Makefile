# `make demo` and `make test` are all one needs; the rest are their parts.
CLIENT_VERSION = 2.1.329
CLIENT = .cache/client/node_modules/@anthropic-ai/claude-code/package.json
BIN = .venv/bin
# Programs that some tests drive, and the Debian package of each.
PROGRAMS = npm:npm unshare:util-linux ip:iproute2 valgrind:valgrind rg:ripgrep postgres:postgresql systemd-analyze:systemd

.PHONY: demo test fast lint deps client clean

demo: .venv/.made
	@[ -e .venv/.dev ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check .
	@$(BIN)/orchestrate demo

test: .venv/.dev deps client lint
	$(BIN)/python -m pytest tests -m "" -n 2 --dist loadfile --cov --cov-report=term:skip-covered --cov-fail-under=80
	$(BIN)/python -m pytest bench -m ""

fast: .venv/.dev lint
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Debian without python3-venv has no ensurepip; its pip can still fill an environment made without one.
.venv/.made:
	@python=; for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	[ -n "$$python" ] || { echo "no python >= 3.11 on PATH: install one, then run make again" >&2; exit 1; }; \
	$$python -m venv .venv >/dev/null 2>&1 || { \
	  $$python -m venv --clear --without-pip .venv && \
	  $$python -m pip --python $(BIN)/python install --quiet --disable-pip-version-check pip; \
	} || { rm -rf .venv; echo "$$python cannot make a virtual environment: apt-get install python3-venv, then run make again" >&2; exit 1; }
	@touch $@

.venv/.dev: .venv/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# Debian keeps the programs of PostgreSQL's server off PATH.
deps:
	@PATH="$$PATH:$$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')"; missing=; for pair in $(PROGRAMS); do \
	  command -v $${pair%%:*} >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null && exit 0; \
	fi; \
	echo "skipped: what needs$$missing (not installed, and not root on Debian: apt-get install$$missing)" >&2; \
	[ "$$CI" != true ]

client: $(CLIENT)

# The package asks for a newer node than it needs: its program is a native binary.
$(CLIENT): Makefile
	@if command -v npm >/dev/null 2>&1; then \
	  npm install --prefix .cache/client --no-audit --no-fund --loglevel=error @anthropic-ai/claude-code@$(CLIENT_VERSION) && touch $@; \
	else \
	  echo "skipped: tests with the real client (npm is not installed)" >&2; [ "$$CI" != true ]; \
	fi

clean:
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .coverage* .benchmarks build dist orchestrate/_hot
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
