"""The texts of wishes, reasons and refusals: their file and its check.

An implicit wish is a whole text that needs a purpose, state or material, or a part's role besides; an explicit one
names the thing, or a part of it. A family is a need, or a kind, with a way of saying it; a way is of training or of
testing.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from graspwise.data.wish_facts import Need, shipped_facts
from graspwise.data.yaml_file import listing, read_yaml, text_list
from graspwise.errors import InputError

WISHES = Path(__file__).resolve().parents[1] / "templates" / "wishes.yaml"
Kind = Literal["object explicit", "object implicit", "part explicit", "part implicit"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ANY = "any"
# Between the purpose and the role of a part's need, and between a family's need and its way.
AND, SAID = " + ", ": "
IMPLICIT = ("purpose", "state", "material", "part")
# What a user may say next, and what its texts name.
TURNS: dict[str, tuple[str, ...]] = {"other": (), "part": ("part",), "instead": ("object",)}
SECTIONS = ("ways", "explicit", "any", "turns", "frames", "reasons", "refusals", *IMPLICIT)
SIDES = ("training", "testing")
# Any brace is one: a text has no other use for them.
PLACEHOLDER = re.compile(r"\{\w*\}|[{}]")


@dataclass(frozen=True)
class Wish:
    """What somebody says, and what it needs.

    Attributes:
        text: Plain text without a polite frame, digits or brackets.
        kind: Whether it names what it needs, and whether that is a part.
        family: Its need or kind, and its way of saying it, as in "drink: question".
        need: What meets it.
        test: Whether its family is for testing only.
    """

    text: str
    kind: Kind
    family: str
    need: Need
    test: bool


@dataclass(frozen=True)
class WishTexts:
    """A wishes file.

    Attributes:
        wishes: Those that are whole texts: implicit ones, and those of the family `any`.
        explicit: Templates with {object}, and for parts {part}, by kind and whether they are for testing, each with
            its family.
        turns: Templates of what is said after an answer, by its sort and whether they are for testing.
        before: Polite frames before a wish.
        after: Polite frames after a wish.
        reasons: Templates by what a wish needs.
        refusals: Templates by what a wish needs.
    """

    wishes: tuple[Wish, ...]
    explicit: Mapping[tuple[Kind, bool], tuple[tuple[str, str], ...]]
    turns: Mapping[tuple[str, bool], tuple[str, ...]]
    before: tuple[str, ...]
    after: tuple[str, ...]
    reasons: Mapping[str, tuple[str, ...]]
    refusals: Mapping[str, tuple[str, ...]]


def load_wishes(path: Path | None = None) -> tuple[Wish, ...]:
    """All wishes that are whole texts: implicit ones, and those that name no target, family `any`.

    Args:
        path: A file like the shipped `wishes.yaml`, which is read by default.

    Raises:
        InputError: the file is missing or damaged; a need is not in the facts; a text has digits, brackets or a
            placeholder of its own, or is there twice.
    """
    return shipped_texts().wishes if path is None else load_texts(path).wishes


@cache
def shipped_texts() -> WishTexts:
    """The wishes that come with the package."""
    return load_texts(WISHES)


def sort_of(need: Need) -> str:
    """Which reasons and refusals go with a need."""
    if need.category is not None:
        return "explicit part" if need.part is not None else "explicit"
    if need.part_role is not None:
        return "part"
    for sort in ("purpose", "state", "material"):
        if getattr(need, sort) is not None:
            return sort
    return ANY


def load_texts(path: Path) -> WishTexts:
    """Read a wishes file.

    Raises:
        InputError: as in `load_wishes`.
    """
    content = read_yaml(path, sections=SECTIONS)
    ways = {way: side == "testing" for side in SIDES for way in texts_in(path, content, "ways", side)}
    wishes = list(wishes_in(path, content, ways))
    seen: dict[str, Wish] = {}
    for wish in wishes:
        if other := seen.get(bare := " ".join(re.findall(r"\w+", wish.text.lower()))):
            raise InputError(f"{path}: {wish.text!r} is in {other.family} and in {wish.family}; give each text once")
        seen[bare] = wish
    kinds: dict[str, Kind] = {"object": "object explicit", "part": "part explicit"}
    explicit = {
        (kind, side == "testing"): tuple(
            (f"{name} explicit{SAID}{family}", text)
            for family in entries(path, content, "explicit", name, side)
            for text in texts_in(path, content, "explicit", name, side, family, holds={"object", name})
        )
        for name, kind in kinds.items()
        for side in SIDES
    }
    turns = {
        (sort, side == "testing"): texts_in(path, content, "turns", sort, side, holds=holds)
        for sort, holds in TURNS.items()
        for side in SIDES
    }
    before, after = (texts_in(path, content, "frames", place) for place in ("before", "after"))
    held: dict[str, set[str]] = {"part": {"want", "fact", "target"}, "purpose": {"want", "fact", "target"}}
    held |= {"state": held["part"], "material": {"want", "target"}}
    reasons = {
        sort: texts_in(path, content, "reasons", sort, holds=held.get(sort, {"target"}))
        for sort in (*IMPLICIT, "explicit", "explicit part", ANY)
    }
    refusals = {sort: texts_in(path, content, "refusals", sort, holds={"want"}) for sort in (*IMPLICIT[:3], "explicit")}
    return WishTexts(tuple(wishes), explicit, turns, before, after, reasons, refusals)


def wishes_in(path: Path, content: Mapping[str, Any], ways: Mapping[str, bool]) -> Iterator[Wish]:
    """The whole texts of a file: implicit wishes, then those that name no target."""
    facts = shipped_facts()
    known = {"purpose": facts.purposes, "state": facts.states, "material": facts.materials}
    for sort in IMPLICIT:
        kind: Kind = "part implicit" if sort == "part" else "object implicit"
        for name in entries(path, content, sort):
            first, _, role = name.partition(AND)
            section = "purpose" if sort == "part" else sort
            if first not in known[section] or (sort == "part") != (role in facts.roles):
                raise InputError(f"{path}: {sort}: found {name!r}; valid is a {sort} of wish_facts.yaml")
            need = Need(**{section: first}, part_role=role or None)
            for way in entries(path, content, sort, name):
                if way not in ways:
                    raise InputError(f"{path}: {sort}: {name}: found {way!r}; valid are the ways {listing(ways)}")
                for text in texts_in(path, content, sort, name, way):
                    yield Wish(text, kind, f"{name}{SAID}{way}", need, ways[way])
    for side in SIDES:
        for text in texts_in(path, content, ANY, side):
            yield Wish(text, "object explicit", f"{ANY}{SAID}{side}", Need(), side == "testing")


def entries(path: Path, content: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The mapping under some keys.

    Raises:
        InputError: there is none.
    """
    found: Any = content
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise InputError(f"{path}: {SAID.join(keys)}: found {found!r:.60}; valid is a mapping of names to texts")
    return found


def texts_in(path: Path, content: Mapping[str, Any], *keys: str, holds: Collection[str] = ()) -> tuple[str, ...]:
    """The texts under some keys, each with exactly these placeholders.

    Raises:
        InputError: there is no list of texts, or a text has digits, brackets or other placeholders.
    """
    place = SAID.join(keys)
    found = text_list(path, place, entries(path, content, *keys[:-1]).get(keys[-1]))
    for text in found:
        if wrong := re.search(r"[\d\[\]<>]", text):
            raise InputError(f"{path}: {place}: {text!r} has {wrong[0]!r}; valid is text without digits and brackets")
        if sorted(PLACEHOLDER.findall(text)) != sorted(f"{{{name}}}" for name in holds):
            raise InputError(f"{path}: {place}: {text!r}; valid is a text with each of {listing(holds) or 'no braces'}")
    return found
