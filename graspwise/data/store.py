"""A data set on disk: `dataset.json`, `samples-*.jsonl`, `captions.jsonl`, `images/`. Written and read as a stream.

A line of `samples-*.jsonl` is one sample: its messages, the picture beside, all rectangles in that picture's pixels,
and where it comes from (`object_id`, `source_image`, `transform`). `dataset.json` is written last, so a folder that has
it is whole.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from graspwise.conversation import Message, text_of
from graspwise.errors import InputError
from graspwise.files import read_json
from graspwise.picture import Picture, open_picture
from graspwise.rectangle import GraspRectangle
from graspwise.transform import Transform

FORMAT = 1
CAPTIONS = "captions.jsonl"


@dataclass(frozen=True)
class WishLabel:
    """What a wish of a scene is about, and which targets are right.

    Attributes:
        kind: object explicit, object implicit, part explicit or part implicit.
        family: Template family of the wording.
        targets: All right targets, first the one that the answer names: `{"index", "name", "part", "part_index"}`,
            the values of the masks and the names; part and part_index are None where any part is right.
        refused: Whether nothing in view serves the wish; then there is no target.
        things: All things in view: `{"index", "name"}`.
        objects: Path of the mask of the things' indices, as large as the picture, relative to the data set's folder.
        parts: Path of the mask of the parts' indices, where the source tells parts apart.
        named: How many of the sample's rectangles, the first, are on the target that the answer names.
        before: What went before, where the wish goes on from another: `asked`, `reason` and the corners of the `grasp`,
            pixels of the picture; no grasp where nothing served.
    """

    kind: str
    family: str
    targets: tuple[dict[str, Any], ...]
    refused: bool
    things: tuple[dict[str, Any], ...]
    objects: str | None
    parts: str | None
    named: int
    before: dict[str, Any] | None = None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**{**value, "targets": tuple(value["targets"]), "things": tuple(value["things"])})


@dataclass(frozen=True)
class Sample:
    """One picture with its labels and its conversation.

    Attributes:
        id: Unique in the data set.
        image: Path of the picture relative to the data set's folder.
        object_id: Group that a split keeps on one side.
        category: Grasp category.
        description: A few words that name the thing.
        source_image: Name of the photograph it was made from.
        original: Whether the photograph's workspace is shown as it is, unaugmented.
        transform: From the photograph's pixels to this picture's.
        rectangles: All positive labels, pixels of this picture; of a wish first those on the target that is named.
        messages: The conversation; an instruction and its answer, then maybe requests to change it and their answers.
            Of a wish that goes on from another, that one and its answer come before.
        depth: Path of a depth picture (uint16, mm), where there is one.
        wish: What the instruction wishes for, where it is a wish about a scene.
        parts: Of each rectangle the part that it holds, "" where none is sure; empty where nothing tells.
    """

    id: str
    image: str
    object_id: str
    category: str
    description: str
    source_image: str
    original: bool
    transform: Transform
    rectangles: tuple[GraspRectangle, ...]
    messages: list[Message]
    depth: str | None = None
    wish: WishLabel | None = None
    parts: tuple[str, ...] = ()

    @property
    def instruction(self) -> str:
        """What the labels are the answer to."""
        return text_of(self.messages[self.start])

    @property
    def answer(self) -> str:
        """What is answered to the instruction."""
        return text_of(self.messages[self.start + 1])

    @property
    def start(self) -> int:
        """Which of the messages is the instruction."""
        return 2 if self.wish is not None and self.wish.before is not None else 0

    @property
    def turns(self) -> int:
        """How often the user speaks, from the instruction on."""
        return (len(self.messages) - self.start) // 2

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "images": [self.image],
            "object_id": self.object_id,
            "category": self.category,
            "description": self.description,
            "source_image": self.source_image,
            "original": self.original,
            "transform": self.transform.to_json(),
            "rectangles": [np.round(r.corners, 3).tolist() for r in self.rectangles],
            "messages": self.messages,
            **({"depth": self.depth} if self.depth else {}),
            **({"wish": asdict(self.wish)} if self.wish else {}),
            **({"parts": list(self.parts)} if self.parts else {}),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(
            id=value["id"],
            image=value["images"][0],
            object_id=value["object_id"],
            category=value["category"],
            description=value["description"],
            source_image=value["source_image"],
            original=value["original"],
            transform=Transform.from_json(value["transform"]),
            rectangles=tuple(GraspRectangle(np.array(r)) for r in value["rectangles"]),
            messages=value["messages"],
            depth=value.get("depth"),
            wish=WishLabel.from_json(value["wish"]) if "wish" in value else None,
            parts=tuple(value.get("parts", ())),
        )


@dataclass(frozen=True)
class Source:
    """A file of samples.

    Attributes:
        path: Its lines are samples.
        origin: What their object ids belong to.
        sample: A line's sample as the data set has it.
        prefix: What stands before the photographs' names there.
    """

    path: Path
    origin: str
    sample: Callable[[Sample], Sample]
    prefix: str = ""


class Dataset:
    """A data set folder; iterating it yields its samples in order without holding them all.

    Raises:
        InputError: the folder is not a whole data set.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not (self.folder / "dataset.json").is_file():
            raise InputError(f"{folder}: no dataset.json there; valid is a folder made by `graspwise dataset build`")
        self.info: dict[str, Any] = read_json(self.folder / "dataset.json")
        if self.info.get("task") == "hands":
            raise InputError(
                f"{folder}: holds hands; valid here is a data set of pictures; hands are learned with --strategy "
                "hand-tokens, hand-align or hand-instruct"
            )
        if self.info.get("format") != FORMAT:
            raise InputError(f"{folder}/dataset.json: format is {self.info.get('format')!r}; valid is {FORMAT}")

    def __len__(self) -> int:
        return int(self.info["samples"])

    def __iter__(self) -> Iterator[Sample]:
        for source in self.sources():
            yield from map(source.sample, read_samples(source.path))

    def captions(self) -> Iterator[Sample]:
        """Photographs without grasp labels, with a question about what they show: for alignment only."""
        for source in self.caption_sources():
            yield from map(source.sample, read_samples(source.path))

    def sources(self) -> list[Source]:
        """The files of its samples, in order."""
        return [self.source(path) for path in sorted(self.folder.glob("samples-*.jsonl"))]

    def caption_sources(self) -> list[Source]:
        """The file of `captions`, if there is one."""
        path = self.folder / CAPTIONS
        return [self.source(path)] if path.is_file() else []

    def source(self, path: Path) -> Source:
        return Source(path, str(self.info.get("source", "")), as_it_is)

    def picture(self, sample: Sample, *, depth: bool = False) -> Picture:
        """A sample's picture, with its depth when asked.

        Raises:
            InputError: a file is missing or damaged, or the sample has no depth.
        """
        return open_picture(self.folder / sample.image, depth_path=self.depth_path(sample) if depth else None)

    def target_mask(self, sample: Sample) -> np.ndarray | None:
        """(height, width) bool: all right targets of a wish, of one with a part that part alone; None without a target.

        Raises:
            InputError: a mask is missing or damaged.
        """
        return None if sample.wish is None else self.shown(sample.wish, sample.wish.targets)

    def named_mask(self, sample: Sample) -> np.ndarray | None:
        """`target_mask` of the one target that the answer names."""
        return None if sample.wish is None else self.shown(sample.wish, sample.wish.targets[:1])

    def shown(self, wish: WishLabel, targets: Sequence[dict[str, Any]]) -> np.ndarray | None:
        """(height, width) bool of where some targets of a wish are; None without a target or without masks."""
        if not targets or wish.objects is None:
            return None
        objects = read_mask(self.folder / wish.objects)
        parts = objects if wish.parts is None else read_mask(self.folder / wish.parts)
        return np.asarray(
            np.any([objects == t["index"] if t["part"] is None else parts == t["part_index"] for t in targets], axis=0)
        )

    def depth_path(self, sample: Sample) -> Path:
        """Where a sample's depth picture is.

        Raises:
            InputError: it has none.
        """
        if sample.depth is None:
            raise InputError(
                f"{self.folder}: sample {sample.id} has no depth; valid is a data set built with --depth "
                "from pictures that have it"
            )
        return self.folder / sample.depth


def read_samples(path: Path) -> Iterator[Sample]:
    """Samples of a jsonl file, one at a time.

    Raises:
        InputError: a line is not a sample.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            yield parsed(line, where=path, number=number)


def parsed(line: bytes, *, where: Path, number: int | None = None) -> Sample:
    """The sample of a line.

    Args:
        line: UTF-8.
        where: Its file, and `number` its number there if it is known, for the error.

    Raises:
        InputError: it is not a sample.
    """
    try:
        return Sample.from_json(json.loads(line))
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{where}: {'a line' if number is None else f'line {number}'} is not a sample ({error})"
        ) from error


def as_it_is(sample: Sample) -> Sample:
    return sample


def read_mask(path: Path) -> np.ndarray:
    """(height, width) uint8 of a picture of indices.

    Raises:
        InputError: no such file, not a picture, not one of indices up to 255.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with Image.open(path) as image:
            mask = np.asarray(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path}: damaged or not a picture ({error})") from error
    if mask.ndim != 2 or mask.dtype.kind not in "iu" or mask.min() < 0 or mask.max() > 255:
        raise InputError(f"{path}: found {mask.dtype} of shape {mask.shape}; valid is one channel of indices 0 to 255")
    return mask.astype(np.uint8)
