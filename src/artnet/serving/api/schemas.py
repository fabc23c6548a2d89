"""Pydantic models of requests and responses, from which FastAPI writes the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from artnet.attribution.methods import METHODS
from artnet.attribution.what_if import EDITS
from artnet.model.config import DEPTHS
from artnet.model.prediction import Decision

ExplanationFormat = Literal["json", "grids", "sheet", "overlay", "svg", "npz"]
Box = Annotated[list[int], Field(min_length=4, max_length=4, description="left, top, right, bottom, in pixels")]
Scores = Annotated[dict[str, float], Field(description="by movement, 0 to 1, adding up to 1")]
Depth = Annotated[int, Field(ge=1, le=DEPTHS)]
Base64 = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
OPACITY = Field(0.75, ge=0, le=1, description="opacity of an overlay where the map is strongest")
COLOUR = Field(False, description="keep the painting's colours under the map")
# Optional, and yet never null in a form: exactly one of the two is there.
_File = Annotated[UploadFile | None, WithJsonSchema({"type": "string", "format": "binary"})]
_Url = Annotated[
    str | None,
    Field(min_length=1, max_length=4096),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 4096}),
]
_EXTRA = "(view|preview|thumbnail|sha256)"
_EDIT = f"({'|'.join(EDITS)})"
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ImageForm(_Schema):
    """An image: a file, or the URL of one."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["file"]}, {"required": ["url"]}]})

    file: _File = Field(None, description="the image, with a file name")
    url: _Url = Field(None, description="or where it lies: http or https, if the server allows it")
    trim: bool = Field(True, description="leave uniform margins out, if the model does; send false with a `view`")

    @model_validator(mode="after")
    def _one_image(self) -> Self:
        if (self.file is None) == (self.url is None):
            raise ValueError("send one image, as a file in the field 'file' or by its address in 'url'")
        return self


class ClassifyForm(ImageForm):
    """An image to classify."""

    views: Literal["voting", "all"] = Field("voting", description="`all` also computes the views without a vote")
    include: str = Field(
        "",
        pattern=f"^({_EXTRA}(,{_EXTRA})*)?$",
        description="what to add to the JSON, separated by commas: `view`, `preview`, `thumbnail`, `sha256`",
    )


