"""What is true of things, and which of those in view a need is met by.

A fact is sure, or one may argue about it. Only sure facts make a target right; where an arguable one is in view, the
need is not decidable there, and no data set asks for it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, get_args

from graspwise.data.yaml_file import listing, read_yaml
from graspwise.errors import InputError

FACTS = Path(__file__).resolve().parents[1] / "templates" / "wish_facts.yaml"
# A state that is seen and not known: something stands in it that must not be held.
FILLED = "filled"
Answer = Literal["yes", "perhaps", "no"]
# Sets of the simulator, and of GraspNet: the objects of its training scenes, and those that only its test scenes show.
SetName = Literal["train", "household", "graspnet", "graspnet-test"]
# What a category is called of which nobody knows what it is.
NAMELESS = "object"


@dataclass(frozen=True)
class Thing:
    """An object of a scene, as facts see it.

    Attributes:
        index: Its value in the mask of objects.
        category: What it is, as in "mug".
        description: What it looks like, as in "red mug".
        material: What it is said to be made of; "" where nothing says so.
        parts: Names of the parts in view that may be held.
        avoid: Names of the parts in view that must not be held; they are never a target.
    """

    index: int
    category: str
    description: str
    material: str
    parts: tuple[str, ...]
    avoid: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """A thing from an entry of `objects` in a scene.json, all of whose parts count as in view.

        Raises:
            KeyError: the entry lacks its index, category, description or parts.
        """
        return cls(
            index=entry["index"],
            category=entry["category"],
            description=entry["description"],
            material=entry.get("material", ""),
            parts=tuple(part["name"] for part in entry["parts"] if not part["avoid"]),
            avoid=tuple(part["name"] for part in entry["parts"] if part["avoid"]),
        )


@dataclass(frozen=True)
class Need:
    """What a wish asks of a thing: all that is not None; a need of nothing is met by anything.

    Attributes:
        purpose: What the thing must serve, as in "drink".
        state: What it must be, as in "sharp".
        material: What it must be made of, as in "wood".
        category: What it must be called: a category or a whole description.
        part_role: What the part to hold must be for, as in "open".
        part: The name of the part to hold.
    """

    purpose: str | None = None
    state: str | None = None
    material: str | None = None
    category: str | None = None
    part_role: str | None = None
    part: str | None = None

    @property
    def whole(self) -> Self:
        """The need without its part."""
        return replace(self, part_role=None, part=None)


@dataclass(frozen=True)
class Target:
    """A thing, or a part of it, that a need is met by.

    Attributes:
        index: The thing's index.
        name: Its category, or its description where another thing in view is of that category.
        part: The part's name; None where the whole thing is meant.
    """

    index: int
    name: str
    part: str | None


@dataclass(frozen=True)
class Facts:
    """What is true of a category.

    Attributes:
        sets: Object sets that have such things.
        looks: What some of them are described as, of those for training where there are any.
        serves: Purposes that it surely serves.
        may_serve: Purposes that it serves at need, or that one may argue about.
        states: What it surely is.
        may_be: What it is now and then.
        also: Other categories whose names it may go by.
        mixed: Whether its material is only that of one of its parts.
        parts: Roles by part name.
        kinds: Facts in place of these, by what a description contains.
    """

    sets: frozenset[str] = frozenset()
    looks: tuple[str, ...] = ()
    serves: frozenset[str] = frozenset()
    may_serve: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    may_be: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()
    mixed: bool = False
    parts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    kinds: Mapping[str, "Facts"] = field(default_factory=dict)


@dataclass(frozen=True)
class Words:
    """How a purpose or a state is put in a reason.

    Attributes:
        want: What one wants: "drink something", "something sharp".
        fact: What is true of a right thing: "holds a drink".
    """

    want: str
    fact: str


@dataclass(frozen=True)
class WishFacts:
    """A facts file.

    Attributes:
        purposes: Words of each purpose.
        states: Words of each state.
        materials: Materials by the word that a wish uses for them.
        contents: Names of parts that are the contents of a filled thing.
        roles: What is true of a part in that role, as a clause.
        categories: Facts by category.
    """

    purposes: Mapping[str, Words]
    states: Mapping[str, Words]
    materials: Mapping[str, frozenset[str]]
    contents: frozenset[str]
    roles: Mapping[str, str]
    categories: Mapping[str, Facts]

    def of(self, thing: Thing) -> Facts:
        """Facts about a thing; one of an unknown category may be and serve anything."""
        if thing.category not in self.categories:
            return Facts(may_serve=frozenset(self.purposes), may_be=frozenset(self.states), mixed=True)
        facts = self.categories[thing.category]
        return next((kind for key, kind in facts.kinds.items() if key in thing.description), facts)


@cache
def shipped_facts() -> WishFacts:
    """The facts that come with the package."""
    return load_facts(FACTS)


def serves(need: Need, thing: Thing) -> bool:
    """Whether a thing surely meets a need; if the need has a part, such a part is in view, too."""
    return meets(need, thing) == "yes"


def meets(need: Need, thing: Thing) -> Answer:
    """Whether a thing meets a need: yes, no, or perhaps, where one may argue or the part is not in view."""
    known = shipped_facts()
    facts = known.of(thing)
    answers: list[Answer] = []
    if need.purpose is not None:
        answers.append(listed(need.purpose, facts.serves, facts.may_serve))
    if need.state is not None:
        is_filled = need.state == FILLED and known.contents & {*thing.avoid}
        answers.append("yes" if is_filled else listed(need.state, facts.states, facts.may_be))
    if need.material is not None:
        answers.append(made_of(known.materials[need.material], thing, facts))
    if need.category is not None:
        answers.append(is_called(need.category, thing, known))
    if "no" not in answers and (need.part is not None or need.part_role is not None):
        answers.append("yes" if held_parts(need, thing) else "perhaps")
    return "no" if "no" in answers else "perhaps" if "perhaps" in answers else "yes"


def right_targets(need: Need, things: Sequence[Thing]) -> list[Target]:
    """All that meets a need, in the order of the things; [] where nothing in view does, which is to be refused."""
    categories = [thing.category for thing in things]
    targets = []
    for thing in things:
        if serves(need, thing):
            name = thing.category if categories.count(thing.category) == 1 else thing.description
            parts: Sequence[str | None] = held_parts(need, thing) or [None]
            targets += [Target(thing.index, name, part) for part in parts]
    return targets


def is_decidable(need: Need, things: Sequence[Thing]) -> bool:
    """Whether nobody could argue about which of the things meet a need."""
    return all(meets(need, thing) != "perhaps" for thing in things)


def held_parts(need: Need, thing: Thing) -> list[str]:
    """Parts in view that the need is to hold; [] where it has no part, or none of them is in view."""
    if need.part is not None:
        return [part for part in thing.parts if part == need.part]
    roles = shipped_facts().categories.get(thing.category, Facts()).parts
    return [part for part in thing.parts if need.part_role is not None and need.part_role in roles.get(part, ())]


def listed(tag: str, sure: Collection[str], arguable: Collection[str]) -> Answer:
    return "yes" if tag in sure else "perhaps" if tag in arguable else "no"


def made_of(materials: Collection[str], thing: Thing, facts: Facts) -> Answer:
    """Whether a thing is made of one of these materials and of nothing else."""
    if not thing.material or facts.mixed:
        return "perhaps"
    words = thing.material.split()
    return "yes" if thing.material in materials else "perhaps" if any(word in materials for word in words) else "no"


def is_called(name: str, thing: Thing, known: WishFacts) -> Answer:
    """Whether a thing goes by a category or a whole description."""
    if name in (thing.category, thing.description):
        return "yes"
    # "bottle" may mean a spray bottle, and "red mug" a red and white mug.
    asked, seen = {*name.split()}, {*thing.description.split()}
    alike = thing.category in name and (asked <= seen or asked >= seen)
    if thing.category == NAMELESS or alike or thing.category.endswith(name) or thing.description.endswith(name):
        return "perhaps"
    also = known.categories.get(thing.category, Facts()).also
    # "red mug" may mean a red cup.
    return "perhaps" if any(name == other or name.endswith(f" {other}") for other in also) else "no"


def load_facts(path: Path) -> WishFacts:
    """Read a facts file.

    Raises:
        InputError: it is missing, is not YAML, or uses a purpose, state, role or category that it does not have.
    """
    content = read_yaml(path, sections=[entry.name for entry in fields(WishFacts)])
    try:
        purposes, states = ({tag: Words(**w) for tag, w in content[key].items()} for key in ("purposes", "states"))
        roles = {str(role): str(fact) for role, fact in content["roles"].items()}
        categories = {str(name): facts_from(entry) for name, entry in content["categories"].items()}
        materials = {str(word): frozenset(names) for word, names in content["materials"].items()}
        contents = frozenset(content["contents"])
    except (TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: {error}; valid are entries as in the shipped wish_facts.yaml") from error
    for name, facts in categories.items():
        for entry in (facts, *facts.kinds.values()):
            used: dict[str, tuple[Collection[str], Collection[str]]] = {
                "purposes": (entry.serves | entry.may_serve, purposes),
                "states": (entry.states | entry.may_be, states),
                "roles": (frozenset().union(*entry.parts.values()), roles),
                "categories": (entry.also, categories),
                "sets": (entry.sets, get_args(SetName)),
            }
            for section, (tags, known) in used.items():
                if unknown := sorted(tag for tag in tags if tag not in known):
                    raise InputError(f"{path}: {name}: found {unknown[0]!r}; valid are the {section}: {listing(known)}")
    return WishFacts(purposes, states, materials, contents, roles, categories)


def facts_from(entry: Mapping[str, Any]) -> Facts:
    """Facts from a category's entry in the file.

    Raises:
        ValueError: it has another key.
    """
    keys = {key: key for key in ("sets", "serves", "also")}
    keys |= {"may serve": "may_serve", "is": "states", "may be": "may_be"}
    if unknown := sorted({*entry} - {*keys, "looks", "mixed", "parts", "kinds"}):
        raise ValueError(f"found {unknown[0]!r} in a category")
    return Facts(
        **{name: frozenset(entry.get(key, ())) for key, name in keys.items()},
        looks=tuple(entry.get("looks", ())),
        mixed=bool(entry.get("mixed", False)),
        parts={part: frozenset(roles) for part, roles in entry.get("parts", {}).items()},
        kinds={key: facts_from(kind) for key, kind in entry.get("kinds", {}).items()},
    )
