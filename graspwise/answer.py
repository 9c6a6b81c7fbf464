"""The answer text: what a model writes and how it is read, each other's inverse.

An answer is an optional reasoning, then a numeric tail in one of three formats (RT-Grasp, Fig. 3 and 6):

- `reasoned`: the reasoning, then the tail under the paper's words (RT-Grasp's own format).
- `prompted`: the tail under the paper's words ("No Reasoning-B").
- `bare`: the numbers alone, `[0.523, 0.317], -0.78` ("No Reasoning-A").

The method is meant for other numeric tasks too, so the formats are written once, for any `AnswerSchema`: `GRASP` is the
schema of planar grasps, `POINT` of pointing.
"""

import math
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from graspwise.grasp import Grasp

AnswerFormat = Literal["reasoned", "prompted", "bare"]
FORMATS: tuple[AnswerFormat, ...] = get_args(AnswerFormat)
REASONING_LIMIT = 400


class AnswerError(ValueError):
    """A text that holds no valid answer; the message is the reason."""


@dataclass(frozen=True)
class Number:
    """One number of a tail, written with a fixed count of characters.

    Attributes:
        name: Placeholder in the schema's texts.
        low: Smallest valid value.
        high: Largest valid value.
        decimals: Digits after the point.
        signed: Whether a sign is always written.
    """

    name: str
    low: float
    high: float
    decimals: int
    signed: bool = False

    def render(self, value: float) -> str:
        """Text of a value, moved into the valid range.

        Raises:
            ValueError: the value is not finite.
        """
        if not math.isfinite(value):
            raise ValueError(f"{self.name} is {value}; valid is a finite number")
        text = f"{abs(round(min(max(value, self.low), self.high), self.decimals)):.{self.decimals}f}"
        if not self.signed:
            return text
        return ("-" if value < 0 and float(text) else "+") + text

    @property
    def pattern(self) -> str:
        """Regular expression of exactly the texts `render` can write (the range must be symmetric when signed)."""
        sign = "[+-]" if self.signed else ""
        return sign + "(" + "|".join(up_to(f"{self.high:.{self.decimals}f}")) + ")"


def up_to(limit: str) -> list[str]:
    """Patterns of the fixed-width decimals from zero to `limit`, e.g. "1.57" -> 0.dd, 1.[0-4]d, 1.5[0-6], 1.57."""
    patterns = []
    for index, digit in enumerate(limit):
        if digit.isdigit() and digit != "0":
            below = "0" if digit == "1" else f"[0-{int(digit) - 1}]"
            rest = "".join("[0-9]" if c.isdigit() else re.escape(c) for c in limit[index + 1 :])
            patterns.append(re.escape(limit[:index]) + below + rest)
    return [*patterns, re.escape(limit)]