class TargetForm(ImageForm):
    """An image, and what to explain of it."""

    movement: Name | None = Field(None, description="explain this movement; the predicted one by default")
    rather_than: Name | None = Field(None, description="... rather than this one")
    against: bool = Field(False, description="also show what speaks against it")
    method: str = Field("gradcam", description="attribution method", json_schema_extra={"enum": [*METHODS]})
    sampling: Literal["full", "half"] = Field(
        "full", description="`half` takes half the masks of RISE and channels of Score-CAM, in half the time"
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of every random choice")


class ExplainForm(TargetForm):
    """An image to explain; docs/explain.md describes the options."""

    depth: Depth | Literal["all", "auto", "shallow", "middle", "deep"] = Field(
        "all", description="1 (shallow) to 9 (deep), all or three of them, or the most faithful one"
    )
    regions: bool = Field(False, description="also explain the five regions of a large painting")
    faithfulness: bool = Field(False, description="test each map, which takes seconds")
    channels: int = Field(5, ge=0, le=50, description="list so many of each depth's channels that contribute most")
    values: bool = Field(False, description="add each map's values to the JSON, row by row")
    format: ExplanationFormat | None = Field(None, description="of the response; by default the Accept header decides")
    opacity: float = OPACITY
    colour: bool = COLOUR
    side_px: int = Field(1600, ge=64, le=4096, description="longest side of an overlay; never enlarged")


class FaithfulnessForm(TargetForm):
    """An image and the maps to test."""


class ReportForm(TargetForm):
    """An image to report on."""

    depth: Depth | None = Field(None, description="which overlay is large; the deepest by default")
    opacity: float = OPACITY
    colour: bool = COLOUR


class ChannelsForm(ImageForm):
    """An image, and a depth whose channels to show."""

    depth: Depth = Field(description="1 (shallow) to 9 (deep)")
    channel: int | None = Field(None, ge=0, description="to draw; the one that contributes most by default")
    movement: Name | None = Field(None, description="contributes to this movement; to the predicted one by default")
    rather_than: Name | None = Field(None, description="... rather than to this one")


class SimilarForm(ImageForm):
    """An image to find similar paintings of."""

    count: int = Field(12, ge=1, le=100, description="number of paintings")


class WhatIfForm(ImageForm):
    """An image to classify again with one property changed at a time; docs/what-if.md describes the edits."""

    edits: str = Field(
        "",
        pattern=f"^({_EDIT}(,{_EDIT})*)?$",
        description=f"only these, separated by commas; all by default: {', '.join(f'`{name}`' for name in EDITS)}",
    )
    images: bool = Field(False, description="add each edited view to the JSON")
    format: Literal["json", "sheet"] = Field("json", description="of the response; `sheet` is a PNG of all edits")


class PropertiesForm(ImageForm):
    """An image to measure; docs/properties.md describes the properties."""


class FetchRequest(_Schema):
    """The URL of an image."""

    url: str = Field(min_length=1, max_length=4096, description="http or https")


class RowError(_Schema):
    """Why an image could not be classified."""

    kind: str = Field(max_length=100)
    message: str = Field(max_length=2000)


class TableRow(BaseModel):
    """One prediction as /v1/classify returns it, or an error; other members are ignored."""

    source: str = Field(max_length=4096)
    sha256: str = Field("", max_length=64)
    decision: Decision | None = None
    set: list[str] | None = Field(None, max_length=100)
    scores: dict[str, float] = {}
    error: RowError | None = None

    @model_validator(mode="after")
    def _one_result(self) -> Self:
        if (self.error is None) == (self.decision is None):
            raise ValueError("give either a prediction, with its decision and scores, or an error")
        return self


class TableRequest(_Schema):
    """Predictions to write as a table."""

    rows: list[TableRow] = Field(max_length=10_000)


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
    decision: Decision
    set: list[str] | None = Field(
        None,
        description="the movements among which the true one is in a known share of cases, the likeliest first; "
        "null where the model knows no such share",
    )
    scores: Scores
    styles: dict[str, float] = Field({}, description="scores of fine styles, 0 to 1 each, where the model has them")
    likely_styles: list[str] = Field([], description="those of which four in five are right, the highest score first")
    views: list[ViewResponse]
    model: str
    width: int
    height: int
    view: Base64 | None = Field(
        None,
        description="the network's whole view as PNG, which explains like the image itself with `trim` false; where "
        "included",
    )
    preview: Base64 | None = Field(
        None,
        description="JPEG of at most 1600 pixels, or null for JPEG and PNG themselves; where included",
    )
    thumbnail: Base64 | None = Field(None, description="JPEG of at most 96 pixels; where included")
    sha256: str | None = Field(None, description="of the file; where included")


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
    peak: list[int] | None = Field(description="x, y of the map's maximum, in the painting's pixels")
    regions: list[Box]
    channels: list[ChannelResponse]
    faithfulness: FaithfulnessResponse | None = Field(None, description="where `faithfulness` was set")
    shuffled_correlation: float | None = Field(None, description="with the map of shuffled weights")
    passes: bool | None = Field(None, description="whether the map passes both tests")
    values: list[list[float]] | None = Field(
        None, description="0 to 1, or -1 to 1 with `against`; where `values` was set"
    )


class ExplanationResponse(_Schema):
    """Where the support for a movement lies, as `artnet explain --json` prints it."""

    prediction: PredictionResponse
    movement: str
    rather_than: str | None
    against: bool
    method: str
    chosen_depth: int | None = Field(description="the depth that `auto` chose")
    gains: dict[str, FaithfulnessResponse] = Field(description="by depth, where `auto` had to choose")
    depths: list[DepthResponse]


class GridResponse(_Schema):
    """The map of one depth, cut to the cells that the painting covers."""

    depth: int = Field(description="0 for methods that work on pixels")
    group: str = Field(description="shallow, middle, deep or pixels")
    rows: int
    columns: int
    box: list[float] = Field(description="left, top, right, bottom of the painting, in cells of the map")
    data: Base64 = Field(description="int8, -127 to 127 for -1 to 1, row by row")


class GridsResponse(_Schema):
    """The maps of all depths in compact form, to be drawn by a client."""

    movement: str
    rather_than: str | None
    against: bool
    description: str = Field(description="what is explained, in words")
    method: str
    depths: list[GridResponse]


class DepthFaithfulnessResponse(FaithfulnessResponse):
    """How faithful the map of one depth is."""

    depth: int = Field(description="0 for methods that work on pixels")


class FaithfulnessListResponse(_Schema):
    """How faithful the maps of all depths are."""

    depths: list[DepthFaithfulnessResponse]


class ChannelsResponse(_Schema):
    """The channels that contribute most, and a drawing of one."""

    channels: list[int] = Field(description="the three that contribute most, the first the most")
    channel: int = Field(description="the one that is drawn")
    caption: str
    sheet: Base64 = Field(description="PNG: what activates the channel most, and where it is active in the painting")


class EditResponse(_Schema):
    """What the model says of a painting after one edit."""

    name: str
    label: str = Field(description="what is seen then")
    property: str = Field(description="what was changed: colour, light, strokes, outlines, composition ...")
    movement: str
    confidence: float = Field(description="the highest of the scores")
    decision: Decision
    scores: Scores
    changes: dict[str, float] = Field(description="of each movement's score, -1 to 1")
    sentence: str | None = Field(description="the change in words, or null where it is within the noise")
    image: Base64 | None = Field(None, description="JPEG of the edited view; where `images` was set")


class WhatIfResponse(_Schema):
    """A painting's scores as it is and after each edit, as `artnet explain --what-if --json` prints them."""

    prediction: PredictionResponse
    scores: Scores
    noise: float = Field(description="changes up to this, 0 to 1, say nothing")
    edits: list[EditResponse]
    sentences: list[str] = Field(description="what is more than noise, other movements first; at the end the noise")


class PropertyResponse(_Schema):
    """One property of a painting, and where it lies among the training paintings."""

    name: str
    label: str
    low: str = Field(description="what a low value means")
    high: str = Field(description="what a high value means")
    value: float
    shares: dict[str, float] = Field(
        description="by movement, the share of its paintings that lie where this one lies; empty without ranges"
    )
    share: float | None = Field(description="of all paintings, each movement counting alike; null without ranges")
    words: str = Field(description="the shares in words; empty without ranges")
    deciles: dict[str, list[float]] = Field(description="by movement, the nine of its paintings; empty without ranges")


class PropertiesResponse(_Schema):
    """The measured properties of a painting, as `artnet explain --properties --json` prints them."""

    source: str = Field(description="the file's name or the URL, as the client sent it")
    properties: list[PropertyResponse]


class NeighbourResponse(_Schema):
    """A painting of the index."""

    name: str
    movement: str
    similarity: float = Field(description="cosine of the embeddings, 1 for the same image")
    thumbnail: Base64 = Field(description="JPEG of at most 256 pixels")


class SimilarResponse(_Schema):
    """The paintings of the index that are most similar, the most similar first."""

    nearest: list[NeighbourResponse]


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


class MethodResponse(_Schema):
    """An attribution method."""

    name: str
    label: str
    reads: Literal["layers", "pixels"] = Field(description="layers: a map for each depth; pixels: one map")
    class_discriminative: bool = Field(description="whether a movement can be chosen")
    signed: bool = Field(description="whether it shows what speaks against")
    slow: bool = Field(description="whether it takes seconds")


class FeaturesResponse(_Schema):
    """What this server offers beyond classifying and explaining."""

    addresses: bool = Field(description="whether images are fetched from URLs")
    similar: int = Field(description="number of paintings in the index of /v1/similar; 0 without one")


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
    method_details: list[MethodResponse] = Field(description="of those methods, in the same order")
    layers: list[LayerResponse]
    scores: dict[str, float] = Field(description="on its test split, where it was evaluated")
    limits: LimitsResponse
    features: FeaturesResponse
    config: dict[str, Any] = Field(description="the model's config.json, with intervals of its scores and its card")


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
