"""The `explain` command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from artnet.cli.console import prediction_line, print_line, print_message
from artnet.cli.options import Json, Model, NoTrim, Runtime
from artnet.errors import UsageError

if TYPE_CHECKING:
    from artnet.attribution.explain import Depth, Explanation
    from artnet.model.classifier import Classifier


Movement = Annotated[str | None, typer.Option("--movement", help="Movement to explain; by default the predicted one.")]
RatherThan = Annotated[str | None, typer.Option("--rather-than", help="Explain why it is not this movement.")]
Against = Annotated[bool, typer.Option("--against", help="Also show what speaks against it, in cold colours.")]
Regions = Annotated[bool, typer.Option("--regions", help="Also explain the five regions of a large painting.")]
Channel = Annotated[
    str | None, typer.Option("--channel", metavar="DEPTH:INDEX", help="Show what one channel has learnt instead.")
]
WhatIf = Annotated[
    bool, typer.Option("--what-if", help="Classify it again with one property changed at a time instead.")
]
Properties = Annotated[bool, typer.Option("--properties", help="Measure colour, light, edges and composition instead.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE.png", help="Image to write; .svg for the sheet, .npz for the arrays."),
]
Opacity = Annotated[float, typer.Option("--opacity", min=0, max=1, help="Opacity where a heatmap is strongest.")]


def explain(
    image: Annotated[Path | None, typer.Argument(metavar="IMAGE", help="One image; optional with --channel.")] = None,
    movement: Movement = None,
    rather_than: RatherThan = None,
    against: Against = False,
    method: Annotated[str, typer.Option("--method", help="Attribution method, see docs/explain.md.")] = "gradcam",
    depth: Annotated[str, typer.Option("--depth", help="1 to 9, all, shallow, middle, deep or auto.")] = "all",
    regions: Regions = False,
    faithfulness: Annotated[bool, typer.Option("--faithfulness", help="Test how faithful each heatmap is.")] = False,
    channel: Channel = None,
    what_if: WhatIf = False,
    properties: Properties = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of every random choice.")] = 0,
    out: Out = None,
    opacity: Opacity = 0.75,
    in_colour: Annotated[bool, typer.Option("--colour", help="Keep the painting's colours under the heatmap.")] = False,
    as_json: Json = False,
    no_trim: NoTrim = False,
    model: Model = None,
    runtime: Runtime = "openvino",
) -> int:
    """Show which parts of a painting support a prediction."""
    from artnet.attribution.explain import ExplainOptions
    from artnet.attribution.explain import explain as explain_image
    from artnet.attribution.methods import Sampling
    from artnet.model.classifier import Classifier
    from artnet.render.overlay import OverlayStyle
    from artnet.render.writers import check_output_path, write_explanation

    instead = "--channel" if channel else "--what-if" if what_if else "--properties" if properties else ""
    aimed = movement or rather_than or against or regions or faithfulness or (method, depth) != ("gradcam", "all")
    if instead and aimed:
        raise UsageError(
            f"{instead} draws no heatmap of a prediction; leave out --movement, --rather-than, --against, --regions, "
            "--faithfulness, --method and --depth"
        )
    if sum((channel is not None, what_if, properties)) > 1:
        raise UsageError("--channel, --what-if and --properties each show something else; use one of them")
    if channel is not None:
        return _show_channel(image, channel, out, seed, as_json, Classifier.load(model, runtime), not no_trim)
    if image is None:
        raise UsageError("explain needs IMAGE; only --channel works without it")
    if what_if:
        return _show_what_if(image, out, as_json, Classifier.load(model, runtime), not no_trim)
    if properties:
        return _print_properties(image, out, as_json, Classifier.load(model, runtime), not no_trim)
    path = out if out is not None or as_json else Path(f"{image.stem}-explained.png")
    if path is not None:
        check_output_path(path, image)
    depths = cast("Depth", int(depth) if depth.lstrip("-").isdecimal() else depth)
    options = ExplainOptions(regions, faithfulness, 5 if as_json else 0, Sampling(seed=seed), trim=not no_trim)
    classifier = Classifier.load(model, runtime)
    explanation = explain_image(classifier, image, movement, rather_than, method, depths, against, options)
    files = [] if path is None else write_explanation(path, explanation, OverlayStyle(opacity, in_colour))
    _print_explanation(explanation, [str(path) for path in files], as_json)
    return 0


def _print_explanation(explanation: Explanation, paths: list[str], as_json: bool) -> None:
    if as_json:
        print_line(json.dumps({**explanation.to_dict(), "files": paths}, ensure_ascii=False))
        return
    print_line(prediction_line(explanation.prediction))
    _print_faithfulness(explanation)
    if explanation.placement.has_margins:
        print_line("the margins around the painting were left out; --no-trim keeps them")
    print_line(f"{explanation.target.description}: {', '.join(paths)}")


def _print_faithfulness(explanation: Explanation) -> None:
    if explanation.chosen_depth is not None:
        gain = explanation.gains[explanation.chosen_depth].gain
        rank = "the most faithful" if gain > 0 else "the least unfaithful, no better than chance"
        print_line(f"depth {explanation.chosen_depth} is {rank} of nine for this image (gain {gain:+.3f})")
    for depth, result in explanation.faithfulness.items():
        label = f"depth {depth}" if depth else explanation.method
        print_line(
            f"{label}: gain {result.faithfulness.gain:+.3f}, correlation with shuffled weights "
            f"{result.shuffled_correlation:+.2f}: {'passes' if result.passes else 'fails'}"
        )


def _show_channel(
    image: Path | None, channel: str, out: Path | None, seed: int, as_json: bool, classifier: Classifier, trim: bool
) -> int:
    from artnet.render.channel_sheet import channel_sheet
    from artnet.render.writers import SHEET_FORMATS, check_output_path, write_sheet

    name = "channel" if image is None else f"{image.stem}-channel"
    path = out if out is not None or as_json else Path(f"{name}.png")
    if path is not None:
        check_output_path(path, image, SHEET_FORMATS)
    opened = None if image is None else classifier.open(image, trim=trim)
    result = channel_sheet(classifier, opened, channel, seed)
    if path is not None:
        write_sheet(path, result.sheet)
    if as_json:
        files = [] if path is None else [str(path)]
        print_line(json.dumps({**result.details, "files": files}, ensure_ascii=False))
        return 0
    print_line(result.summary + (f": {path}" if path else ""))
    return 0


def _show_what_if(image: Path, out: Path | None, as_json: bool, classifier: Classifier, trim: bool) -> int:
    from artnet.attribution.what_if import what_if
    from artnet.render.contact_sheet import what_if_sheet
    from artnet.render.writers import SHEET_FORMATS, check_output_path, write_sheet

    path = out if out is not None or as_json else Path(f"{image.stem}-what-if.png")
    if path is not None:
        check_output_path(path, image, SHEET_FORMATS)
    result = what_if(classifier, classifier.open(image, trim=trim))
    if path is not None:
        write_sheet(path, what_if_sheet(result))
    if as_json:
        print_line(json.dumps({**result.to_dict(), "files": [] if path is None else [str(path)]}, ensure_ascii=False))
        return 0
    print_line(prediction_line(result.prediction))
    for sentence in result.sentences:
        print_line(f"  {sentence}")
    print_line(f"what if: {path}")
    return 0


def _print_properties(image: Path, out: Path | None, as_json: bool, classifier: Classifier, trim: bool) -> int:
    from artnet.imaging.properties import measure_properties
    from artnet.model.property_ranges import locate

    if out is not None:
        raise UsageError("--properties draws nothing; leave out --out")
    opened = classifier.open(image, trim=trim)
    measured = locate(measure_properties(opened.painting()), classifier.ranges)
    if as_json:
        properties = [each.to_dict() for each in measured]
        print_line(json.dumps({"source": opened.name, "properties": properties}, ensure_ascii=False))
        return 0
    print_line(f"{opened.name}:")
    for each in measured:
        value = f"{each.value:.{each.definition.digits}f}"
        print_line(f"  {each.definition.label} {value}" + (f" {each.words}" if each.words else ""))
    if classifier.ranges is None:
        print_message("artnet: this model has no ranges of its training paintings; export it again with artnet export")
    return 0