@dataclass(frozen=True)
class AnswerSchema:
    """What numbers an answer holds and the words around them.

    Attributes:
        name: Name of the task.
        numbers: The numbers in their order.
        bare: Tail of the bare format, with a placeholder a number.
        prompted: Tail of the prompted and the reasoned format.
    """

    name: str
    numbers: tuple[Number, ...]
    bare: str
    prompted: str

    def template(self, answer_format: AnswerFormat) -> str:
        if answer_format not in FORMATS:
            raise ValueError(f"answer format {answer_format!r}; valid: {', '.join(FORMATS)}")
        return self.bare if answer_format == "bare" else self.prompted

    def render(self, values: Mapping[str, float], *, answer_format: AnswerFormat, reasoning: str = "") -> str:
        """Answer text of the values; the reasoning is written in the `reasoned` format only."""
        tail = self.template(answer_format).format(**{n.name: n.render(values[n.name]) for n in self.numbers})
        return f"{reasoning.strip()}\n{tail}" if answer_format == "reasoned" else tail

    def pattern(self, answer_format: AnswerFormat) -> str:
        """Regular expression of the texts that `render` can write, its numbers of fixed width.

        The reasoning is one line of 1 to 400 characters without digits or brackets, so that the tail alone is numeric.
        """
        patterns = {n.name: n.pattern for n in self.numbers}
        tail = "".join(
            literal.translate(ESCAPES) + (patterns[field] if field else "")
            for literal, field, _, _ in string.Formatter().parse(self.template(answer_format))
        )
        return rf"[^\n\[\]{{}}<>0-9]{{1,{REASONING_LIMIT}}}\n{tail}" if answer_format == "reasoned" else tail

    def parse(self, text: str) -> tuple[str, dict[str, float]]:
        """Read the last tail in a text, in any of the formats and in what models really write for them.

        Returns:
            The reasoning (the text before the tail) and the numbers by name, checked against their ranges.

        Raises:
            AnswerError: there is no tail, or a number is outside its range.
        """
        matches = list(self._reader.finditer(text.translate(SIGNS)))
        if not matches:
            raise AnswerError(f"no {self.name} in {shorten(text)!r}; valid is {self.example!r}")
        match, values = matches[-1], {}
        for number in self.numbers:
            value = float(match[number.name])
            if (match.groupdict().get(f"{number.name}_unit") or "").lower().startswith(("deg", "°")):
                value = math.radians(value)
            slack = math.tau if number.signed else 0.0
            if not number.low - slack <= value <= number.high + slack:
                raise AnswerError(f"{number.name} is {match[number.name]}; valid is {number.low:g} to {number.high:g}")
            values[number.name] = value
        return text[: match.start()].strip(), values

    @property
    def example(self) -> str:
        return self.render({n.name: (n.low + 2 * n.high) / 3 for n in self.numbers}, answer_format="bare")

    @property
    def _reader(self) -> re.Pattern[str]:
        pair, *rest = self.numbers[:2], *self.numbers[2:]
        words = r"(?:(?:[A-Za-z]+ ){0,2}(?:point|center|centre)(?: coordinates| position)?\s*(?:is|are|at|:)?\s*)?"
        first, second = (rf"(?:{n.name}\s*[=:]\s*)?(?P<{n.name}>{DECIMAL})" for n in pair)
        pattern = rf"{words}[\[({{]?\s*{first}\s*[,; ]\s*{second}\s*[\])}}]?"
        # Without brackets both names must stand, or any two numbers of a sentence would be a pose.
        named_first, named_second = (rf"\b{n.name}\s*[=:]\s*{DECIMAL}" for n in pair)
        guard = rf"(?={words}(?:[\[({{]|{named_first}\s*[,; ]\s*{named_second}))"
        for number in rest:
            pattern += (
                r"[\s,;.]*(?:(?:and )?(?:the )?(?:rotation )?angle(?: in radians| in degrees)?(?: is)?\s*[=:]?\s*)?"
                rf"(?:(?:{number.name}|θ)\s*[=:]\s*)?(?P<{number.name}>{DECIMAL})"
                rf"\s*(?P<{number.name}_unit>deg\w*|°|rad\w*)?"
            )
        return re.compile(guard + pattern, re.IGNORECASE)


# A whole number: the guards keep the expression from giving up digits to make a pair of one number.
DECIMAL = r"(?<![\d.])[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?!\d|\.\d)"
ESCAPES = str.maketrans({character: "\\" + character for character in "[]().+*?|^$\\"} | {"\n": "\\n"})
# The minus signs and dashes that language models write instead of a hyphen.
SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2014": "-", "\uff0d": "-"})


def shorten(text: str, limit: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


GRASP = AnswerSchema(
    name="grasp",
    numbers=(Number("x", 0, 1, 3), Number("y", 0, 1, 3), Number("theta", -1.57, 1.57, 2, signed=True)),
    bare="[{x}, {y}], {theta}",
    prompted="Grasp point coordinates: [{x}, {y}]\nRotation angle in radians: {theta}",
)
POINT = AnswerSchema(
    name="point",
    numbers=(Number("x", 0, 1, 3), Number("y", 0, 1, 3)),
    bare="[{x}, {y}]",
    prompted="Point coordinates: [{x}, {y}]",
)


def render_grasp(grasp: Grasp, *, answer_format: AnswerFormat, reasoning: str = "") -> str:
    """Answer text of a grasp, in the frame the grasp is in."""
    values = {"x": grasp.x, "y": grasp.y, "theta": grasp.theta}
    return GRASP.render(values, answer_format=answer_format, reasoning=reasoning)


def parse_grasp(text: str) -> tuple[str, Grasp]:
    """Reasoning and grasp of an answer text.

    Raises:
        AnswerError: the text holds no valid grasp.
    """
    reasoning, values = GRASP.parse(text)
    return reasoning, Grasp(**values)
