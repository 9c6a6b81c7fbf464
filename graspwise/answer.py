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
from functools import cached_property
from typing import Literal, get_args

from graspwise.grasp import Grasp

AnswerFormat = Literal["reasoned", "prompted", "bare"]
FORMATS: tuple[AnswerFormat, ...] = get_args(AnswerFormat)
# How an answer's numbers came about: by text alone, or with a dense head's maps.
Mode = Literal["plain", "grounded"]
REASONING_LIMIT = 240
# What a reasoning is written with: no digit or bracket, so that the tail alone is numeric.
WRITTEN = r"[^\x00-\x1f\x7f-\x9f\[\]{}<>0-9]"
# Stands before and after the target that a reasoning names.
SPT = "[SPT]"


class AnswerError(ValueError):
    """A text that holds no valid answer; the message is the reason."""


@dataclass(frozen=True)
class Number:
    """One number of a tail, written with a fixed count of characters, or a whole one without leading zeros.

    Attributes:
        name: Placeholder in the schema's texts.
        low: Smallest valid value: 0, or `-high` of a signed number.
        high: Largest valid value.
        decimals: Digits after the point.
        signed: Whether a sign is always written.
        angle: Whether it is an angle in radians, of which degrees and another turn are read too.
        padded: Whether zeros fill it up to its fixed count of characters.

    Raises:
        ValueError: the range is another one, or a number without leading zeros has a sign or decimals.
    """

    name: str
    low: float
    high: float
    decimals: int
    signed: bool = False
    angle: bool = False
    padded: bool = True

    def __post_init__(self) -> None:
        if not self.padded and (self.signed or self.decimals):
            raise ValueError(f"{self.name} has a sign or decimals; valid without leading zeros is a whole number")
        if self.high <= 0 or self.low != (-self.high if self.signed else 0):
            raise ValueError(f"{self.name} is {self.low} to {self.high}; valid is 0 to high, if signed -high to high")

    def render(self, value: float) -> str:
        """Text of a value, moved into the valid range.

        Raises:
            ValueError: the value is not finite.
        """
        if not math.isfinite(value):
            raise ValueError(f"{self.name} is {value}; valid is a finite number")
        width = len(f"{self.high:.{self.decimals}f}") if self.padded else 1
        text = f"{abs(min(max(value, self.low), self.high)):0{width}.{self.decimals}f}"
        if not self.signed:
            return text
        return ("-" if value < 0 and float(text) else "+") + text

    def interval(self, begun: str) -> tuple[float, float]:
        """The values, low to high, that `render` writes with a text that begins so; all values for ""."""
        whole = f"{self.high:.{self.decimals}f}"
        sign, digits = (begun[:1], begun[1:]) if self.signed else ("", begun)
        half = 0.5 * 10**-self.decimals
        # What is still to come is between all zeros and all nines.
        rest = whole[len(digits) :]
        least = float(digits + re.sub("[0-9]", "0", rest)) - half
        most = min(float(digits + re.sub("[0-9]", "9", rest)), self.high) + half
        if self.signed and not sign:
            return -most, most
        # The sign of a rounded zero is the value's own.
        low, high = (max(least, 0.0), most) if self.signed else (least, most)
        return (-high, -low) if sign == "-" else (low, high)

    @property
    def pattern(self) -> str:
        """Regular expression of exactly the texts `render` can write, and of a negative zero."""
        sign, limit = "[+-]" if self.signed else "", f"{self.high:.{self.decimals}f}"
        return sign + "(" + "|".join(up_to(limit) if self.padded else whole_up_to(limit)) + ")"


def up_to(limit: str) -> list[str]:
    """Patterns of the fixed-width decimals from zero to `limit`, e.g. "1.57" -> 0.dd, 1.[0-4]d, 1.5[0-6], 1.57."""
    patterns = []
    for index, digit in enumerate(limit):
        if digit.isdigit() and digit != "0":
            below = "0" if digit == "1" else f"[0-{int(digit) - 1}]"
            rest = "".join("[0-9]" if c.isdigit() else re.escape(c) for c in limit[index + 1 :])
            patterns.append(re.escape(limit[:index]) + below + rest)
    return [*patterns, re.escape(limit)]


