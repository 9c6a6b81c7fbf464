"""The Python API: a model looks at a picture, is asked, and answers in the frame of the picture as given.

model = graspwise.load("small")
answer = model.look("photo.jpg").ask("Pick up the mug")
answer.reasoning, answer.grasp.x, answer.grasp.theta
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from PIL import Image

from graspwise.answer import Mode, render_grasp
from graspwise.conversation import Message, check_instruction, user_turn
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.picture import Picture, as_picture, open_picture
from graspwise.transform import Transform, workspace_picture, workspace_transform

if TYPE_CHECKING:
    from graspwise.model.responder import Responder, Response

Workspace = tuple[int, int, int, int]
PictureLike: TypeAlias = Picture | Path | str | np.ndarray | Image.Image


@dataclass(frozen=True)
class Answer:
    """A reasoned grasp.

    Attributes:
        reasoning: Why; empty where the model gives no reason.
        grasp: The grasp, in the frame of the picture as given; None when refused, or where the text holds no valid one.
        grasps: All grasps, ranked, the answer's first; empty without one.
        text: Reasoning and numbers, in the frame of the picture as given.
        model_text: What the model wrote, in the frame of its square input.
        target: Name of the object it means, where the model names one.
        refused: Whether nothing in view serves the instruction.
        model: Name of the model.
        mode: "plain" (the numbers are text alone) or "grounded" (a dense head takes part).
        image: The picture's path, where it came from a file.
        image_size: (width, height), pixels.
        seconds: Time to answer, the model loaded and the picture read.
    """

    reasoning: str
    grasp: Grasp | None
    grasps: tuple[Grasp, ...]
    text: str
    model_text: str
    target: str | None
    refused: bool
    model: str
    mode: Mode
    image: Path | None
    image_size: tuple[int, int]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The object of `graspwise predict --json`, its keys in their documented order."""
        value: dict[str, Any] = {
            "image": None if self.image is None else str(self.image),
            "image_size": list(self.image_size),
            "reasoning": self.reasoning or None,
            "target": self.target,
            "refused": self.refused,
            "grasp": None if self.grasp is None else grasp_json(self.grasp),
            "grasp_px": None if self.grasp is None else grasp_pixels(self.grasp, image_size=self.image_size),
            "rectangle": None if self.grasp is None else rectangle_json(self.grasp, image_size=self.image_size),
            "grasps": [grasp_json(grasp) for grasp in self.grasps] or None,
            "text": self.text,
            "model": self.model,
            "mode": self.mode,
            "seconds": round(self.seconds, 3),
        }
        if self.model_text != self.text:
            value["model_text"] = self.model_text
        return value


def grasp_json(grasp: Grasp) -> dict[str, float | None]:
    return {key: value if value is None else round(value, 5) for key, value in asdict(grasp).items()}


def grasp_pixels(grasp: Grasp, *, image_size: tuple[int, int]) -> dict[str, float | None]:
    """Pose in pixels: x, y, theta (radians), opening and jaw."""
    x, y = grasp.pixel(image_size=image_size)
    opening = None if grasp.opening is None else grasp.opening * image_size[0]
    jaw = opening / 2 if opening is not None and grasp.jaw is None else None
    if grasp.jaw is not None:
        jaw = grasp.jaw * image_size[0]
    pose = {"x": x, "y": y, "theta": grasp.theta, "opening": opening, "jaw": jaw}
    return {key: value if value is None else round(value, 3) for key, value in pose.items()}


def rectangle_json(grasp: Grasp, *, image_size: tuple[int, int]) -> list[list[float]] | None:
    """Four corners in pixels; None without an opening."""
    if grasp.opening is None:
        return None
    return [[round(float(v), 2) for v in corner] for corner in grasp.rectangle(image_size=image_size).corners]


class Model:
    """A loaded model; `look` shows it a picture."""

    def __init__(self, responder: "Responder") -> None:
        self._responder = responder

    @property
    def name(self) -> str:
        return self._responder.name

    @property
    def is_elsewhere(self) -> bool:
        """Whether it answers at an endpoint, and not in this process."""
        from graspwise.model.endpoint import EndpointResponder

        return isinstance(self._responder, EndpointResponder)

    @property
    def takes_depth(self) -> bool:
        """Whether its pictures must have depth."""
        return self._responder.takes_depth

    @classmethod
    def from_pretrained(cls, name: str, *, revision: str | None = None) -> Self:
        """Load a model by name, from the hub at a branch, tag or commit.

        Raises:
            InputError: there is no such model, or its weights cannot be had.
        """
        from graspwise.model.registry import open_responder

        return cls(open_responder(name if revision is None else f"{name}@{revision}"))

    def save_pretrained(self, folder: Path | str) -> Path:
        """Write the model folder with its card, `README.md`; `load` takes it.

        Raises:
            InputError: the model has no folder (a baseline, an endpoint, a plain checkpoint), or `folder` holds files.
        """
        from graspwise.model.hub import save_model

        return save_model(self.name, folder)

    def push_to_hub(self, repo: str, *, revision: str | None = None, private: bool = False) -> str:
        """Put the model folder with its card on the Hugging Face hub; returns the address of the commit.

        Args:
            repo: `owner/name`, made if need be.
            revision: Branch, made if need be; by default the main one.
            private: Whether a new repository is for its owner alone.

        Raises:
            InputError: the model has no folder, its base is on this machine alone, or the hub refuses.
        """
        from graspwise.model.hub import push_model

        return push_model(self.name, repo, revision=revision, private=private)

    def look(
        self,
        picture: PictureLike,
        *,
        workspace: Workspace | None = None,
        depth: Path | str | None = None,
        depth_unit: str = "auto",
    ) -> "View":
        """Show the model a picture.

        Args:
            picture: A path, an array (H, W, 3) uint8 RGB, a Pillow image or a `Picture`.
            workspace: Half-open box (x0, y0, x1, y1) in pixels that the model looks at; by default the whole picture.
            depth: A depth picture aligned with a picture that is a path too, for a model that takes depth. Arrays
                come as `Picture(rgb, depth)`; a model that takes no depth leaves that aside.
            depth_unit: "mm", "m", or "auto": integers are millimetres, floats are metres.

        Raises:
            InputError: picture or depth cannot be read, the workspace leaves the picture, or the model takes depth
                and there is none, or the other way round.
        """
        if depth is None:
            opened = as_picture(picture)
        elif not self.takes_depth:
            raise InputError(
                f"{depth}: model {self.name} takes no depth; valid is a grconvnet trained with --depth, or no depth"
            )
        elif isinstance(picture, str | Path):
            opened = open_picture(picture, depth_path=depth, depth_unit=depth_unit)
        else:
            raise InputError(f"{depth}: beside a {type(picture).__name__}; give two paths, or a Picture(rgb, depth)")
        if self.takes_depth and opened.depth is None:
            raise InputError(
                f"{opened.path or 'picture'}: model {self.name} takes depth; give --depth DEPTH, "
                "in Python look(path, depth=...)"
            )
        side = self._responder.image_size
        transform = workspace_transform(image_size=opened.size, workspace=workspace, size=(side, side))
        return View(self._responder, opened, transform, workspace or (0, 0, *opened.size))


