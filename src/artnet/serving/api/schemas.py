"""Pydantic models of requests and responses, from which FastAPI writes the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field, model_validator

from artnet.attribution.methods import METHODS
from artnet.model.config import DEPTHS

ExplanationFormat = Literal["json", "sheet", "overlay", "svg"]
Box = Annotated[list[int], Field(min_length=4, max_length=4, description="left, top, right, bottom, in pixels")]
Scores = Annotated[dict[str, float], Field(description="by movement, 0 to 1, adding up to 1")]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ImageForm(_Schema):
    """An image: a file, or the URL of one."""

    file: UploadFile | None = Field(None, description="the image, with a file name")
    url: str | None = Field(
        None, min_length=1, max_length=4096, description="or where it lies: http or https, if the server allows it"
    )

    @model_validator(mode="after")
    def _one_image(self) -> Self:
        if (self.file is None) == (self.url is None):
            raise ValueError("send one image, as a file in the field 'file' or by its address in 'url'")
        return self


class ClassifyForm(ImageForm):
    """An image to classify."""

    views: Literal["voting", "all"] = Field("voting", description="`all` also computes the views without a vote")


class ExplainForm(ImageForm):
    """An image to explain; docs/explain.md describes the options."""

    movement: Name | None = Field(None, description="explain this movement; the predicted one by default")
    rather_than: Name | None = Field(None, description="... rather than this one")
    against: bool = Field(False, description="also show what speaks against it")
    method: str = Field("gradcam", description="attribution method", json_schema_extra={"enum": [*METHODS]})
    depth: Annotated[int, Field(ge=1, le=DEPTHS)] | Literal["all", "auto", "shallow", "middle", "deep"] = Field(
        "all", description="1 (shallow) to 9 (deep), all or three of them, or the most faithful one"
    )
    canvas: bool = Field(False, description="look at the five regions of a large painting, too")
    faithfulness: bool = Field(False, description="test each map, which takes seconds")
    channels: int = Field(5, ge=0, le=50, description="list so many of each depth's channels that contribute most")
    values: bool = Field(False, description="add each map's values to the JSON, row by row")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of every random choice")
    format: ExplanationFormat | None = Field(None, description="of the response; by default the Accept header decides")
    opacity: float = Field(0.75, ge=0, le=1, description="opacity of an overlay where the evidence is strongest")
    colour: bool = Field(False, description="keep the painting's colours under the map")
    side_px: int = Field(1600, ge=64, le=4096, description="longest side of an overlay; never enlarged")


class ViewResponse(_Schema):
    """The scores of one view alone."""

    name: str
    box: Box
    scores: Scores


class PredictionResponse(_Schema):
    """The prediction for one painting, as `artnet classify --json` prints it."""

    source: str = Field(description="the file's name or the URL, as the client sent it")
    movement: str
    confidence: float = Field(description="the highest of the scores")
    decision: Literal["confident", "unsure", "unfamiliar"]
    scores: Scores
    styles: dict[str, float] = Field({}, description="scores of fine styles, 0 to 1 each, where the model has them")
    views: list[ViewResponse]
    model: str
    width: int
    height: int


class ChannelResponse(_Schema):
    """A channel and its share of the logit that is explained."""

    channel: int
    share: float


class FaithfulnessResponse(_Schema):
    """Areas under the deletion and insertion curves, and the gains over random orders."""

    deletion: float
    insertion: float
    gain: float
    gain_over_pixels: float


class DepthResponse(_Schema):
    """The map of one depth."""

    depth: int = Field(description="0 for methods that work on pixels")
    group: str = Field(description="shallow, middle, deep or pixels")
    layer: str
    grid: list[int] = Field(description="the map's rows and columns")
    peak: list[int] | None = Field(description="x, y of the strongest evidence in the painting's pixels")
    regions: list[Box]
    channels: list[ChannelResponse]
    faithfulness: FaithfulnessResponse | None = Field(None, description="where `faithfulness` was set")
    shuffled_correlation: float | None = Field(None, description="with the map of shuffled weights")
    passes: bool | None = Field(None, description="whether the map passes both tests")
    values: list[list[float]] | None = Field(
        None, description="0 to 1, or -1 to 1 with `against`; where `values` was set"
    )


class ExplanationResponse(_Schema):
    """Where the evidence for a movement lies, as `artnet explain --json` prints it."""

    prediction: PredictionResponse
    movement: str
    rather_than: str | None
    against: bool
    method: str
    chosen_depth: int | None = Field(description="the depth that `auto` chose")
    gains: dict[str, FaithfulnessResponse] = Field(description="by depth, where `auto` had to choose")
    depths: list[DepthResponse]


class LayerResponse(_Schema):
    """One explained layer."""

    depth: int
    name: str
    channels: int
    grid: list[int]


class LimitsResponse(_Schema):
    """Limits of a request."""

    size_bytes: int
    pixels: int
    timeout_s: float
    addresses: bool = Field(description="whether images are fetched from URLs")


class ModelResponse(_Schema):
    """The model that this server runs, what it can do, and the limits of a request."""

    version: str = Field(description="of ArtNet")
    model: str
    movements: list[str]
    styles: list[str]
    taxonomy: str
    backbone: str
    views: list[str] = Field(description="those that vote")
    methods: list[str] = Field(description="attribution methods that this model's graph allows")
    layers: list[LayerResponse]
    scores: dict[str, float] = Field(description="on its test split, where it was evaluated")
    limits: LimitsResponse


class HealthResponse(_Schema):
    """Liveness and load."""

    status: Literal["ok"]
    running: int = Field(description="requests that the model works on")
    waiting: int = Field(description="requests in the queue")


class FieldFault(_Schema):
    """One field and what is wrong with it."""

    field: str
    message: str


class ProblemResponse(_Schema):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="where this kind of problem is described")
    title: str
    status: int
    detail: str = Field(description="one sentence: what happened and what to do")
    kind: str
    request_id: str = Field(description="under which the server's log says more")
    errors: list[FieldFault] = Field([], description="each field that is not valid")
