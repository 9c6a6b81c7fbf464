"""Coordinate conventions: how a vision-language model was taught to write a place, exactly to and from `Grasp`.

The answer text of `graspwise.answer` is the project's and its data sets' own. A model of another convention reads and
writes the same text with the points in its own: `written` on the way in, `read` on the way out, and nowhere else. The
angle is measured in pixel space and no resize of a square picture changes it, so its text stays as it is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from graspwise.answer import GRASP, AnswerSchema, Number

X, Y, THETA = GRASP.numbers
# How `GRASP` writes a point, and so every text of the project.
POINT = "[{x}, {y}]"


@dataclass(frozen=True)
class Coordinates:
    """A convention: a place's numbers are `fraction * scale - offset` of the square picture's side, rounded.

    Attributes:
        name: As a model's card has it.
        x: The number of the column.
        y: The number of the row.
        point: How a point is written.
        scale: What the whole side is.
        offset: Half a bin where a number names a bin and stands for its middle, else 0.
    """

    name: str
    x: Number = X
    y: Number = Y
    point: str = POINT
    scale: float = 1.0
    offset: float = 0.0

    @cached_property
    def schema(self) -> AnswerSchema:
        """A grasp's answer as the model writes it."""
        if self == FRACTION:
            return GRASP
        placed = {"bare": GRASP.bare.replace(POINT, self.point), "prompted": GRASP.prompted.replace(POINT, self.point)}
        first, second = (self.x, self.y) if self.point.index("{x}") < self.point.index("{y}") else (self.y, self.x)
        return replace(GRASP, numbers=(first, second, THETA), **placed)

    def number(self, fraction: float) -> float:
        """The convention's number of a fraction of the side, not yet rounded."""
        return fraction * self.scale - self.offset

    def fraction(self, number: float) -> float:
        """The fraction of the side that a number stands for, in [0, 1]."""
        return min(max((number + self.offset) / self.scale, 0.0), 1.0)

    def written(self, text: str) -> str:
        """A text of the project with every point of it in this convention."""
        return self._moved(text, FRACTION, self, self.number)

    def read(self, text: str) -> str:
        """A text of the model with every point of it in the project's convention; what is none stays as it is."""
        return self._moved(text, self, FRACTION, self.fraction)

    def _moved(self, text: str, before: "Coordinates", after: "Coordinates", convert: Callable[[float], float]) -> str:
        if before == after:
            return text

        def point(found: re.Match[str]) -> str:
            return after.point.format(**{n.name: n.render(convert(float(found[n.name]))) for n in (after.x, after.y)})

        return before._points.sub(point, text)

    @cached_property
    def _points(self) -> re.Pattern[str]:
        """Points as the model writes them, with blanks around their numbers or not."""
        parts = re.split(r"\{([xy])\}", self.point)
        texts = [re.escape(part.strip()) for part in parts[::2]]
        numbers = [rf"\s*(?P<{name}>{getattr(self, name).pattern})\s*" for name in parts[1::2]]
        return re.compile(texts[0] + numbers[0] + texts[1] + numbers[1] + texts[2])


def whole(name: str, high: int) -> Number:
    """A whole number from 0 to `high` without leading zeros."""
    return Number(name, 0, high, 0, padded=False)


# 0 to 1 with three decimals: LLaVA's, and the project's own text.
FRACTION = Coordinates("fraction")
# Thousandths of the side, 0 to 1000: Qwen3-VL's.
THOUSAND = Coordinates("thousand", whole("x", 1000), whole("y", 1000), scale=1000)
# 1,024 bins of the side, a token each, the row first: PaliGemma's.
LOCATION = Coordinates(
    "location", Number("x", 0, 1023, 0), Number("y", 0, 1023, 0), "<loc{y}><loc{x}>", scale=1024, offset=0.5
)


def pixels(side: int) -> Coordinates:
    """Pixels of the square picture that the model sees, of `side`: Qwen2.5-VL's."""
    return Coordinates("pixels", whole("x", side), whole("y", side), scale=side)
