"""What is said of a grasp, on the three levels of CapGrasp (SemGrasp, Li et al. 2024), from measured facts alone.

Low says which finger touches which part, high what for and how firmly, talk changes another grasp into this one. The
words are templates of `hands.yaml`; what they name is what the contacts are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from graspwise.data.yaml_file import read_yaml, text_list
from graspwise.errors import InputError
from graspwise.hand.grasps import Caption, Force
from graspwise.hand.model import FINGERS, REGIONS

TEXTS = Path(__file__).resolve().parents[1] / "templates" / "hands.yaml"
LOW, HIGH, TALK = 2, 2, 2
# Groups of texts, and in each the placeholders that its texts may have; those that all must have.
GROUPS: dict[str, dict[str, tuple[set[str], set[str]]]] = {
    "names": {region: (set(), set()) for region in REGIONS},
    "contacts": {"part": ({"fingers", "part"}, {"fingers", "part"}), "bare": ({"fingers"}, {"fingers"})},
    "high": {
        "named": ({"object", "part", "purpose", "how"}, {"part"}),
        "anywhere": ({"object", "purpose", "how"}, {"object"}),
    },
    "purposes": {"use": ({"use"}, {"use"}), "open": (set(), set()), "pass": (set(), set()), "carry": (set(), set())},
    "force": {"firm": (set(), set()), "light": (set(), set())},
    "talk": {
        "two": ({"finger"}, set()), "three": (set(), set()), "all": (set(), set()), "tips": (set(), set()),
        "free": ({"part"}, {"part"}), "part": ({"part"}, {"part"}),
        "finger": ({"finger", "part"}, {"finger", "part"}), "firm": (set(), set()), "light": (set(), set()),
    },
}  # fmt: skip
LISTS = {"low": ({"object", "contacts"}, {"object", "contacts"}), "together": (set(), set())}
PLACES = ("object", "part", "contacts", "purpose", "how", "fingers", "finger", "use")
# Parts by which a thing is used, and parts that are opened.
HANDLES = frozenset({"handle", "handles", "grip", "barrel", "shaft", "temples"})
LIDS = frozenset({"cap", "lid", "stopper", "cork"})

Texts = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What captions are made from.

    Attributes:
        name: The thing's category.
        parts: Names of its parts; may be empty.
        use: What people do with it, a verb phrase; "" where that is not known.
        fingers: Which parts each finger touches, those it touches most first.
        force: How firmly it is held.
    """

    name: str
    parts: tuple[str, ...]
    use: str
    fingers: Mapping[str, tuple[str, ...]]
    force: Force

    @property
    def held(self) -> str | None:
        """The part that most fingers are on; None where the thing has none, or no part has more than all others."""
        on = [parts[0] for parts in self.fingers.values() if parts]
        counts = sorted(((on.count(part), part) for part in set(on)), reverse=True)
        if not counts or (len(counts) > 1 and counts[0][0] == counts[1][0]):
            return None
        return counts[0][1]

    @property
    def touched(self) -> set[str]:
        return {part for parts in self.fingers.values() for part in parts}

    @property
    def purpose(self) -> str:
        """Which of `purposes` fits: the part that is held tells what for."""
        handles = HANDLES & set(self.parts)
        if self.held in LIDS:
            return "open"
        if handles and not handles & self.touched:
            return "pass"
        # Two fingers carry a hammer, and drive no nail.
        if self.use and ((self.held in handles and len(self.fingers) > 2) or (not handles and self.force == "firm")):
            return "use"
        return "carry"


def force_of(fingers: Mapping[str, tuple[str, ...]]) -> Force:
    """Firm where the palm and at least three fingers touch: a grip of power (Napier 1956); light else."""
    return "firm" if "palm" in fingers and len(fingers) >= 4 else "light"


@cache
def load_captions(path: Path = TEXTS) -> Texts:
    """The texts of a file like the shipped one.

    Raises:
        InputError: it is missing or damaged, lacks a group, or a text has a placeholder that its group does not know.
    """
    content = read_yaml(path, sections=(*GROUPS, *LISTS))
    texts: dict[str, Any] = {}
    for section, (may, must) in LISTS.items():
        texts[section] = checked(path, section, content[section], may, must)
    for section, groups in GROUPS.items():
        found = content[section]
        if not isinstance(found, dict) or set(found) != set(groups):
            raise InputError(f"{path}: {section}: found {found!r:.60}; valid is a mapping with {', '.join(groups)}")
        texts[section] = {
            group: checked(path, f"{section}: {group}", found[group], may, must)
            for group, (may, must) in groups.items()
        }
    return texts


def checked(path: Path, place: str, found: Any, may: set[str], must: set[str]) -> tuple[str, ...]:
    """A list of texts with these placeholders."""
    texts = text_list(path, place, found)
    for text in texts:
        held = {name for name in PLACES if f"{{{name}}}" in text}
        if text.count("{") != sum(text.count(f"{{{name}}}") for name in held) or not must <= held <= may:
            valid = ", ".join(f"{{{name}}}" for name in sorted(may)) or "no braces"
            raise InputError(f"{path}: {place}: {text!r}; valid is a text with {valid}")
    return texts


