"""Write explanations to files: PNG with overlays of full size, SVG sheets, or plain arrays as NPZ.

Knows nothing about how they are drawn.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from artnet.attribution.explain import Explanation
from artnet.errors import OutputError, UsageError
from artnet.model.config import DEPTHS
from artnet.render.contact_sheet import Look, Sheet, drawn, explanation_sheet, shrunk, svg
from artnet.render.overlay import overlay

FORMATS = (".png", ".svg", ".npz")
_AT_ONCE = 2  # overlays drawn side by side: nine large ones do not fit everywhere


def check_picture_path(path: Path, source: Path | None) -> None:
    """Refuse a place for pictures that could not be written or is the painting itself, before anything is computed."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: explanations are written as PNG, SVG or NPZ; use a name that ends in .png")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist; make it first")
    names = [path, *(_beside(path, depth) for depth in range(1, DEPTHS + 1))]
    if source is not None and source.resolve() in {name.resolve() for name in names}:
        raise UsageError(f"{path}: would replace the painting itself; choose another name")


def write_explanation(path: Path, explanation: Explanation, look: Look | None = None) -> list[Path]:
    """Write an explanation and return the files written, replacing earlier ones of the same name.

    PNG: one map gives one overlay at the painting's own size; several give the sheet at `path` and beside it an
    overlay for each, named NAME-depth1.png and so on. SVG: the sheet. NPZ: the maps as arrays. Errors: `OutputError`.
    """
    look = look or Look()
    kind = path.suffix.lower()
    try:
        if kind == ".png":
            return _write_png(path, explanation, look)
        if kind == ".svg":
            path.write_text(svg(explanation_sheet(explanation, look)), encoding="utf-8")
        else:
            _write_arrays(path, explanation)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error
    return [path]


def drawn_overlay(explanation: Explanation, depth: int, look: Look, longest_px: int | None = None) -> Image.Image:
    """Draw one depth's evidence over the painting, at its own size or with its longest side cut to so many pixels."""
    image = explanation.image if longest_px is None else shrunk(explanation.image, longest_px)
    heat = explanation.heatmap(depth, image.size)
    return overlay(image, heat, look.opacity, look.in_colour, explanation.asked.against)


def check_sheet_path(path: Path, source: Path | None) -> None:
    """Refuse a place for a sheet that could not be written or is the painting itself. Errors: those of pictures."""
    _check_sheet_format(path)
    check_picture_path(path, source)


def write_sheet(path: Path, sheet: Sheet) -> None:
    """Write a sheet as PNG or SVG. Errors: `OutputError`, and `UsageError` for another format."""
    _check_sheet_format(path)
    try:
        if path.suffix.lower() == ".svg":
            path.write_text(svg(sheet), encoding="utf-8")
        else:
            drawn(sheet).save(path, "PNG")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


def _check_sheet_format(path: Path) -> None:
    if path.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"{path}: a sheet is written as PNG or SVG; use a name that ends in .png or .svg")


def _write_png(path: Path, explanation: Explanation, look: Look) -> list[Path]:
    single = len(explanation.maps) == 1
    targets = {depth: path if single else _beside(path, depth) for depth in explanation.maps}

    def write(depth: int) -> None:
        drawn_overlay(explanation, depth, look).save(targets[depth], "PNG", compress_level=1)

    if not single:
        # At this level as small as at the usual one, in half the time.
        drawn(explanation_sheet(explanation, look)).save(path, "PNG", compress_level=2)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(write, targets))
    return list(targets.values()) if single else [path, *targets.values()]


def _write_arrays(path: Path, explanation: Explanation) -> None:
    """Write each depth's grid of the whole view and of its regions, and what was asked, as JSON in `about`."""
    arrays: dict[str, np.ndarray] = {}
    for depth, found in explanation.maps.items():
        arrays[f"depth{depth}"] = found.grid
        for index, region in enumerate(found.regions):
            arrays[f"depth{depth}_region{index}"] = region.grid
            arrays[f"depth{depth}_region{index}_box"] = np.array(region.box.as_tuple())
    about = np.array(json.dumps(explanation.to_dict(), ensure_ascii=False))
    with path.open("wb") as file:  # numpy itself would add .npz to a name in capitals
        np.savez_compressed(file, about=about, **arrays)  # type: ignore[arg-type]


def _beside(path: Path, depth: int) -> Path:
    return path.with_name(f"{path.stem}-depth{depth}.png")
