"""The options that several commands share, in the words of the command line.

Knows nothing about what they do.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from artnet.attribution.explain import Depth
    from artnet.sources.item import SourceRules


class RuntimeChoice(StrEnum):
    """The engines, as the command line names them."""

    openvino = "openvino"
    onnxruntime = "onnxruntime"


class PrecisionChoice(StrEnum):
    """auto: bf16 where the processor has it; f32: the same bits on every run."""

    auto = "auto"
    f32 = "f32"


class ExecutorChoice(StrEnum):
    """Where a collection is classified: here, or on the machines of a Ray cluster."""

    local = "local"
    ray = "ray"


class ViewsChoice(StrEnum):
    """voting: the views whose vote has weight; all: the others, too."""

    voting = "voting"
    all = "all"


class DeviceChoice(StrEnum):
    """Where a training can run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


Model = Annotated[
    Path | None,
    typer.Option("--model", metavar="FOLDER", help="Model folder; without it the built-in model."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output and nothing else.")]
Runtime = Annotated[RuntimeChoice, typer.Option("--runtime", help="What computes the network.")]
Precision = Annotated[PrecisionChoice, typer.Option("--precision", help="Number format of classification.")]
Views = Annotated[str, typer.Option("--views", help="voting, or all six to compare them.")]
Against = Annotated[
    Path | None, typer.Option("--against", metavar="FOLDER", help="A second model folder to compare with.")
]
OodScores = Annotated[
    list[str] | None,
    typer.Option("--ood", metavar="FOLDER", help="Pictures that are no such paintings; may be repeated."),
]
Faithfulness = Annotated[
    int, typer.Option("--faithfulness", metavar="N", min=0, help="Try the maps of evidence on N paintings.")
]
NoPictures = Annotated[bool, typer.Option("--no-pictures", help="Name the surest mistakes only.")]

AllowPrivate = Annotated[
    bool, typer.Option("--allow-private", help="Also fetch from addresses that are not on the public internet.")
]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="For one answer of a server.")]
MaxMb = Annotated[int, typer.Option("--max-mb", min=1, max=4096, help="Refuse pictures of more megabytes.")]
IiifPx = Annotated[
    int | None,
    typer.Option("--iiif-px", metavar="PIXELS", min=16, help="Shorter side asked of IIIF; else what the views need."),
]


def source_rules(allow_private: bool, timeout_s: float, max_mb: int, shorter_side_px: int) -> SourceRules:
    """Put the options of sources together."""
    from artnet.imaging.decode import Limits
    from artnet.sources.item import SourceRules

    return SourceRules(Limits(max_mb * 2**20), allow_private, timeout_s, shorter_side_px)


def parse_depth(text: str) -> Depth:
    """Read a depth from the command line: a number, or a word that `explain` checks."""
    return int(text) if text.lstrip("-").isdecimal() else cast("Depth", text)
