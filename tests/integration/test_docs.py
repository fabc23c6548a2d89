"""The documents say what is there: every command, every option, every figure that can be checked."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from typer.main import get_command

from artnet.cli.main import app
from artnet.model.config import read_model
from artnet.training.recipe import RECIPES

ROOT = Path(__file__).parent.parent.parent
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_has_its_page(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert f"artnet {name}" in page
    for parameter in COMMANDS[name].params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            if option.startswith("--") and option != "--help":
                assert f"`{option}" in page, f"docs/{name}.md does not mention {option}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_page_names_an_option_that_is_not_there(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    parameters = [parameter for command in COMMANDS.values() for parameter in command.params]
    known = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(re.findall(r"`(--[a-z-]+)", page)) <= known | {"--help", "--version"}


def test_every_recipe_is_described() -> None:
    page = (ROOT / "docs" / "train.md").read_text(encoding="utf-8")
    assert all(f"`{recipe}`" in page for recipe in RECIPES)


def test_the_links_between_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "examples" / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_gives_the_scores_of_the_model_that_is_inside() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    scores = read_model()[1].scores["values"]
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        entry = scores[name]
        assert f"{entry['value']:.3f} ({entry['low']:.3f} to {entry['high']:.3f})" in readme


def test_the_readme_prints_one_command_to_run_and_one_to_test() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for mark in ("run", "tests"):
        block = readme.split(f"<!-- {mark}:begin -->")[1].split(f"<!-- {mark}:end -->")[0]
        lines = [line for line in block.splitlines() if line.strip() and not line.startswith("```")]
        assert len(lines) == 1
        assert lines[0].startswith("python3 -m venv")


def test_the_table_of_formats_is_what_becomes_of_the_generated_files() -> None:
    spec = importlib.util.spec_from_file_location("write_formats", ROOT / "docs" / "write_formats.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "formats.md").read_text(encoding="utf-8") == module.page()
