"""What users say when they ask for a change, and what is answered: their file, its check, and how answers are read.

An answer says the change first, in words of its own that no other kind of answer has; the numbers come after.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from numpy.random import Generator

from graspwise.data.requests import KINDS, SIDES, Kind, Request, bit
from graspwise.data.templates import NUMERIC, SHIPPED
from graspwise.data.yaml_file import listing, read_yaml, text_list
from graspwise.errors import InputError

REQUESTS = SHIPPED / "requests.yaml"
Outcome = Literal["found", "turned", "bound", "none"]
USES = ("training", "testing")
# What is asked: whole texts, or phrases of a direction, which stand in frames.
WHOLE = tuple(kind for kind in KINDS if kind != "direction")
SHADES = ("frames", "little", "keep")
BITS = tuple(bit(side) for side in SIDES)
KEYS = (*SIDES, *BITS, *WHOLE)
# The placeholders of each.
ASKED: dict[str, tuple[str, ...]] = {name: () for name in (*SIDES, *WHOLE)}
ASKED |= {name: ("change",) for name in SHADES} | {name: ("part",) for name in ("part", "away")}
PLACEHOLDER = re.compile(r"\{(\w*)\}|[{}]")
Texts = tuple[str, ...]


@dataclass(frozen=True)
class RequestTexts:
    """A requests file.

    Attributes:
        asked: What is said, by its name in the file and whether it is for testing.
        answers: What is answered, by kind and outcome.
        says: The words of every answer to a kind of request, in lower case, by the request's key.
        unmet: Words of the answers that do not do what was asked, and of no other.
    """

    asked: Mapping[tuple[str, bool], Texts]
    answers: Mapping[tuple[Kind, Outcome], Texts]
    says: Mapping[str, str]
    unmet: Texts


def outcomes(kind: Kind) -> tuple[Outcome, ...]:
    """What can come of a request of a kind."""
    if kind == "previous":
        return ("found",)
    return ("found", "turned", "bound", "none") if kind == "direction" else ("found", "none")


def load_requests(path: Path | None = None) -> RequestTexts:
    """The texts of requests and answers.

    Args:
        path: A file like the shipped `requests.yaml`, which is read by default.

    Raises:
        InputError: it is missing, is not YAML, lacks a list, or a text is not as it must be.
    """
    return shipped() if path is None else read_requests(Path(path))


@cache
def shipped() -> RequestTexts:
    return read_requests(REQUESTS)


def read_requests(path: Path) -> RequestTexts:
    content = read_yaml(path, sections=("asked", "says", "unmet", "answers"))
    asked = {}
    for name, uses in section(path, "asked", content["asked"], tuple(ASKED)).items():
        for use, texts in section(path, f"asked: {name}", uses, USES).items():
            place = f"asked: {name}: {use}"
            asked[name, use == "testing"] = checked(path, place, texts, ASKED[name])
    says = section(path, "says", content["says"], KEYS)
    for key, words in says.items():
        if not isinstance(words, str) or not words.strip() or words != words.lower():
            raise InputError(f"{path}: says: {key}: found {words!r:.60}; valid is a text in lower case")
    unmet = text_list(path, "unmet", content["unmet"])
    answers: dict[tuple[Kind, Outcome], Texts] = {}
    kinds = section(path, "answers", content["answers"], KINDS)
    for kind in KINDS:
        lists = section(path, f"answers: {kind}", kinds[kind], outcomes(kind))
        for outcome in outcomes(kind):
            needed = {"direction": ("way",), "part": ("part",), "away": ("part",)}.get(kind, ())
            place = f"answers: {kind}: {outcome}"
            answers[kind, outcome] = checked(path, place, lists[outcome], (*needed, "object"))
    found = RequestTexts(asked, answers, says, unmet)
    for (kind, outcome), listed in answers.items():
        for text in listed:
            check_answer(path, text, kind, outcome, found)
    return found


def check_answer(path: Path, text: str, kind: Kind, outcome: Outcome, texts: RequestTexts) -> None:
    """Raise unless an answer's text can be told from those to other requests.

    Raises:
        InputError: it cannot.
    """
    # Where nothing lies that way, a bit is no matter.
    for key in (*SIDES, *(BITS if outcome != "none" else ())) if kind == "direction" else (kind,):
        said = text.format(way=texts.says[key], part="handle", object="mug")
        if key not in announced(said, texts):
            raise InputError(f"{path}: answers: {kind}: {text!r} does not say {texts.says[key]!r}")
        if others := announced(said, texts)[1:]:
            raise InputError(f"{path}: answers: {kind}: {text!r} also says {texts.says[others[0]]!r}")
    if says_unmet(text, texts) != (outcome in ("bound", "none")):
        raise InputError(
            f"{path}: answers: {kind}: {outcome}: {text!r}; valid with one of {listing(texts.unmet)} where a request "
            "is not met, and only there"
        )


def section(path: Path, place: str, found: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """A mapping with exactly these names.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(found, dict) or sorted(found) != sorted(names):
        shown = listing(list(found)) if isinstance(found, dict) else repr(found)[:60]
        raise InputError(f"{path}: {place}: found {shown}; valid are exactly {listing(names)}")
    return found


