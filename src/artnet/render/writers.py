"""Writers of explanations and sheets: PNG, SVG, and NPZ for the arrays."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.atomic import atomic_write, check_parent
from artnet.attribution.explain import Explanation
from artnet.errors import UsageError, output_errors
from artnet.model.config import DEPTHS
from artnet.render.contact_sheet import Sheet, explanation_sheet, render_image, render_svg
from artnet.render.overlay import DEFAULT_STYLE, OverlayStyle, depth_overlay

FORMATS = (".png", ".svg", ".npz")
SHEET_FORMATS = (".png", ".svg")
_THREADS = 2  # overlays drawn side by side: nine large ones do not fit into every memory


def check_output_path(path: Path, source: Path | None, formats: tuple[str, ...] = FORMATS) -> None:
    """Refuse a path that cannot be written or would replace `source`, before anything is computed.

    Raises:
        UsageError: for another suffix than `formats`, and where `path` or an overlay beside it is the source
        OutputError: for a folder that does not exist
    """
    _check_suffix(path, formats)
    check_parent(path)
    outputs = [path, *(_overlay_path(path, depth) for depth in range(1, DEPTHS + 1))]
    if source is not None and source.resolve() in {output.resolve() for output in outputs}:
        raise UsageError(f"{path}: would replace the painting itself; choose another name")


def write_explanation(path: Path, explanation: Explanation, style: OverlayStyle = DEFAULT_STYLE) -> list[Path]:
    """Write an explanation, replacing earlier files.

    A single map as PNG is one overlay at the image's own size. Several are the sheet at `path` and beside it an
    overlay for each, NAME-depth1.png and so on. SVG is the sheet, NPZ the maps as arrays.

    Returns:
        the files written

    Raises:
        OutputError: for a path that cannot be written
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        _write_arrays(path, explanation)
        return [path]
    if suffix == ".svg":
        write_sheet(path, explanation_sheet(explanation, style))
        return [path]
    if len(explanation.maps) == 1:
        overlays = dict.fromkeys(explanation.maps, path)
    else:
        overlays = {depth: _overlay_path(path, depth) for depth in explanation.maps}
        write_sheet(path, explanation_sheet(explanation, style))

    def write(depth: int) -> None:
        _write_png(overlays[depth], depth_overlay(explanation, depth, style), level=1)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(write, overlays))
    return list(dict.fromkeys([path, *overlays.values()]))


def write_sheet(path: Path, sheet: Sheet) -> None:
    """Write a sheet as SVG or PNG, whichever the suffix names.

    Raises:
        UsageError: for another suffix
        OutputError: for a path that cannot be written
    """
    _check_suffix(path, SHEET_FORMATS)
    if path.suffix.lower() == ".png":
        _write_png(path, render_image(sheet), level=2)  # as small as at the usual level, in half the time
        return
    with output_errors(path), atomic_write(path) as partial:
        partial.write_text(render_svg(sheet), encoding="utf-8")


def _check_suffix(path: Path, formats: tuple[str, ...]) -> None:
    if path.suffix.lower() not in formats:
        raise UsageError(f"{path}: has no suffix of a known format; use a name that ends in {' or '.join(formats)}")


def _write_png(path: Path, image: Image.Image, level: int) -> None:
    with output_errors(path), atomic_write(path) as partial:
        image.save(partial, "PNG", compress_level=level)


def _write_arrays(path: Path, explanation: Explanation) -> None:
    with output_errors(path), atomic_write(path) as partial:
        partial.write_bytes(encode_arrays(explanation))


def encode_arrays(explanation: Explanation) -> bytes:
    """Return each depth's grid, those of its regions with their boxes, and `Explanation.to_dict` as JSON in `about`."""
    arrays: dict[str, NDArray[Any]] = {"about": np.array(json.dumps(explanation.to_dict(), ensure_ascii=False))}
    for depth, depth_map in explanation.maps.items():
        arrays[f"depth{depth}"] = depth_map.grid
        for index, region in enumerate(depth_map.regions):
            arrays[f"depth{depth}_region{index}"] = region.grid
            arrays[f"depth{depth}_region{index}_box"] = np.array(region.box.as_tuple())
    file = BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _overlay_path(path: Path, depth: int) -> Path:
    return path.with_name(f"{path.stem}-depth{depth}.png")
