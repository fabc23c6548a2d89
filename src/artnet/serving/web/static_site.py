"""Write the page as static files that run the model in the visitor's browser."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artnet.errors import MissingExtraError, OutputError, SourceError, reason
from artnet.model.config import CARD_FILE, CONFIG_FILE, GRAPH_FILE, OOD_FILE, ModelConfig, read_model, sha256_of
from artnet.serving.web.samples import SAMPLES, sample_path
from artnet.workers import signals_held_back

VERSION = "1.30.0"  # of onnxruntime-web
_INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
WEBGPU_FILES = (
    "ort.webgpu.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)
_NPM_TIMEOUT_S = 300
_SMALL_BYTES = 2**18  # the page's scripts and examples; larger files are loaded once their passing is noticed


def write_site(out: Path, model: Path | None = None, onnxruntime_web: Path | None = None, webgpu: bool = False) -> int:
    """Write the static site of a model folder.

    Args:
        out: the folder to write; it must not exist, or hold an earlier site, which is replaced
        model: the model folder, by default the embedded one
        onnxruntime_web: a folder with onnxruntime-web's `dist` files; by default npm downloads the pinned version
        webgpu: also write its build for WebGPU, which browsers load where they have a graphics processor

    Returns:
        The size of all its files in bytes.

    Raises:
        OutputError: if `out` holds something else or cannot be written
        ModelError: if the model folder cannot be read
        MissingExtraError: if npm is not installed and no folder is given
        SourceError: if a file of onnxruntime-web is missing or altered
    """
    folder, config = read_model(model)
    check_out(out)
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{out.name}.", dir=out.absolute().parent) as scratch:
            site = Path(scratch, "site")
            _copy_page(site, "backend-webgpu.js" if webgpu else "backend.js")
            _copy_model(site / "model", folder, config)
            _copy_runtime(site / "onnxruntime", onnxruntime_web, RUNTIME_FILES + (WEBGPU_FILES if webgpu else ()))
            _write_service_worker(site)
            size_bytes = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
            with signals_held_back():  # between the two there is no site
                if out.exists():
                    out.rename(Path(scratch, "former"))
                site.rename(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({reason(error)}); make room or name another folder") from error
    return size_bytes


def check_out(out: Path) -> None:
    """Raise `OutputError` unless `out` is new, empty or an earlier site."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "service-worker.js").is_file())):
        raise OutputError(f"{out}: exists and is not a site that artnet wrote; name another folder")


def _copy_page(site: Path, backend: str) -> None:
    web = Path(str(resources.files("artnet") / "serving" / "web"))
    shutil.copytree(web / "static", site)
    shutil.copyfile(web / "site" / backend, site / "backend.js")
    (site / "backend-server.js").unlink()
    (site / "examples").mkdir()
    for name in SAMPLES:
        if (path := sample_path(name)) is not None:
            shutil.copyfile(path, site / "examples" / path.name)


def _copy_model(target: Path, folder: Path, config: ModelConfig) -> None:
    target.mkdir()
    for name in (CONFIG_FILE, GRAPH_FILE, CARD_FILE):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)
    if config.ood is not None:
        with np.load(folder / OOD_FILE, allow_pickle=False) as arrays:
            (target / "ood.json").write_text(json.dumps({name: _described(arrays[name]) for name in arrays}))


def _described(array: NDArray[np.float32]) -> dict[str, Any]:
    data = np.ascontiguousarray(array, "<f4").tobytes()
    return {"shape": array.shape, "data": base64.b64encode(data).decode("ascii")}


def _copy_runtime(target: Path, folder: Path | None, names: tuple[str, ...]) -> None:
    target.mkdir()
    with TemporaryDirectory() as scratch:
        source = _downloaded(Path(scratch)) if folder is None else folder
        for name in names:
            path = next((path for path in (source / name, source / "dist" / name) if path.is_file()), None)
            if path is None:
                raise SourceError(f"{source}: has no {name}; name the folder `dist` of onnxruntime-web {VERSION}")
            shutil.copyfile(path, target / name)


def _downloaded(scratch: Path) -> Path:
    """Download the pinned package with npm, check its integrity and unpack it."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingExtraError(
            f"npm is not installed, which downloads onnxruntime-web; install Node.js, or unpack onnxruntime-web "
            f"{VERSION} yourself and name its folder with --onnxruntime-web FOLDER"
        )
    command = [npm, "pack", "--silent", f"onnxruntime-web@{VERSION}", "--pack-destination", str(scratch)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_NPM_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError) as error:
        detail = getattr(error, "stderr", "") or reason(error)
        raise SourceError(
            f"onnxruntime-web {VERSION}: npm could not download it ({' '.join(str(detail).split())[:200]}); see that "
            "you are online, or name its folder with --onnxruntime-web FOLDER"
        ) from error
    (package,) = scratch.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode("ascii")
    if f"sha512-{digest}" != _INTEGRITY:
        raise SourceError(f"onnxruntime-web {VERSION}: what npm downloaded is not the known package; try again later")
    with tarfile.open(package) as archive:
        archive.extractall(scratch, filter="data")
    return scratch / "package" / "dist"


def _write_service_worker(site: Path) -> None:
    """Write the script that keeps the site's files, with a digest of each, so that a new version is known by them."""
    files = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*")) if path.is_file()}
    files["./"] = files.pop("index.html")  # the address that visitors open
    digests = {name: sha256_of(path)[:16] for name, path in files.items()}
    small = [name for name, path in files.items() if path.stat().st_size <= _SMALL_BYTES]
    body = (resources.files("artnet") / "serving" / "web" / "site" / "service-worker.js").read_text(encoding="utf-8")
    head = f"const FILES = {json.dumps(digests)};\nconst SMALL = {json.dumps(small)};\n"
    (site / "service-worker.js").write_text(head + body, encoding="utf-8")
