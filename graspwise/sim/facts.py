"""A scene in words: what each thing is, what it is for, and what lies where, true by construction."""

from collections.abc import Sequence

from graspwise.sim.shapes import SimObject

# Farther apart than this share of the larger offset, "left of" means left and not mostly above.
CLEAR = 0.5


def scene_facts(things: Sequence[SimObject], middles: Sequence[tuple[float, float] | None]) -> list[str]:
    """Sentences about the things and how they lie in the picture.

    Args:
        things: The objects of a scene.
        middles: Middle of each in the picture, pixels, y down; None where it is hidden.
    """
    facts = []
    for thing in things:
        facts.append(f"The {thing.description} is made of {thing.material}.")
        if thing.use:
            facts.append(f"The {thing.description} is used to {thing.use}.")
        names = [part.name for part in thing.parts]
        if len(names) > 1:
            facts.append(f"The {thing.description} has {listed(names)}.")
        facts += [
            f"The {part.name} of the {thing.description} should not be held." for part in thing.parts if part.avoid
        ]
    for a, first in enumerate(middles):
        for b, second in enumerate(middles):
            if a < b and first is not None and second is not None:
                facts.append(relation(things[a], things[b], (first[0] - second[0], first[1] - second[1])))
    return facts


def relation(thing: SimObject, other: SimObject, offset: tuple[float, float]) -> str:
    """How `thing` lies to `other`, `offset` pixels away from it."""
    x, y = offset
    words = []
    if abs(x) >= CLEAR * abs(y):
        words.append("left of" if x < 0 else "right of")
    if abs(y) >= CLEAR * abs(x):
        words.append("above" if y < 0 else "below")
    return f"The {thing.description} lies {' and '.join(words)} the {other.description}."


def listed(names: Sequence[str]) -> str:
    """A list in words: a handle, a body and a rim."""
    with_article = [name if is_plural(name) else f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names]
    return with_article[0] if len(names) == 1 else f"{', '.join(with_article[:-1])} and {with_article[-1]}"


def is_plural(name: str) -> bool:
    return name.endswith("s") and not name.endswith(("ss", "lens"))