@dataclass(frozen=True)
class View:
    """A picture in front of a model; `ask` it for a grasp."""

    responder: "Responder"
    picture: Picture
    transform: Transform
    workspace: Workspace

    def ask(self, instruction: str) -> Answer:
        """A reasoned grasp for an instruction.

        Raises:
            InputError: the instruction is empty or too long.
        """
        return self.answer([user_turn(check_instruction(instruction))])

    def answer(self, conversation: Sequence[Message]) -> Answer:
        """A reasoned grasp for a conversation that ends with a user's turn."""
        return answer_together([self], [conversation])[0]

    @property
    def square(self) -> Picture:
        """What the model sees, of side S."""
        return workspace_picture(self.picture, workspace=self.workspace, transform=self.transform)

    def in_picture(self, response: "Response", *, seconds: float) -> Answer:
        """A response in the model's square frame as an answer in the picture's."""
        grasps = grasps_of(response, transform=self.transform, box=self.workspace)
        text = response.text
        if grasps:
            text = render_grasp(grasps[0], answer_format=self.responder.answer_format, reasoning=response.reasoning)
        return Answer(
            reasoning=response.reasoning,
            grasp=grasps[0] if grasps else None,
            grasps=grasps,
            text=text.strip(),
            model_text=response.text or text,
            target=response.target,
            refused=response.refused,
            model=self.responder.name,
            mode=self.responder.mode,
            image=self.picture.path,
            image_size=self.picture.size,
            seconds=seconds,
        )


def answer_together(views: Sequence[View], conversations: Sequence[Sequence[Message]]) -> list[Answer]:
    """Answers of one model to several views at once, each with a conversation; the time is shared evenly among them."""
    started = time.perf_counter()
    responses = views[0].responder.respond([view.square for view in views], conversations)
    seconds = (time.perf_counter() - started) / len(views)
    return [view.in_picture(response, seconds=seconds) for view, response in zip(views, responses, strict=True)]


def grasps_of(response: "Response", *, transform: Transform, box: Workspace) -> tuple[Grasp, ...]:
    """A response's grasps in the frame of the picture, best first; none where it holds none.

    Args:
        response: In the model's square frame.
        transform: From the picture to that frame, an upright one.
        box: Half-open box in pixels of the picture that the model looked at.
    """
    back = transform.inverse()
    said = () if response.grasp is None else (response.grasp, *response.others)
    return tuple(back.grasp(onto(grasp, transform=transform, box=box)) for grasp in said)


def onto(grasp: Grasp, *, transform: Transform, box: Workspace) -> Grasp:
    """A grasp in the target frame with its centre moved out of the letterbox's bars into the box, if it lies there.

    Args:
        grasp: In the frame `transform` leads to.
        transform: An upright one, from the picture.
        box: Half-open box in pixels of the picture.
    """
    x0, y0, x1, y1 = box
    low, high = transform.points(np.array([(x0 - 0.5, y0 - 0.5), (x1 - 0.5, y1 - 0.5)])) + 0.5
    width, height = transform.size
    return replace(
        grasp,
        x=min(max(grasp.x, low[0] / width), high[0] / width),
        y=min(max(grasp.y, low[1] / height), high[1] / height),
    )


def load(name: str = "small", *, say: Callable[[str], None] = lambda line: None) -> Model:
    """Load a model by name.

    Args:
        name: "small", a baseline ("centre", "random", "blob"), a run folder, a checkpoint folder, a hub name
            ("owner/name" or "owner/name@revision"), or "http://HOST:PORT/v1#MODEL", a model behind an OpenAI-compatible
            endpoint.
        say: Called with a line when something slow happens, e.g. a download.

    Raises:
        InputError: there is no such model, or its weights cannot be had.
    """
    from graspwise.model.registry import open_responder

    return Model(open_responder(name, say=say))