def whole_up_to(limit: str) -> list[str]:
    """Patterns of the whole numbers from 0 to `limit` without leading zeros: "672" -> d, [1-9]d, [1-5]dd and so on."""
    if len(limit) == 1:
        return [f"[0-{limit}]"]
    shorter = ["[0-9]", *("[1-9]" + "[0-9]" * (length - 1) for length in range(2, len(limit)))]
    # Of the patterns as long as the limit, the first alone can begin with a zero.
    first, *rest = up_to(limit)
    begun = [] if limit[0] == "1" else [first.replace("[0-", "[1-", 1)]
    return [*shorter, *begun, *rest]


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

    def numbers_begun(self, text: str, *, answer_format: AnswerFormat) -> list[str] | None:
        """The numbers' texts in an answer that is still being written, as `render` writes it; the last may be "".

        None while the numbers have not begun, inside the words between two of them, and after the last.
        """
        place, begun = 0, list[str]()
        for literal, field, _, _ in string.Formatter().parse(self.template(answer_format)):
            # Before the first number there may be a reasoning.
            found = text.find(literal, place) if not begun else (place if text.startswith(literal, place) else -1)
            if found < 0 or not field:
                return None
            place = found + len(literal)
            number = next(n for n in self.numbers if n.name == field)
            width = len(number.render(number.high))
            begun.append(text[place : place + width])
            place += width
            if len(text) <= place:
                return begun
        return None

    def pattern(self, answer_format: AnswerFormat) -> str:
        """Regular expression of the texts that `render` can write, its numbers of fixed width.

        The reasoning is one line of 1 to 240 characters without digits or brackets, so that the tail alone is numeric.
        """
        tail = self.tail_pattern(answer_format)
        return rf"{WRITTEN}{{1,{REASONING_LIMIT}}}\n{tail}" if answer_format == "reasoned" else tail

    def tail_pattern(self, answer_format: AnswerFormat) -> str:
        """Regular expression of the numeric tail alone."""
        patterns = {n.name: n.pattern for n in self.numbers}
        return "".join(
            literal.translate(ESCAPES) + (patterns[field] if field else "")
            for literal, field, _, _ in string.Formatter().parse(self.template(answer_format))
        )

    def parse(self, text: str) -> tuple[str, dict[str, float]]:
        """Read the last tail in a text, in any of the formats and in what models really write for them.

        Returns:
            The reasoning (the text before the tail) and the numbers by name, checked against their ranges.

        Raises:
            AnswerError: there is no tail, or a number is outside its range.
        """
        plain = text.translate(PLAIN)
        matches = list(self._reader.finditer(plain))
        if not matches:
            raise AnswerError(f"no {self.name} in {shorten(text)!r}; valid is {self.example!r}")
        match, values = matches[-1], {}
        starts, ends = ([edge(n.name) for n in self.numbers] for edge in (match.start, match.end))
        for number, start, end in zip(self.numbers, [match.start(), *ends], [*starts[1:], match.end()], strict=False):
            value, slack = float(match[number.name]), math.tau if number.angle else 0.0
            # The unit stands before or after the number.
            if number.angle and re.search("deg|°", plain[start:end], re.IGNORECASE):
                value = math.radians(value)
            if not number.low - slack <= value <= number.high + slack:
                raise AnswerError(f"{number.name} is {match[number.name]}; valid is {number.low:g} to {number.high:g}")
            values[number.name] = value
        # Markup that opens on the tail's own line belongs to the tail, and so does a fence above it.
        before = text[: match.start()].rstrip(" \t*_`\"'#([{").strip()
        return re.sub(r"\s*```\w*\Z", "", before), values

    @property
    def example(self) -> str:
        return self.render({n.name: (n.low + 2 * n.high) / 3 for n in self.numbers}, answer_format="bare")

    @cached_property
    def _reader(self) -> re.Pattern[str]:
        """The numbers in their order, with nothing between them but separators and the words of the task."""
        own = "|".join(re.findall("[a-z]+", self.prompted.lower()))
        word = rf"\b(?:{own}|{WORDS})\b"
        pattern = rf"(?:(?:{word}[ \t]*){{1,6}}+(?:[=:]\s*)?)?"
        for index, number in enumerate(self.numbers):
            name = rf"\b{number.name}\s*(?:[=:]|is\b)\s*"
            if index == 0:
                # A bracket or a name opens the tail, or any two numbers of a sentence would be one.
                pattern += rf"(?:(?:[\[({{]\s*){{1,3}}(?:{name})?|{name})"
            elif index == 1:
                pattern += rf"(?:{SEPARATOR})+(?:and\s+)?(?:{name})?"
            else:
                pattern += rf"(?:{SEPARATOR}|[:.=()\]}}θ]|{word})+?"
            unit = r"(?:\s*(?:°|deg\w*|rad\w*))?+" if number.angle else ""
            pattern += rf"(?P<{number.name}>{DECIMAL}){unit}"
        return re.compile(pattern + END, re.IGNORECASE)


