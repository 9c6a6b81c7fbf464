"""Wishes: which of them fit what is in view, and what is answered in words."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

from numpy.random import Generator

from graspwise.answer import SPT
from graspwise.data.wish_facts import (
    FILLED,
    NAMELESS,
    Need,
    SetName,
    Target,
    Thing,
    is_decidable,
    meets,
    right_targets,
    shipped_facts,
)
from graspwise.data.wish_texts import ANY, shipped_texts, sort_of
from graspwise.data.wish_texts import KINDS as KINDS
from graspwise.data.wish_texts import Kind as Kind
from graspwise.data.wish_texts import Wish as Wish
from graspwise.data.wish_texts import load_wishes as load_wishes

# Sets whose scenes tell parts, contents and looks of things; of the others they do not.
TELLING: frozenset[SetName] = frozenset({"train", "household"})


def explicit_wish(kind: Kind, thing: Thing, part: str | None, rng: Generator, *, test: bool) -> Wish:
    """A wish that names a thing by its category or its description, or a part of it.

    Args:
        kind: "object explicit" or "part explicit".
        thing: What is named.
        part: Name of the part, for "part explicit".
        rng: Decides the words.
        test: Word it by a family for testing.

    Raises:
        ValueError: the kind is implicit, or it and the part do not go together.
    """
    if kind not in ("object explicit", "part explicit") or (part is not None) != (kind == "part explicit"):
        raise ValueError(f"{kind} with the part {part}; valid are object explicit, or part explicit with a part")
    name = thing.category if rng.random() < 0.5 else thing.description
    family, template = pick(shipped_texts().explicit[kind, test], rng)
    return Wish(template.format(object=name, part=part), kind, family, Need(category=name, part=part), test)


def any_wish(rng: Generator, *, test: bool) -> Wish:
    """A wish that names no target: everything in view is right, and it is never refused."""
    return pick([wish for wish in load_wishes() if wish.family.startswith(ANY) and wish.test == test], rng)


def wishes_about(things: Sequence[Thing], *, kind: Kind, test: bool, rng: Generator) -> Wish | None:
    """A random wish of a kind that is decidable among things: something meets it, and where there are more, not all do.

    Args:
        things: All that is in view.
        kind: Which kind.
        test: Draw it from the families for testing, else from those for training.
        rng: Decides which thing it is about, each being as likely, and the wish.

    Returns:
        The wish; None where no wish of this kind is decidable there.
    """
    for place in rng.permutation(len(things)):
        for wish in candidates(things[int(place)], kind=kind, test=test, rng=rng):
            if meets(wish.need, things[int(place)]) == "yes" and is_decidable(wish.need, things):
                right = {target.index for target in right_targets(wish.need, things)}
                if len(right) < len(things) or len(things) == 1:
                    return wish
    return None


def refusable_wish(things: Sequence[Thing], *, sets: Collection[SetName], test: bool, rng: Generator) -> Wish | None:
    """A random wish that surely nothing in view meets; any kind that scenes of the sets are asked is as likely.

    Args:
        things: All that is in view.
        sets: It asks for what things of these sets meet, so that what is refused in some of their scenes is there in
            others.
        test: Draw it from the families for testing, else from those for training.
        rng: Decides the wish.

    Returns:
        The wish; None where something in view may meet every wish.
    """
    kinds = KINDS if TELLING & {*sets} else tuple(kind for kind in KINDS if kind.startswith("object"))
    for at in rng.permutation(len(kinds)):
        for wish in absent(kinds[int(at)], sets=sets, test=test, rng=rng):
            if all(meets(wish.need.whole, thing) == "no" for thing in things):
                return wish
    return None


def reason_text(wish: Wish, target: Target, thing: Thing, rng: Generator) -> str:
    """The answer to a wish: why, and the target between two [SPT] tokens, named only there.

    "You want to drink something, and this holds a drink, so here is the [SPT] mug [SPT]."

    Args:
        wish: The wish.
        target: What meets it.
        thing: The thing that the target is, or is a part of.
        rng: Decides the words.

    Raises:
        ValueError: the thing is not the target's.
    """
    if thing.index != target.index:
        raise ValueError(f"target {target.index} is not thing {thing.index}")
    named = target.name if target.part is None else f"{target.part} of the {target.name}"
    want, fact = words_of(wish.need)
    template = pick(shipped_texts().reasons[sort_of(wish.need)], rng)
    return template.format(want=want, fact=fact, target=f"{SPT} {named} {SPT}")


def refusal_text(wish: Wish, rng: Generator) -> str:
    """The answer to a wish that nothing in view meets: "Nothing here serves to drink something."

    Raises:
        ValueError: anything meets the wish.
    """
    sort = sort_of(wish.need.whole)
    if sort == ANY:
        raise ValueError(f"{wish.text!r} is met by anything")
    return pick(shipped_texts().refusals[sort], rng).format(want=words_of(wish.need)[0])


def polite(text: str, rng: Generator) -> str:
    """A text with a polite frame before it, after it, or both."""
    texts = shipped_texts()
    where = int(rng.integers(3))
    before = f"{pick(texts.before, rng)} " if where != 1 else ""
    return f"{before}{text} {pick(texts.after, rng)}" if where != 0 else before + text


def plain(text: str) -> str:
    """A text without the polite frames around it."""
    texts = shipped_texts()
    while True:
        bare = text
        for frame in texts.before:
            bare = bare.removeprefix(f"{frame} ")
        for frame in texts.after:
            bare = bare.removesuffix(f" {frame}")
        if bare == text:
            return text
        text = bare


def candidates(thing: Thing, *, kind: Kind, test: bool, rng: Generator) -> Iterator[Wish]:
    """Wishes of a kind that may be about a thing, in random order; of those with the same need one."""
    if kind.endswith("implicit"):
        texts = implicit_wishes(kind, test)
        needs = list(texts)
        for place in rng.permutation(len(needs)):
            if meets(needs[int(place)], thing) == "yes":
                yield pick(texts[needs[int(place)]], rng)
    elif thing.category != NAMELESS:
        # The only part of a ball is called ball.
        parts = [part for part in thing.parts if part != thing.category] if kind == "part explicit" else [None]
        for place in rng.permutation(len(parts)):
            # Once more where the first name is not decidable: the other may be.
            yield explicit_wish(kind, thing, parts[int(place)], rng, test=test)
            yield explicit_wish(kind, thing, parts[int(place)], rng, test=test)


def absent(kind: Kind, *, sets: Collection[SetName], test: bool, rng: Generator) -> Iterator[Wish]:
    """Wishes of a kind that things of these sets meet, in random order."""
    told, known = bool(TELLING & {*sets}), shipped_facts()
    categories = {name: facts for name, facts in known.categories.items() if facts.sets & {*sets}}
    looks = {name: facts.looks if told and facts.looks else (name,) for name, facts in categories.items()}
    if kind.endswith("implicit"):
        sure = [known.of(Thing(0, name, look, "", ())) for name in categories for look in looks[name]]
        purposes, states = ({tag for e in sure for tag in e.serves}, {tag for e in sure for tag in e.states})
        texts = implicit_wishes(kind, test)
        needs = list(texts)
        for place in rng.permutation(len(needs)):
            need = needs[int(place)]
            if need.purpose in purposes or need.state in states or (told and (need.state == FILLED or need.material)):
                yield pick(texts[need], rng)
        return
    names = [name for name, facts in categories.items() if kind == "object explicit" or facts.parts]
    for place in rng.permutation(len(names)):
        name = names[int(place)]
        part = pick(sorted(categories[name].parts), rng) if kind == "part explicit" else None
        yield explicit_wish(kind, Thing(0, name, pick(looks[name], rng), "", ()), part, rng, test=test)


@cache
def implicit_wishes(kind: Kind, test: bool) -> dict[Need, list[Wish]]:
    """The shipped implicit wishes of a kind by their need."""
    texts: dict[Need, list[Wish]] = {}
    for wish in load_wishes():
        if wish.kind == kind and wish.test == test:
            texts.setdefault(wish.need, []).append(wish)
    return texts


def words_of(need: Need) -> tuple[str, str]:
    """What one wants by a need, and what is true of what meets it, or of the part to hold."""
    facts = shipped_facts()
    words = facts.purposes.get(need.purpose or "") or facts.states.get(need.state or "")
    want = words.want if words else need.material or need.category or ""
    fact = words.fact if words else ""
    return want, facts.roles[need.part_role] if need.part_role is not None else fact


def pick(options: Sequence[Any], rng: Generator) -> Any:
    return options[int(rng.integers(len(options)))]
