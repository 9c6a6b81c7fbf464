"""Requests and answers as they stand in the OpenAPI document; what else a request holds is left aside."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from graspwise.answer import Mode

Workspace = Annotated[
    list[int],
    Field(
        min_length=4,
        max_length=4,
        description="Half-open box x0, y0, x1, y1 in pixels of the picture as displayed that the model looks at.",
        examples=[[144, 64, 496, 416]],
    ),
]
ImageText = Annotated[
    str,
    Field(
        min_length=1,
        description="A picture file as base64 or as a data URL; addresses and paths are never opened.",
    ),
]


EARLIER = "Turns before the instruction, first a user's, last an answer's `text`."
ModelText = Annotated[
    str | None,
    Field(
        description="An answer's `model_text`: shows the model what it wrote then, the target it named among it. "
        "Left aside where it does not say what the turn's text says."
    ),
]


class Strict(BaseModel):
    """Nothing is converted: a number is no text and a text no number."""

    model_config = ConfigDict(strict=True)


class EarlierTurn(Strict):
    role: Literal["user", "assistant"]
    content: str
    model_text: ModelText = None


class GraspRequest(Strict):
    """A picture and what to do with it."""

    image: ImageText
    instruction: str = Field(min_length=1, max_length=2000, examples=["Pick up the mug"])
    messages: list[EarlierTurn] = Field(
        default_factory=list,
        description=EARLIER,
    )
    workspace: Workspace | None = None


class GraspForm(Strict):
    """The same as a form, with the picture as a file."""

    image: bytes = Field(description="A picture file.", json_schema_extra={"format": "binary"})
    instruction: str
    messages: str | None = Field(default=None, description="JSON text of a list of turns.")
    workspace: str | None = Field(default=None, description="x0,y0,x1,y1", examples=["144,64,496,416"])


# ---- OpenAI's chat completions


class ImageURL(Strict):
    url: ImageText


class ImagePart(Strict):
    type: Literal["image_url"]
    image_url: ImageURL


class TextPart(Strict):
    type: Literal["text"]
    text: str


class Wrote(Strict):
    """Fields of ours in an assistant's turn; an answer's own `graspwise` is one."""

    model_text: ModelText = None


class ChatMessage(Strict):
    role: Literal["user", "assistant", "system", "developer"] = Field(
        description="What system and developer say is left aside: no model here was trained with it."
    )
    content: str | list[Annotated[ImagePart | TextPart, Field(discriminator="type")]]
    graspwise: Wrote | None = None


class Extra(Strict):
    """Fields of ours in a request."""

    workspace: Workspace | None = None


class ChatRequest(Strict):
    """A conversation about one picture, which stands in the first user's turn; answers are in the picture's frame."""

    messages: list[ChatMessage] = Field(min_length=1)
    model: str | None = Field(default=None, description="The one of /v1/models, or none.")
    stream: bool | None = False
    n: int | None = Field(default=None, ge=1, le=1, description="One answer; decoding is greedy.")
    graspwise: Extra | None = None


# ---- answers


class GraspPose(BaseModel):
    """Fractions of the picture; theta in radians, counter-clockwise as seen."""

    x: float
    y: float
    theta: float
    opening: float | None
    jaw: float | None
    quality: float | None


class PixelPose(BaseModel):
    """Pixels; theta in radians, counter-clockwise as seen."""

    x: float
    y: float
    theta: float
    opening: float | None
    jaw: float | None


class GraspAnswer(BaseModel):
    """The object of `graspwise predict --json`, in the frame of the picture as displayed."""

    model_config = ConfigDict(extra="forbid")

    image: str | None
    image_size: list[int]
    reasoning: str | None
    target: str | None
    refused: bool
    grasp: GraspPose | None
    grasp_px: PixelPose | None
    rectangle: list[list[float]] | None = Field(description="Four corners in pixels; null without an opening.")
    grasps: list[GraspPose] | None = Field(description="All grasps, ranked, the answer's first.")
    text: str
    model: str
    mode: Mode = Field(description="plain: the numbers are text alone; grounded: a dense head takes part.")
    seconds: float
    model_text: str = Field(default="", description="In the model's own frame; only where it differs from `text`.")


class ChatAnswer(BaseModel):
    role: Literal["assistant"]
    content: str
    refusal: None


class Choice(BaseModel):
    index: int
    message: ChatAnswer
    logprobs: None
    finish_reason: str


class ChatCompletion(BaseModel):
    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    graspwise: GraspAnswer


class ModelCard(BaseModel):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    object: Literal["list"]
    data: list[ModelCard]


class Health(BaseModel):
    status: Literal["ok", "closing"]
    model: str
    waiting: int


class LimitsAnswer(BaseModel):
    """What is taken; `key`: whether /v1 needs a bearer key."""

    body: int
    pixels: int
    turns: int
    seconds: float
    key: bool


class Example(BaseModel):
    name: str
    url: str


class ExampleList(BaseModel):
    examples: list[Example]


class Fault(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    error: Fault


MEANINGS = {
    400: "A field or the picture is not valid.",
    401: "The API key is missing or wrong.",
    404: "There is no such thing.",
    408: "The body came too slowly.",
    413: "The body or the picture is too large.",
    415: "The content type is another one.",
    429: "The queue is full; Retry-After says when to come again.",
    500: "The model failed.",
    502: "The model behind this server does not answer.",
    503: "The server is shutting down.",
    504: "No answer in time; the work was stopped.",
}


def faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for the OpenAPI document."""
    return {status: {"model": ErrorAnswer, "description": MEANINGS[status]} for status in statuses}


ASKING = faults(*(status for status in MEANINGS if status != 404))