def captions_of(facts: Facts, *, rng: np.random.Generator, texts: Texts | None = None) -> tuple[Caption, ...]:
    """Captions of a grasp that touches its thing, at most two of each level, none twice.

    Args:
        facts: What was measured.
        rng: Chooses among the words.
        texts: Of `load_captions`; the shipped ones by default.

    Raises:
        ValueError: no finger touches the thing.
    """
    if not facts.fingers:
        raise ValueError("a grasp that touches nothing cannot be put into words")
    texts = texts or load_captions()
    made = [low(facts, texts, rng) for _ in range(LOW)] + [high(facts, texts, rng) for _ in range(HIGH)]
    return tuple({caption.text: caption for caption in made + talk(facts, texts, rng)}.values())


def low(facts: Facts, texts: Texts, rng: np.random.Generator) -> Caption:
    """Which finger is on which part: of each finger that touches, the part that it touches most."""
    groups: dict[str, list[str]] = {}
    for finger in REGIONS:
        if finger in facts.fingers:
            groups.setdefault(next(iter(facts.fingers[finger]), ""), []).append(finger)
    clauses = []
    for part, fingers in groups.items():
        clause = draw(texts["contacts"]["part" if part else "bare"], rng)
        clauses.append(clause.replace("{fingers}", called(fingers, texts, rng)).replace("{part}", part))
    # "On the rim of the mug" needs a part, and only one of them can be followed by the thing's name.
    fitting = [text for text in texts["low"] if "{contacts} of" not in text or (len(groups) == 1 and "" not in groups)]
    text = filled(draw(fitting, rng), object=facts.name, contacts=listed(clauses))
    asked = tuple((finger, part) for part, fingers in groups.items() for finger in fingers if part)
    return Caption("low", text, asked)


def high(facts: Facts, texts: Texts, rng: np.random.Generator) -> Caption:
    """What for, how firmly, and by which part."""
    part = facts.held
    purpose = draw(texts["purposes"][facts.purpose], rng).replace("{use}", facts.use)
    text = draw(texts["high"]["named" if part else "anywhere"], rng)
    how = draw(texts["force"][facts.force], rng)
    text = filled(text, object=facts.name, part=part or "", purpose=purpose, how=how)
    return Caption("high", text, ((None, part),) if part else ())


def talk(facts: Facts, texts: Texts, rng: np.random.Generator) -> list[Caption]:
    """Requests that this grasp meets and another may not; all that are true, then some of them."""
    asked: list[tuple[str, dict[str, str], tuple[tuple[str | None, str], ...], tuple[str, ...]]] = []
    fingers = [finger for finger in FINGERS if finger in facts.fingers]
    whole = facts.fingers.keys() >= set(REGIONS)
    if len(facts.fingers) == 2 and "thumb" in fingers and len(fingers) == 2:
        asked.append(("two", {"finger": draw(texts["names"][fingers[1]], rng).removeprefix("the ")}, (), ()))
    if len(facts.fingers) == len(fingers) == 3:
        asked.append(("three", {}, (), ()))
    if whole:
        asked.append(("all", {}, (), ()))
    if "palm" not in facts.fingers:
        asked.append(("tips", {}, (), ()))
    asked.append((facts.force, {}, (), ()))
    asked += [("free", {"part": part}, (), (part,)) for part in facts.parts if part not in facts.touched]
    if facts.held and len(facts.parts) > 1:
        asked.append(("part", {"part": facts.held}, ((None, facts.held),), ()))
        finger = fingers[rng.integers(len(fingers))] if fingers else "palm"
        if facts.fingers[finger]:
            name, part = draw(texts["names"][finger], rng), facts.fingers[finger][0]
            asked.append(("finger", {"finger": name, "part": part}, ((finger, part),), ()))
    # The number of fingers and the parts tell more than the force does.
    weight = np.array([0.3 if group in ("firm", "light") else 1.0 for group, *_ in asked])
    chosen = rng.choice(len(asked), size=min(TALK, len(asked)), replace=False, p=weight / weight.sum())
    return [
        Caption("talk", filled(draw(texts["talk"][group], rng), **words), pairs, free)
        for group, words, pairs, free in (asked[i] for i in chosen)
    ]


def called(fingers: Sequence[str], texts: Texts, rng: np.random.Generator) -> str:
    """Fingers in words: all five as one."""
    if set(FINGERS) <= set(fingers):
        palm = [draw(texts["names"]["palm"], rng)] if "palm" in fingers else []
        return listed([draw(texts["together"], rng), *palm])
    return listed([draw(texts["names"][finger], rng) for finger in fingers])


def draw(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def filled(text: str, **words: str) -> str:
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
