.PHONY: check format test

check:  ## what CI checks besides the tests
	ruff format --check .
	ruff check .
	mypy

format:
	ruff format .
	ruff check --fix .

test:
	python -m pytest -n 2 --dist loadfile