def checked(path: Path, place: str, found: Any, needed: Texts) -> Texts:
    """A list of texts without digits and square brackets, each with these placeholders and no others.

    Raises:
        InputError: it is something else.
    """
    texts = text_list(path, place, found)
    for text in texts:
        names = [match[1] for match in PLACEHOLDER.finditer(text)]
        if NUMERIC.search(text) or sorted(names) != sorted(needed):
            raise InputError(
                f"{path}: {place}: {text!r}; valid is a text without digits and square brackets, with the "
                f"placeholders {listing(needed) or 'none'}"
            )
    return texts


def worded(request: Request, rng: Generator, *, test: bool = False) -> Request:
    """The request in a user's words, drawn from those for training or for testing."""
    asked = shipped().asked

    def one(name: str) -> str:
        return drawn(asked[name, test], rng)

    if request.side is None:
        return replace(request, text=one(request.kind).format(part=request.part))
    text = one(request.side)
    if request.little:
        text = one("little").format(change=text)
    text = one("frames").format(change=text)
    if request.keep_angle:
        text = one("keep").format(change=text)
    return replace(request, text=text)


def answer_text(request: Request, *, met: bool, kept: bool, near: bool, name: str, rng: Generator) -> str:
    """What is answered, without the numbers: the change, and why.

    Args:
        request: What was asked.
        met: Whether the answer does it.
        kept: Whether the answer leaves the angle as it was.
        near: Whether it goes a bit at most; where a bit was asked for, the words say so.
        name: What the thing is called, e.g. its category.
        rng: Decides the words.
    """
    outcome = outcome_of(request, met=met, kept=kept)
    way = "" if request.side is None else shipped().says[request.key if near and outcome != "none" else request.side]
    said = drawn(shipped().answers[request.kind, outcome], rng).format(way=way, part=request.part, object=name)
    return said[0].upper() + said[1:]


def outcome_of(request: Request, *, met: bool, kept: bool) -> Outcome:
    """What has come of a request."""
    if met:
        return "turned" if request.kind == "direction" and not kept else "found"
    return "bound" if request.keep_angle and not kept else "none"


def announced(text: str, texts: RequestTexts | None = None) -> list[str]:
    """Keys of the requests that an answer says it answers, in its order; one for an answer as ours are."""
    keys = {words: key for key, words in (texts or shipped()).says.items()}
    # What begins first is read whole, "a bit further left" before the "further left" in it.
    pattern = "|".join(map(re.escape, keys))
    return list(dict.fromkeys(keys[found[0]] for found in re.finditer(pattern, text.lower())))


def says_unmet(text: str, texts: RequestTexts | None = None) -> bool:
    """Whether an answer says that it does not do what was asked."""
    return re.search(rf"\b({'|'.join((texts or shipped()).unmet)})\b", text.lower()) is not None


def drawn(options: Texts, rng: Generator) -> str:
    return options[int(rng.integers(len(options)))]
