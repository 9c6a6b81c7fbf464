"""The families of train_kitchen and, laid on the same tables, of train_food."""

import colorsys
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from graspwise.sim import train_food, train_kitchen
from graspwise.sim.forms import UPRIGHT
from graspwise.sim.scene import Unsettled, compose
from graspwise.sim.shapes import Part, SimObject

Family = Callable[[Generator], SimObject]
FAMILIES: dict[str, Family] = {**train_kitchen.FAMILIES, **train_food.FAMILIES}
TEST_ONLY = {"whisk", "banana", "stapler", "flashlight", "hairbrush", "toy_car"}
# What is sharp, or comes off, or is wet.
AVOIDED = {
    "fork": {"tines"}, "table_knife": {"blade"}, "peeler": {"blade"}, "can_opener": {"wheel"}, "corkscrew": {"worm"},
    "bottle_opener": {"tooth"}, "apple": {"stem"}, "tomato": {"leaves"}, "carrot": {"greens"},
    "mug": {"drink"}, "tea_cup": {"drink"},
}  # fmt: skip
SEEDS = range(6)

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


@cache
def draws(family: Family) -> list[SimObject]:
    return [family(default_rng(seed)) for seed in SEEDS]


def test_the_families_are_of_the_table_and_none_is_kept_for_testing() -> None:
    assert len(train_kitchen.FAMILIES) == 14
    assert len(train_food.FAMILIES) == 18
    assert len(FAMILIES) == 32
    assert not TEST_ONLY & set(FAMILIES)


@every_family
def test_names_and_words(family: Family) -> None:
    for thing in draws(family):
        assert FAMILIES[thing.name] is family
        assert " " in thing.description
        for words in (thing.category, thing.description, thing.material, thing.use):
            assert words and words == words.strip().lower() and "_" not in words and "  " not in words
        assert thing.name in ("corkscrew", "tongs") or thing.category.split()[-1] in thing.description


@every_family
def test_the_same_seed_makes_the_same_and_another_another(family: Family) -> None:
    assert family(default_rng(3)) == family(default_rng(3))
    things = draws(family)
    assert len({thing.mass for thing in things}) == len(things)
    sizes = np.array([np.ptp(thing.cloud(), axis=0) for thing in things])
    assert (sizes.std(axis=0) > 0.0005).any()
    assert len({thing.parts[0].pieces[0].paint.colour for thing in things}) == len(things)


@every_family
def test_sizes_and_masses_are_real(family: Family) -> None:
    for thing in draws(family):
        length, width, height = sorted(np.ptp(thing.cloud(), axis=0), reverse=True)
        assert 0.04 <= length <= 0.2405
        assert height >= 0.01
        assert width >= 0.01
        assert 0.02 <= thing.mass <= 0.6
        assert 0.5 <= thing.friction <= 0.9
        assert sum(len(part.pieces) for part in thing.parts) <= 60


@every_family
def test_what_stands_is_low_enough_for_the_gripper(family: Family) -> None:
    for thing in draws(family):
        if thing.poses[0] == (0.0, 0.0, 0.0):
            assert np.ptp(thing.cloud()[:, 2]) <= 0.2


@every_family
def test_parts_are_named_once_and_most_may_be_held(family: Family) -> None:
    for thing in draws(family):
        names = [part.name for part in thing.parts]
        assert 2 <= len(set(names)) == len(names) <= 5
        assert {part.name for part in thing.parts if part.avoid} <= AVOIDED.get(thing.name, set())
        assert all(part.pieces for part in thing.parts)


@pytest.mark.parametrize("name", AVOIDED)
def test_what_is_sharp_or_loose_must_not_be_held(name: str) -> None:
    found = {part.name for seed in range(20) for part in FAMILIES[name](default_rng(seed)).parts if part.avoid}
    assert found == AVOIDED[name]


@every_family
def test_no_piece_is_too_thin_to_collide(family: Family) -> None:
    for thing in draws(family):
        assert min(thickness(part).min() for part in thing.parts) >= 0.0025


@every_family
def test_something_that_may_be_held_stands_up_and_fits_between_the_jaws(family: Family) -> None:
    for thing in draws(family):
        table = thing.cloud()[:, 2].min()
        held = [part for part in thing.parts if not part.avoid]
        fits = [w <= 0.072 and p.cloud()[:, 2].max() - table >= 0.01
                for part in held for w, p in zip(thickness(part), part.pieces, strict=True)]  # fmt: skip
        assert any(fits)


@pytest.mark.parametrize("name", ["spoon", "spatula", "peeler", "funnel", "corkscrew", "mug", "bottle", "corn"])
def test_how_it_is_built_varies_too(name: str) -> None:
    built = {tuple(len(part.pieces) for part in FAMILIES[name](default_rng(seed)).parts) for seed in range(30)}
    made_of = {FAMILIES[name](default_rng(seed)).material for seed in range(30)}
    assert len(built) > 1 or len(made_of) > 1


@pytest.mark.parametrize("name", ["mug", "bowl", "dish", "tea_cup", "salt_shaker", "funnel"])
def test_the_colour_that_is_said_is_the_colour_that_is_there(name: str) -> None:
    hues = {"red": 0.0, "yellow": 0.135, "green": 0.36, "blue": 0.62}
    told = set()
    for seed in range(60):
        thing = FAMILIES[name](default_rng(seed))
        word = thing.description.removeprefix("speckled ").split()[0]
        if word in hues:
            seen, strength, _ = colorsys.rgb_to_hsv(*thing.parts[0].pieces[0].paint.colour)
            assert strength > 0.4
            assert abs((seen - hues[word] + 0.5) % 1 - 0.5) < 0.06
            told.add(word)
    assert len(told) >= 3


@every_family
def test_it_comes_to_rest(family: Family) -> None:
    thing = draws(family)[1]
    assert settles(replace(thing, poses=thing.poses[:1]))


@pytest.mark.parametrize("name", ["bottle", "can", "onion", "funnel", "mug", "salt_shaker", "potato_masher"])
def test_it_comes_to_rest_on_its_side(name: str) -> None:
    drawn = (FAMILIES[name](default_rng(seed)) for seed in range(60))
    thing = next(thing for thing in drawn if thing.poses[-1] != UPRIGHT)
    assert settles(replace(thing, poses=thing.poses[-1:]))


def settles(thing: SimObject) -> bool:
    try:
        compose([thing], seed=2)
    except Unsettled:
        return False
    return True


def thickness(part: Part) -> np.ndarray:
    """Each piece's least extent (n,) along its own principal axes, metres."""
    least = []
    for piece in part.pieces:
        cloud = piece.cloud() - piece.cloud().mean(axis=0)
        axes = np.linalg.svd(cloud, full_matrices=False)[2]
        least.append(np.ptp(cloud @ axes.T, axis=0).min())
    return np.array(least)
