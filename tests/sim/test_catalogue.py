"""The object sets: what the conventions promise of them, names that are found, names that are not."""

import re
from collections.abc import Iterator

import numpy as np
import pytest

from graspwise.data.templates import load_reasoning
from graspwise.errors import InputError
from graspwise.sim.bodies import volume_of
from graspwise.sim.catalogue import FAMILIES, HOUSEHOLD, INSTANCES, Entry, entries, thing_of
from graspwise.sim.shapes import PATTERNS, SimObject


def all_things() -> Iterator[tuple[str, SimObject]]:
    yield from ((f"household/{name}", thing) for name, thing in HOUSEHOLD.items())
    for family in FAMILIES:
        yield from (
            (f"train/{family}-{instance:02d}", thing_of(f"train/{family}-{instance:02d}")) for instance in (0, 31)
        )


THINGS = dict(all_things())


def test_the_sets_are_as_large_as_the_conventions_say() -> None:
    assert len(HOUSEHOLD) == 27
    assert len(FAMILIES) >= 60
    assert {"mug", "hammer", "scissors", "banana", "screwdriver", "sunglasses", "bottle"} <= set(HOUSEHOLD)


def test_some_household_categories_are_in_no_training_family() -> None:
    known = {thing_of(f"train/{family}-00").category for family in FAMILIES}
    asked = {thing.category for thing in HOUSEHOLD.values()}
    assert len(asked - known) >= 5
    assert len(asked & known) > len(asked) / 2


def test_no_household_object_is_a_training_object() -> None:
    trained = [thing for object_id, thing in THINGS.items() if object_id.startswith("train/")]
    assert not [thing.name for thing in HOUSEHOLD.values() if any(thing.parts == other.parts for other in trained)]


@pytest.mark.parametrize("object_id", THINGS)
def test_every_thing_is_made_properly(object_id: str) -> None:
    thing = THINGS[object_id]
    assert thing.category and thing.description and thing.material and thing.use
    assert thing.category == thing.category.lower()
    assert not re.match(r"(a|an|the) ", thing.description)
    assert thing.parts and all(part.pieces for part in thing.parts)
    names = [part.name for part in thing.parts]
    assert len(set(names)) == len(names)
    assert not all(part.avoid for part in thing.parts)
    longest = np.ptp(thing.cloud(), axis=0).max()
    assert 0.01 < longest < 0.36
    assert 0.001 < thing.mass < 2
    assert 0.1 <= thing.friction <= 1.2
    assert thing.poses and all(len(pose) == 3 for pose in thing.poses)
    for part in thing.parts:
        for piece in part.pieces:
            assert volume_of(piece) > 0
            assert piece.paint.pattern in PATTERNS
            assert all(0 <= channel <= 1 for channel in (*piece.paint.colour, *piece.paint.second))
            assert 0 <= piece.paint.shine <= 1 and 0 < piece.paint.opacity <= 1
            assert np.isfinite(piece.cloud()).all()
            assert np.linalg.norm(piece.turn) == pytest.approx(1)


def test_household_names_are_their_own() -> None:
    assert all(name == thing.name for name, thing in HOUSEHOLD.items())


@pytest.mark.parametrize("family", ["mug", "apple", "wrench"])
def test_instances_of_a_family_differ_and_keep_their_category(family: str) -> None:
    instances = [thing_of(f"train/{family}-{number:02d}") for number in range(6)]
    assert len({thing.category for thing in instances}) == 1
    sizes = [tuple(np.round(np.ptp(thing.cloud(), axis=0), 5)) for thing in instances]
    assert len(set(sizes)) == 6
    assert thing_of(f"train/{family}-03") == instances[3]


def test_a_draw_is_one_of_the_instances_and_its_id_brings_it_back() -> None:
    rng = np.random.default_rng(0)
    ids = set()
    for _ in range(10):
        object_id, thing = Entry("train", "mug").draw(rng)
        ids.add(object_id)
        assert re.fullmatch(r"train/mug-\d\d", object_id)
        assert int(object_id[-2:]) < INSTANCES
        assert thing_of(object_id) == thing
    assert len(ids) > 5
    object_id, thing = Entry("household", "hammer").draw(rng)
    assert (object_id, thing) == ("household/hammer", HOUSEHOLD["hammer"])
    assert thing_of(object_id) == thing


def test_names_of_sets_and_objects() -> None:
    assert [entry.name for entry in entries(["household"])] == list(HOUSEHOLD)
    assert [entry.name for entry in entries(["train"])] == list(FAMILIES)
    # Household first where both have it.
    assert entries(["mug"]) == [Entry("household", "mug")]
    assert entries(["train:mug", " household:mug "]) == [Entry("train", "mug"), Entry("household", "mug")]
    assert entries(["apple"]) == [Entry("train", "apple")]
    assert entries(["mug"], sets=("train",)) == [Entry("train", "mug")]


@pytest.mark.parametrize(
    ("names", "sets", "message"),
    [
        (["unicorn"], ("household", "train"), "unicorn: there is none of that name; valid are household, train"),
        ([""], ("household", "train"), "there is none of that name"),
        ([], ("household", "train"), "is empty"),
        (["household"], ("train",), "the set household is not for this; valid: train"),
        (["household:mug"], ("train",), "the set household is not for this; valid: train"),
        (["whisk"], ("train",), "a household object: those are for testing only"),
        (["train:whisk"], ("household", "train"), "there is none of that name"),
        (["shop:mug"], ("household", "train"), "shop:mug: there is none of that name"),
    ],
)
def test_names_that_are_not_valid_are_one_line(names: list[str], sets: tuple, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        entries(names, sets=sets)
    assert "\n" not in str(caught.value)


def test_every_category_has_texts_that_reason_about_it() -> None:
    categories = {thing.category for thing in HOUSEHOLD.values()} | {
        thing_of(f"train/{family}-00").category for family in FAMILIES
    }
    assert categories <= set(load_reasoning())


def test_at_least_five_household_categories_are_never_trained_on() -> None:
    trained = {thing_of(f"train/{family}-{number:02d}").category for family in FAMILIES for number in range(3)}
    assert len({thing.category for thing in HOUSEHOLD.values()} - trained) >= 5
