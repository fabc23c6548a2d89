.PHONY: check format test test-all

check:  ## format, lint, types and layers
	ruff format --check .
	ruff check .
	mypy
	lint-imports

format:
	ruff format .
	ruff check --fix .

test:  ## the unit tests, in a minute
	python -m pytest -n 2 --dist loadfile tests/unit

test-all:  ## all tests
	python -m pytest -n 3 --dist loadfile
