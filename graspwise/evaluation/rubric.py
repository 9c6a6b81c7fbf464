"""Whether a reason names a sensible part and the true shape: keywords against facts about each category.

The facts are `graspwise/templates/parts.yaml`. Only words are judged: where the grasp lies is not looked at, and a text
that says the right thing of another object counts as right. References that read no picture say what that is worth.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import mean
from typing import Any, Literal

from graspwise.data.templates import GRASPING_WORD, SHIPPED, load_reasoning
from graspwise.data.yaml_file import listing, read_yaml, text_list
from graspwise.errors import InputError
from graspwise.evaluation.score import Record, in_percent, names_in

PARTS = SHIPPED / "parts.yaml"
VOCABULARIES = ("parts", "places", "shapes")
LISTS = ("shape", "hold", "avoid")
# "harmful" is what must not be held or cannot be spanned, "foreign" what the thing does not have or is not.
Verdict = Literal["right", "harmful", "foreign", "none"]
# What follows is not held.
KEEP_OFF = re.compile(
    r"\b(?:away from|far from|clear of|rather than|instead of|not|never|no|nor|without|leave|leaves|leaving|let"
    r"|avoid\w*|spare|sparing|keep|keeping|so(?! (?:grip|grasp|hold|take|pinch|close)))\b"
)
# What follows says where the held part is, unless it is the middle.
NEAR = re.compile(
    r"\b(?:near|close to|next to|beside|behind|below|under|underneath|above|beyond|between|towards?|square to"
    r"|parallel to|aligned with|pointing|in front of|ahead of|opposite the|where)\b"
)
LYING = re.compile(r"\b(?:lying|lies|lie) flat\b")
# Text of no category in particular.
ANYTHING = "object"


@dataclass(frozen=True)
class CategoryFacts:
    """What is true of a category.

    Attributes:
        shape: Shapes that may be said of it.
        hold: Parts and places that may be held.
        avoid: Those that must not be held or cannot be spanned.
    """

    shape: frozenset[str]
    hold: frozenset[str]
    avoid: frozenset[str]


@dataclass(frozen=True)
class Rubric:
    """The facts, and the words they are found by.

    Attributes:
        parts: Part by word, as in "shaft": "handle".
        places: Place by word; anything has these.
        shapes: Shape by word.
        categories: Facts by category.
    """

    parts: Mapping[str, str]
    places: Mapping[str, str]
    shapes: Mapping[str, str]
    categories: Mapping[str, CategoryFacts]

    def own_parts(self, category: str) -> frozenset[str]:
        """What of a category may be held and is no mere place."""
        return self.categories[category].hold - set(self.places.values())


@dataclass(frozen=True)
class Judged:
    """What a text says of a thing, and whether it is so.

    Attributes:
        held: Parts that it says to hold; places where it names no part.
        shapes: Shapes that it names.
        part: "right" where all of `held` may be held, "none" where it names nothing.
        own: Whether that is right and a part, no mere place.
        shape: "right" where all of `shapes` may be said, "none" where it names none.
    """

    held: frozenset[str]
    shapes: frozenset[str]
    part: Verdict
    own: bool
    shape: Verdict


def load_rubric(path: Path | None = None) -> Rubric:
    """The facts.

    Args:
        path: A file like the shipped `parts.yaml`, which is read by default.

    Raises:
        InputError: the file is missing or no YAML, a word stands for two things, a category says something that is in
            no vocabulary, holds what it avoids, or leaves a place open.
    """
    return _shipped() if path is None else _read(Path(path))


@cache
def _shipped() -> Rubric:
    return _read(PARTS)


def _read(path: Path) -> Rubric:
    content = read_yaml(path, sections=(*VOCABULARIES, "categories"))
    parts, places, shapes = (_words(path, name, content[name]) for name in VOCABULARIES)
    if both := sorted(parts.keys() & places.keys()):
        raise InputError(f"{path}: places: found {listing(both)}, words of parts too; valid is a word in one of them")
    found = content["categories"]
    if not isinstance(found, dict):
        raise InputError(f"{path}: categories: found {type(found).__name__}; valid is a mapping of categories to facts")
    known = {"shape": {*shapes.values()}, "hold": {*parts.values(), *places.values()}}
    categories = {}
    for category, facts in found.items():
        if not isinstance(facts, dict) or sorted(facts) != sorted(LISTS):
            raise InputError(f"{path}: {category}: found {facts!r:.60}; valid are lists {listing(LISTS)}")
        # Only `avoid` may be empty.
        lists = {
            name: frozenset(text_list(path, f"{category}: {name}", value) if value or name != "avoid" else ())
            for name, value in facts.items()
        }
        for name, values in lists.items():
            if wrong := sorted(values - known["shape" if name == "shape" else "hold"]):
                raise InputError(f"{path}: {category}: {name} has {listing(wrong)}; valid are the names defined above")
        if both := sorted(lists["hold"] & lists["avoid"]):
            raise InputError(f"{path}: {category}: {listing(both)} is in hold and in avoid; valid is one of them")
        if missing := sorted({*places.values()} - lists["hold"] - lists["avoid"]):
            raise InputError(f"{path}: {category}: {listing(missing)} is in neither; valid is hold or avoid")
        categories[category] = CategoryFacts(**lists)
    return Rubric(parts=parts, places=places, shapes=shapes, categories=categories)


def _words(path: Path, name: str, found: Any) -> dict[str, str]:
    """Name by word of one vocabulary."""
    if not isinstance(found, dict):
        raise InputError(f"{path}: {name}: found {type(found).__name__}; valid is a mapping of names to words")
    words: dict[str, str] = {}
    for meaning, texts in found.items():
        for word in text_list(path, f"{name}: {meaning}", texts):
            if word in words:
                raise InputError(f"{path}: {name}: {word!r} is of {words[word]} and {meaning}; valid is one of them")
            words[word] = meaning
    return words


def judge(text: str, category: str, rubric: Rubric) -> Judged:
    """What a text says of a thing of a category that the rubric has.

    A part is held where a sentence names it from its first clause with a word of grasping on, before any word such as
    "away from" or "near" in its clause. Shapes are read in the clauses before. Names of categories are no shapes and
    parts: a "rolling pin" rolls nothing.
    """
    plain = LYING.sub(" ", text.lower())
    for name in sorted(names_in(plain), key=len, reverse=True):
        plain = re.sub(rf"\b{re.escape(name)}\b", " ", plain)
    parts: set[str] = set()
    places: set[str] = set()
    shapes: set[str] = set()
    for sentence in re.split(r"[.;:]", plain):
        grasping = False
        for clause in sentence.split(","):
            grasping = grasping or GRASPING_WORD.search(clause) is not None
            said = KEEP_OFF.split(clause, maxsplit=1)[0]
            if not grasping:
                shapes |= named(said, rubric.shapes)
                continue
            held, *by = NEAR.split(said, maxsplit=1)
            parts |= named(held, rubric.parts)
            places |= named(held, rubric.places) | (named(" ".join(by), rubric.places) & {"middle"})
    facts = rubric.categories[category]
    part = verdict(parts or places, facts.hold, facts.avoid)
    return Judged(
        held=frozenset(parts or places),
        shapes=frozenset(shapes),
        part=part,
        own=bool(parts) and part == "right",
        shape=verdict(shapes, facts.shape),
    )


def named(text: str, words: Mapping[str, str]) -> set[str]:
    """What a text names, by whole words; of words within words the longest."""
    pattern = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return {words[word] for word in re.findall(rf"\b(?:{pattern})\b", text)}


def verdict(said: set[str], right: frozenset[str], avoid: frozenset[str] = frozenset()) -> Verdict:
    """One wrong thing makes a text wrong."""
    if not said:
        return "none"
    return "harmful" if said & avoid else "right" if said <= right else "foreign"


def measures(text: str, category: str, rubric: Rubric) -> dict[str, bool]:
    """What is counted of a text; `own_part` only of categories that have one."""
    judged = judge(text, category, rubric)
    counted = {
        "sensible": judged.part == "right",
        "own_part": judged.own,
        "harmful": judged.part == "harmful",
        "foreign": judged.part == "foreign",
        "shape": judged.shape == "right",
        "wrong_shape": judged.shape == "foreign",
    }
    return counted if rubric.own_parts(category) else {k: v for k, v in counted.items() if k != "own_part"}


def rubric_figures(records: Sequence[Record], commonest: Sequence[str]) -> dict[str, Any] | None:
    """How the reasons do, and what texts do that read no picture; None without a reason about a category with facts.

    Args:
        records: Answers.
        commonest: For each record the commonest category of what its model was trained on; empty where nobody knows.

    Returns:
        `n` and `categories` counted, shares in percent of `model` and of the references, texts of the templates:
        `commonest` of the commonest category of training, `anything` of no category, `own` of the right one. Of a
        reference each share is the mean over its texts. `minus_commonest` are the model's minus those, paired. The
        intervals are 95% bootstraps over categories, which the facts are of.
    """
    rubric, templates = load_rubric(), load_reasoning()
    chosen = [i for i, r in enumerate(records) if r.reasoning and r.category in rubric.categories]
    if not chosen:
        return None
    categories = [records[i].category for i in chosen]
    texts: dict[str, Sequence[tuple[str, ...]]] = {
        "model": [(records[i].reasoning,) for i in chosen],
        **({"commonest": [templates[commonest[i]] for i in chosen]} if commonest else {}),
        "anything": [templates[ANYTHING]] * len(chosen),
        "own": [templates[category] for category in categories],
    }
    average = cache(partial(averages, rubric=rubric))
    of_each = {name: [average(t, c) for t, c in zip(of, categories, strict=True)] for name, of in texts.items()}
    return {
        "n": len(chosen),
        "categories": len(set(categories)),
        **{name: shares(values, categories) for name, values in of_each.items()},
        "minus_commonest": differences(of_each["model"], of_each["commonest"], categories) if commonest else None,
    }


def averages(texts: tuple[str, ...], category: str, *, rubric: Rubric) -> dict[str, float]:
    """Measures of a category, each the mean over texts."""
    found = [measures(text, category, rubric) for text in texts]
    return {name: mean(float(one[name]) for one in found) for name in found[0]}


def shares(values: Sequence[Mapping[str, float]], categories: Sequence[str]) -> dict[str, Any]:
    """Each measure over the photographs that have it, in percent."""
    names = dict.fromkeys(name for value in values for name in value)
    found = {}
    for name in names:
        own = [(value[name], category) for value, category in zip(values, categories, strict=True) if name in value]
        percent, ci95 = in_percent([value for value, _ in own], [category for _, category in own])
        found[name] = {"percent": percent, "ci95": ci95, **({"n": len(own)} if len(own) < len(values) else {})}
    return found


def differences(
    ours: Sequence[Mapping[str, float]], theirs: Sequence[Mapping[str, float]], categories: Sequence[str]
) -> dict[str, Any]:
    """Ours minus theirs by measure, in points."""
    changes = [{name: a[name] - b[name] for name in a} for a, b in zip(ours, theirs, strict=True)]
    found = shares(changes, categories)
    return {name: {"points": value["percent"], "ci95": value["ci95"]} for name, value in found.items()}
