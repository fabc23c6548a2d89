"""The fields that a request may hold, and the shapes of the answers, as the API's document describes them.

Knows nothing about how a request is read or answered.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from artnet.attribution.methods import METHODS
from artnet.model.config import DEPTHS

Answer = Literal["json", "sheet", "overlay", "svg"]
Box = Annotated[list[int], Field(min_length=4, max_length=4, description="left, top, right, bottom, in pixels")]
Scores = Annotated[dict[str, float], Field(description="by movement, 0 to 1, adding up to 1")]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ClassifyFields(_Shape):
    """What can be asked beside the picture."""

    views: Literal["voting", "all"] = Field("voting", description="`all` also computes the views without a vote")


class ExplainFields(_Shape):
    """What can be asked beside the picture; see docs/explain.md for what each means."""

    movement: Name | None = Field(None, description="ask why it is this one; without it, the one that is answered")
    rather_than: Name | None = Field(None, description="... rather than this one")
    against: bool = Field(False, description="also show what speaks against it")
    method: str = Field("gradcam", description="how evidence is computed", json_schema_extra={"enum": [*METHODS]})
    depth: Annotated[int, Field(ge=1, le=DEPTHS)] | Literal["all", "auto", "shallow", "middle", "deep"] = Field(
        "all", description="1 (shallow) to 9 (deep), all or three of them, or the most faithful one"
    )
    canvas: bool = Field(False, description="look at the five regions of a large painting, too")
    faithfulness: bool = Field(False, description="judge each map, which takes seconds")
    channels: int = Field(5, ge=0, le=50, description="name so many of each depth's channels that add most")
    values: bool = Field(False, description="give each map's values, row by row, in the JSON")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="decides every random choice")
    answer: Answer | None = Field(None, description="what to answer with; without it, the Accept header says so")
    opacity: float = Field(0.75, ge=0, le=1, description="how much of the painting the strongest evidence covers")
    colour: bool = Field(False, description="keep the painting's colours under the map")
    side_px: int = Field(1600, ge=64, le=4096, description="longest side of an overlay; never enlarged")


class ViewResponse(_Shape):
    """What one view alone would have answered."""

    name: str
    box: Box
    scores: Scores


class PredictionResponse(_Shape):
    """The answer for one painting, as `artnet classify --json` prints it."""

    source: str = Field(description="the file's name or the address, as the client gave it")
    movement: str
    confidence: float = Field(description="the highest of the scores")
    decision: Literal["confident", "unsure", "unfamiliar"]
    scores: Scores
    styles: dict[str, float] = Field({}, description="fine styles, 0 to 1 each for itself, where the model has them")
    views: list[ViewResponse]
    model: str
    width: int
    height: int


class ChannelResponse(_Shape):
    """A channel, and what it adds to the logit that was asked about."""

    channel: int
    share: float


class FaithfulnessResponse(_Shape):
    """Areas under the curves of deletion and insertion, and the gains over random orders."""

    deletion: float
    insertion: float
    gain: float
    gain_over_pixels: float


class DepthResponse(_Shape):
    """One depth's map."""

    depth: int = Field(description="0 for methods that read pixels")
    group: str = Field(description="shallow, middle, deep or pixels")
    layer: str
    grid: list[int] = Field(description="the map's rows and columns")
    peak: list[int] | None = Field(description="x, y of the strongest evidence in the painting's pixels")
    regions: list[Box]
    channels: list[ChannelResponse]
    faithfulness: FaithfulnessResponse | None = Field(None, description="where it was asked for")
    shuffled_correlation: float | None = Field(None, description="with the map of shuffled weights")
    passes: bool | None = Field(None, description="whether the map may be trusted")
    values: list[list[float]] | None = Field(None, description="0 to 1, or -1 to 1 with `against`, where asked for")


class ExplanationResponse(_Shape):
    """Where the evidence lies, as `artnet explain --json` prints it."""

    prediction: PredictionResponse
    movement: str
    rather_than: str | None
    against: bool
    method: str
    chosen_depth: int | None = Field(description="the depth that `auto` chose")
    gains: dict[str, FaithfulnessResponse] = Field(description="by depth, where `auto` had to choose")
    depths: list[DepthResponse]


class LayerResponse(_Shape):
    """One explained layer."""

    depth: int
    name: str
    channels: int
    grid: list[int]


class LimitsResponse(_Shape):
    """What a request may take."""

    size_bytes: int
    pixels: int
    timeout_s: float
    addresses: bool = Field(description="whether pictures are fetched from addresses")


class ModelResponse(_Shape):
    """What is asked here, and within which limits."""

    version: str = Field(description="of ArtNet")
    model: str
    movements: list[str]
    styles: list[str]
    taxonomy: str
    backbone: str
    views: list[str] = Field(description="those whose vote counts")
    methods: list[str] = Field(description="those that this model's graph can do")
    layers: list[LayerResponse]
    scores: dict[str, float] = Field(description="on its test split, where it was measured")
    limits: LimitsResponse


class HealthResponse(_Shape):
    """That the server answers, and how busy it is."""

    status: Literal["ok"]
    running: int
    waiting: int


class FieldFault(_Shape):
    """One field, and what is wrong about it."""

    field: str
    message: str


class ProblemResponse(_Shape):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="where this kind of problem is described")
    title: str
    status: int
    detail: str = Field(description="one sentence: what happened and what to do")
    kind: str
    request_id: str = Field(description="under which the server's log tells more")
    errors: list[FieldFault] = Field([], description="each field that cannot be meant")
