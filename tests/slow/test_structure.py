"""The layers of packages, the absence of torch from the RUN half, and what the linters say."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import artnet
from artnet.extras import install_command

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "src" / "artnet"

RUN_MODULES = [
    module.name
    for module in pkgutil.walk_packages(artnet.__path__, "artnet.")
    if not module.name.startswith(("artnet.training", "artnet.__main__"))
]

# Stands in for an installation without the training half: importing any of these fails.
WITHOUT_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "timm", "lightning_fabric", "onnx", "safetensors"):
            raise ImportError(name + " is not part of the RUN half")
sys.meta_path.insert(0, Refuse())
"""


def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_run_half_loads_without_torch() -> None:
    lines = "\n".join(f"import {name}" for name in RUN_MODULES)
    script = f"{WITHOUT_TORCH}\n{lines}\nfrom artnet import Classifier, explain\nassert callable(explain)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", "PICTURE", "--json"],
        ["explain", "PICTURE", "--out", "OUT.png"],
        ["info"],
        ["app", "--api-only", "--port", "99999"],
        ["prepare", "MISSING", "OUT"],
        ["evaluate", "MISSING", "--out", "OUT"],
    ],
)
def test_the_run_commands_load_no_torch(arguments: list[str], painting_file: Path, tmp_path: Path) -> None:
    names = {"PICTURE": str(painting_file), "OUT.png": str(tmp_path / "out.png")}
    names |= {"MISSING": str(tmp_path / "missing"), "OUT": str(tmp_path / "out")}
    command = [names.get(argument, argument) for argument in arguments]
    script = f"{WITHOUT_TORCH}\nfrom artnet.cli.main import main\nsys.argv = ['artnet', *{command!r}]\nmain()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == {"app": 2, "evaluate": 5, "prepare": 3}.get(command[0], 0), done.stderr
    assert "Traceback" not in done.stderr


def test_training_without_its_packages_says_what_to_install() -> None:
    script = (
        "import sys, importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "from artnet.cli.main import main\nsys.argv = ['artnet', 'train', 'data', '--out', 'run']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 8
    assert install_command("train") in done.stderr


# mypy, which reads all of torch for most of a minute, is a step of its own: `.ci/run` and `make check`.
@pytest.mark.parametrize("command", [["ruff", "check", "."], ["ruff", "format", "--check", "."]])
def test_the_linters_find_nothing(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_and_no_function_is_longer_than_the_house_allows() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 500, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 60, f"{path}: {node.name}"
