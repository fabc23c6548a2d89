"""The order of modules, the absence of torch from the RUN half, and what the linters say."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "artnet"

# A module imports only modules that stand before it.
RUN_ORDER = (
    "errors taxonomy styles image encoded views familiarity model processor shuffle openvino_core engine metrics "
    "intervals classify cam perturb attribute question evidence faithfulness channels canvas explain render sheet "
    "pictures background public pinned address patient found remote zip_table torn_zip zips tars parquets lists "
    "iiif_image iiif_words iiif sources batch on_ray table parts summary collection similar catalog tree "
    "layout_iiif layout_parquet layout_names layout_tables layouts split duplicates page plot audit audit_page "
    "dataset answers gallery channel_sheet becoming cut card prepare trial figures compare strangers mistakes "
    "evaluate report_page report console options explain_command classify_command similar_command prepare_command "
    "service problem guard access forms uploads shapes replies openapi api_page api samples page_words takeaway "
    "page_table page_answers page_calls page_files page_guard about_page quick_gradio app logs connection serve "
    "app_command cli"
).split()
TRAINING_ORDER = (
    "requirements augment recipe schedule mix machine whole_batch network restore loss trainable loader run history "
    "state loop graph probe fit calibrate export"
).split()
ORDER = [*RUN_ORDER[:-1], *(f"training.{name}" for name in TRAINING_ORDER), RUN_ORDER[-1]]

# Stands in for an installation without the training half: importing any of these fails.
WITHOUT_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "timm", "lightning_fabric", "onnx", "safetensors"):
            raise ImportError(name + " is not part of the RUN half")
sys.meta_path.insert(0, Refuse())
"""


def imports_of(path: Path) -> set[str]:
    """List the artnet modules that a file names in its imports, wherever they stand."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("artnet."):
            found.add(node.module.removeprefix("artnet."))
    return found


def test_every_module_has_its_place_in_the_order() -> None:
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    training = {path.stem for path in (PACKAGE / "training").glob("*.py")} - {"__init__"}
    assert files == set(RUN_ORDER)
    assert training == set(TRAINING_ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_only_modules_that_stand_before_it(module: str) -> None:
    imported = imports_of(PACKAGE / (module.replace(".", "/") + ".py"))
    allowed = set(ORDER[: ORDER.index(module)])
    assert imported <= allowed


@pytest.mark.parametrize("module", RUN_ORDER[:-1])
def test_only_the_command_line_reaches_into_the_training_half(module: str) -> None:
    assert not {name for name in imports_of(PACKAGE / f"{module}.py") if name.startswith("training")}


def test_the_run_half_loads_without_torch() -> None:
    lines = "\n".join(f"import artnet.{name}" for name in RUN_ORDER)
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
    script = f"{WITHOUT_TORCH}\nfrom artnet.cli import main\nsys.argv = ['artnet', *{command!r}]\nmain()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == {"app": 2, "evaluate": 5, "prepare": 3}.get(command[0], 0), done.stderr
    assert "Traceback" not in done.stderr


def test_training_without_its_packages_says_what_to_install() -> None:
    script = (
        "import sys, importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "from artnet.cli import main\nsys.argv = ['artnet', 'train', 'data', '--out', 'run']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 8
    assert "pip install 'artnet[train]'" in done.stderr


@pytest.mark.parametrize("command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]])
def test_the_linters_find_nothing(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_and_no_function_is_longer_than_the_house_allows() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 350, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 60, f"{path}: {node.name}"
