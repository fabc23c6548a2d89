"""The explain command: parse, call one function, print.

Knows nothing itself; every import that costs time stands inside the function that needs it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from artnet.cli.console import prediction_line, print_line
from artnet.cli.options import Json, Model, Runtime, RuntimeChoice, parse_depth
from artnet.errors import UsageError

if TYPE_CHECKING:
    from artnet.attribution.explain import Explanation


def explain(
    image: Annotated[Path | None, typer.Argument(metavar="IMAGE", help="One picture; --channel does without.")] = None,
    movement: Annotated[str | None, typer.Option("--movement", help="Ask why it is this movement.")] = None,
    rather_than: Annotated[str | None, typer.Option("--rather-than", help="... rather than that one.")] = None,
    against: Annotated[bool, typer.Option("--against", help="Also show what speaks against it, in cold.")] = False,
    method: Annotated[str, typer.Option("--method", help="How evidence is computed.")] = "gradcam",
    depth: Annotated[str, typer.Option("--depth", help="1 to 9, all, shallow, middle, deep or auto.")] = "all",
    canvas: Annotated[bool, typer.Option("--canvas", help="Look at a large painting's five regions, too.")] = False,
    faithfulness: Annotated[bool, typer.Option("--faithfulness", help="Judge each map.")] = False,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="DEPTH:INDEX", help="Show what one channel has learnt instead.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides every random choice.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.png", help="Where to draw; .svg for the sheet, .npz for the arrays."),
    ] = None,
    opacity: Annotated[float, typer.Option("--opacity", min=0, max=1, help="Of the strongest evidence.")] = 0.75,
    in_colour: Annotated[bool, typer.Option("--colour", help="Keep the painting's colours under the map.")] = False,
    as_json: Json = False,
    model: Model = None,
    runtime: Runtime = RuntimeChoice.openvino,
) -> int:
    """Show where in a painting the evidence for an answer lies."""
    from artnet.attribution.explain import ExplainOptions
    from artnet.attribution.explain import explain as explain_picture
    from artnet.attribution.methods import Sampling
    from artnet.model.classifier import Classifier
    from artnet.render.contact_sheet import Look
    from artnet.render.writers import check_picture_path, write_explanation

    wanted = parse_depth(depth)
    if channel is not None:
        if (movement or rather_than or against or canvas or faithfulness) or (method, depth) != ("gradcam", "all"):
            raise UsageError("--channel shows a channel whatever is asked; leave the question, method and depth out")
        return _show_channel(image, channel, out, seed, as_json, model, runtime)
    if image is None:
        raise UsageError("explain needs IMAGE, one picture; only --channel does without")
    target = out if out is not None or as_json else Path(f"{image.stem}-explained.png")
    if target is not None:
        check_picture_path(target, image)
    asking = ExplainOptions(canvas, faithfulness, 5 if as_json else 0, Sampling(seed=seed))
    classifier = Classifier.load(model, runtime)
    found = explain_picture(classifier, image, movement, rather_than, method, wanted, against, asking)
    written = [] if target is None else write_explanation(target, found, Look(opacity, in_colour))
    if as_json:
        print_line(json.dumps({**found.to_dict(), "pictures": [str(path) for path in written]}, ensure_ascii=False))
        return 0
    print_line(prediction_line(found.prediction))
    _say_faithfulness(found)
    print_line(f"{found.question}: {', '.join(str(path) for path in written)}")
    return 0


def _say_faithfulness(found: Explanation) -> None:
    if found.chosen is not None:
        gain = found.gains[found.chosen].gain
        said = "the most faithful" if gain > 0 else "the least unfaithful, no better than chance"
        print_line(f"depth {found.chosen} is {said} of nine for this picture (gain {gain:+.3f})")
    for depth, verdict in found.verdicts.items():
        place = f"depth {depth}" if depth else found.method
        print_line(
            f"{place}: gain {verdict.faithfulness.gain:+.3f}, correlation with shuffled weights "
            f"{verdict.shuffled_correlation:+.2f}: {'passes' if verdict.passes else 'fails'}"
        )


def _show_channel(
    image: Path | None, channel: str, out: Path | None, seed: int, as_json: bool, model: Path | None, runtime: str
) -> int:
    from artnet.model.classifier import Classifier
    from artnet.render.channel_sheet import show_channel
    from artnet.render.writers import check_sheet_path, write_sheet

    name = "channel" if image is None else f"{image.stem}-channel"
    target = out if out is not None or as_json else Path(f"{name}.png")
    if target is not None:
        check_sheet_path(target, image)
    shown = show_channel(Classifier.load(model, runtime), image, channel, seed)
    if target is not None:
        write_sheet(target, shown.sheet)
    if as_json:
        pictures = [] if target is None else [str(target)]
        print_line(json.dumps({**shown.facts, "pictures": pictures}, ensure_ascii=False))
        return 0
    print_line(shown.line + (f": {target}" if target else ""))
    return 0
