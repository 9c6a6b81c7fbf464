"""What a user says next about a scene: the other one, another part of it, or another thing."""

from dataclasses import replace

from numpy.random import Generator

from graspwise.data.wish_facts import Need, Target, is_decidable, right_targets
from graspwise.data.wish_scenes import WishScene, grasps_of
from graspwise.data.wish_texts import Kind, Wish, shipped_texts
from graspwise.data.wishes import pick


def next_wish(
    scene: WishScene, wish: Wish, targets: tuple[Target, ...], *, test: bool, rng: Generator
) -> tuple[Wish, tuple[Target, ...]] | None:
    """A wish that goes on from an answered one, and its targets, the one to name first.

    Args:
        scene: What is in view.
        wish: What was wished for before.
        targets: What was right, first the one that was named; () where nothing was.
        test: Word it by the texts for testing.
        rng: Decides which of those that the scene gives, each sort being as likely, and its words.

    Returns:
        None where nothing sensible can be said next.
    """
    found = {
        "other": the_other(scene, wish, targets),
        "part": another_part(scene, targets),
        "instead": another_thing(scene, targets),
    }
    sorts = [sort for sort, options in found.items() if options]
    if not sorts:
        return None
    sort = pick(sorts, rng)
    need, target = pick(found[sort], rng)
    words = pick(shipped_texts().turns[sort, test], rng).format(object=need.category, part=need.part)
    if sort == "other":
        return replace(wish, text=words, family=f"turn: {sort}", test=test), (target,)
    kind: Kind = "part explicit" if need.part else "object explicit"
    # The thing that lies there twice was told apart by its description.
    meant = [t for t in right_targets(need, scene.things) if t != target and grasps_of(scene, [t])]
    return Wish(words, kind, f"turn: {sort}", need, test), (target, *(meant if sort == "instead" else ()))


def the_other(scene: WishScene, wish: Wish, targets: tuple[Target, ...]) -> list[tuple[Need, Target]]:
    """The other of exactly two things that are right."""
    if len(targets) < 2 or len({target.index for target in right_targets(wish.need, scene.things)}) != 2:
        return []
    others = [t for t in targets if t.index != targets[0].index and grasps_of(scene, [t])]
    return [(wish.need, others[0])] if others and wish.need != Need() else []


def another_part(scene: WishScene, targets: tuple[Target, ...]) -> list[tuple[Need, Target]]:
    """Another part of the thing that was named."""
    if not targets:
        return []
    first = targets[0]
    thing = scene.thing(first.index)
    parts = [part for part in thing.parts if part not in (first.part, thing.category)]
    found = [Target(first.index, first.name, part) for part in parts]
    return [(Need(category=thing.category, part=t.part), t) for t in found if t.part and grasps_of(scene, [t])]


def another_thing(scene: WishScene, targets: tuple[Target, ...]) -> list[tuple[Need, Target]]:
    """Another thing by its name, where that is sure to mean it."""
    found = []
    for thing in scene.things:
        need = Need(category=thing.category)
        right = right_targets(need, scene.things) if is_decidable(need, scene.things) else []
        held = [t for t in right if t.index == thing.index and grasps_of(scene, [t])]
        if held and not any(t.index == target.index for t in right for target in targets[:1]):
            found.append((need, held[0]))
    return found