# A whole number: the guard keeps the expression from giving up digits, and from reading a version.
DECIMAL = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?!\d|\.\d)"
# After the last number: no other unit, no arithmetic, and no further number, or a bounding box would be a grasp.
END = r"(?![\w%/^]|\s*pi\b|[ \t,;)\]}]*[+-]?\.?\d)"
# Between two numbers; a dash only where it opens an item of a list.
SEPARATOR = r"[\s,;]|(?<=\n)- (?= *[a-z])"
# What may stand around the numbers, besides the words of the prompted tail.
WORDS = r"an?|and|at|center|centre|gripper|is|it|location|of|orientation|position|rotated?|the|to|with|deg\w*|rad\w*"
# The minus signs and dashes that language models write instead of a hyphen; markup and quotes become blanks.
PLAIN = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2014": "-", "\uff0d": "-"} | dict.fromkeys("*_`\"'$\\", " "))
ESCAPES = str.maketrans({character: "\\" + character for character in "[](){}.+*?|^$\\"} | {"\n": "\\n"})


def shorten(text: str, limit: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


GRASP = AnswerSchema(
    name="grasp",
    numbers=(Number("x", 0, 1, 3), Number("y", 0, 1, 3), Number("theta", -1.57, 1.57, 2, signed=True, angle=True)),
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


def marked(reasoning: str, target: str) -> str:
    """A reasoning with the first mention of its target between two [SPT] tokens.

    Raises:
        ValueError: it does not mention the target.
    """
    found = re.search(rf"\b{re.escape(target)}\b", reasoning, re.IGNORECASE)
    if found is None:
        raise ValueError(f"the reasoning {shorten(reasoning)!r} does not mention its target, {target!r}")
    return f"{reasoning[: found.start()]}{SPT} {found[0]} {SPT}{reasoning[found.end() :]}"


def target_of(reasoning: str) -> tuple[str, str | None]:
    """A reasoning without its [SPT] tokens, and the object it means; None where it names none.

    Between the first two tokens stands the object, "mug", or a part and the object, "handle of the mug".
    """
    parts = [" ".join(part.split()) for part in reasoning.split(SPT)]
    plain = re.sub(r" (?=[.,;])", "", " ".join(part for part in parts if part))
    return plain, (parts[1].split(" of the ")[-1] or None) if len(parts) > 2 else None


def parse_grasp(text: str) -> tuple[str, Grasp]:
    """Reasoning and grasp of an answer text.

    Raises:
        AnswerError: the text holds no valid grasp.
    """
    reasoning, values = GRASP.parse(text)
    return reasoning, Grasp(**values)
