"""The built wheel, in an environment that holds nothing but it and what it declares to need."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command without this environment's paths and return its standard output."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "XDG_CACHE_HOME": str(cwd / "cache")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def declared(distribution: metadata.Distribution) -> set[str]:
    """List what a distribution requires without extras on this system, with what those require in turn."""
    names, waiting = set[str](), [distribution]
    while waiting:
        for line in waiting.pop().requires or ():
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            if name in names or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
                continue
            names.add(name)
            waiting.append(metadata.distribution(name))
            for extra in requirement.extras:
                waiting += with_extra(name, extra, names)
    return names


def with_extra(name: str, extra: str, names: set[str]) -> list[metadata.Distribution]:
    """Add what an extra of a distribution brings to `names`, and return those distributions."""
    new = []
    for line in metadata.requires(name) or ():
        requirement = Requirement(line)
        other = canonicalize_name(requirement.name)
        if other not in names and requirement.marker and requirement.marker.evaluate({"extra": extra}):
            names.add(other)
            new.append(metadata.distribution(other))
    return new


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with the wheel and links to its declared dependencies; needs no network."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT, cwd=folder)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    (wheel,) = folder.glob("artnet-*.whl")
    run(*pip, "--python", folder / "venv/bin/python", "install", "-q", "--no-deps", wheel, cwd=folder)
    site = next((folder / "venv/lib").glob("python3*/site-packages"))
    (installed,) = metadata.distributions(name="artnet", path=[str(site)])
    here = Path(sysconfig.get_path("purelib"))
    for name in declared(installed):
        for top in {file.parts[0] for file in metadata.files(name) or () if file.parts[0] != ".."}:
            if not (site / top).exists():
                (site / top).symlink_to(here / top)
    return folder


def test_the_wheel_classifies_with_what_it_declares_to_need(environment: Path) -> None:
    image = ROOT / "examples" / "faceted.jpg"
    prediction = json.loads(run(environment / "venv/bin/artnet", "classify", image, "--json", cwd=environment))
    assert prediction["movement"] == "Cubism"
    where = run(environment / "venv/bin/python", "-c", "import artnet; print(artnet.__file__)", cwd=environment)
    assert Path(where.strip()).is_relative_to(environment)


def test_every_run_module_of_the_wheel_imports_with_what_it_declares_to_need(environment: Path) -> None:
    script = (
        "import importlib, pkgutil, artnet\n"
        "for module in pkgutil.walk_packages(artnet.__path__, 'artnet.'):\n"
        "    if not module.name.startswith(('artnet.training', 'artnet.__main__')):\n"
        "        importlib.import_module(module.name)\n"
    )
    run(environment / "venv/bin/python", "-c", script, cwd=environment)
