from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from graspwise.sim import household_home, household_kitchen, household_tools
from graspwise.sim.scene import compose
from graspwise.sim.shapes import Part, Piece, SimObject, Vector

OBJECTS: dict[str, SimObject] = {
    **household_kitchen.OBJECTS, **household_tools.OBJECTS, **household_home.OBJECTS,
}  # fmt: skip
CATEGORIES = {
    "mug": "mug", "coffee_mug": "mug", "bottle": "bottle", "soda_bottle": "bottle", "can": "can", "bowl": "bowl",
    "spoon": "spoon", "wooden_spoon": "spoon", "kitchen_knife": "knife", "spatula": "spatula", "whisk": "whisk",
    "banana": "banana", "lemon": "lemon", "hammer": "hammer", "screwdriver": "screwdriver",
    "stubby_screwdriver": "screwdriver", "pliers": "pliers", "scissors": "scissors", "tape": "tape",
    "stapler": "stapler", "flashlight": "flashlight", "marker": "marker", "sunglasses": "sunglasses",
    "remote_control": "remote control", "toothbrush": "toothbrush", "hairbrush": "brush", "toy_car": "toy",
}  # fmt: skip
# What must not be held; of every other object all of it may.
AVOIDED = {
    "coffee_mug": {"coffee"}, "lemon": {"leaf"}, "kitchen_knife": {"blade"}, "screwdriver": {"tip"},
    "stubby_screwdriver": {"tip"}, "scissors": {"blades"}, "flashlight": {"lens"}, "sunglasses": {"lenses"},
    "toothbrush": {"bristles"}, "hairbrush": {"bristles"},
}  # fmt: skip
# What a person may name to hold it by.
HELD = {
    "mug": {"rim", "handle"}, "coffee_mug": {"rim", "handle"}, "bottle": {"cap", "label"}, "soda_bottle": {"cap"},
    "can": {"rim", "lid"}, "bowl": {"rim"}, "kitchen_knife": {"handle"}, "hammer": {"handle", "head"},
    "screwdriver": {"handle", "shaft"}, "stubby_screwdriver": {"handle"}, "pliers": {"handles", "jaws"},
    "scissors": {"handles"}, "spatula": {"handle"}, "whisk": {"handle"}, "flashlight": {"body", "button"},
    "sunglasses": {"frame", "bridge", "temples"}, "remote_control": {"buttons"}, "toothbrush": {"handle"},
    "hairbrush": {"handle"}, "banana": {"body", "stem"}, "toy_car": {"roof", "wheels"},
}  # fmt: skip

every_object = pytest.mark.parametrize("thing", OBJECTS.values(), ids=OBJECTS)
every_pose = pytest.mark.parametrize(
    ("thing", "pose"),
    [pytest.param(t, pose, id=f"{t.name}-{number}") for t in OBJECTS.values() for number, pose in enumerate(t.poses)],
)


def test_the_set_is_27_things_of_23_categories() -> None:
    assert {name: thing.category for name, thing in OBJECTS.items()} == CATEGORIES
    assert all(name == thing.name for name, thing in OBJECTS.items())
    modules = (household_kitchen, household_tools, household_home)
    assert [len(module.OBJECTS) for module in modules] == [13, 8, 6]
    assert len(set(CATEGORIES.values())) == 23


def test_no_two_things_are_described_alike() -> None:
    descriptions = [thing.description for thing in OBJECTS.values()]
    assert len(set(descriptions)) == 27
    assert all(len(words.split()) >= 2 or words == "wooden spoon" for words in descriptions)


@every_object
def test_parts(thing: SimObject) -> None:
    names = [part.name for part in thing.parts]
    assert len(set(names)) == len(names)
    assert 2 <= len(names) <= 5
    assert {part.name for part in thing.parts if part.avoid} == AVOIDED.get(thing.name, set())
    allowed = {part.name for part in thing.parts if not part.avoid}
    assert allowed >= HELD.get(thing.name, set())
    assert allowed


@every_object
def test_in_words(thing: SimObject) -> None:
    assert thing.use
    assert thing.material
    for words in (thing.category, thing.description, thing.material, thing.use, *(part.name for part in thing.parts)):
        assert words == words.strip().lower()


@every_object
def test_mass_friction_and_size_are_of_a_real_thing(thing: SimObject) -> None:
    assert 0.02 <= thing.mass <= 0.6
    assert 0.5 <= thing.friction <= 0.9
    lengths = np.ptp(thing.cloud(), axis=0)
    assert 0.08 <= lengths.max() <= 0.24
    for pose in thing.poses:
        assert np.ptp(Rotation.from_euler("xyz", pose).apply(thing.cloud())[:, 2]) <= 0.2


@every_object
def test_pieces_are_few_and_not_thin(thing: SimObject) -> None:
    pieces = pieces_of(thing.parts)
    assert len(pieces) <= 60
    assert min(thickness(piece) for piece in pieces) > 0.0028


@every_object
def test_nothing_floats(thing: SimObject) -> None:
    clouds = [piece.cloud() for piece in pieces_of(thing.parts)]
    low = np.stack([cloud.min(axis=0) for cloud in clouds]) - 0.0005
    high = np.stack([cloud.max(axis=0) for cloud in clouds])
    above = (high[:, None] > low[None]).all(axis=2)
    touching = np.asarray(above & above.T)
    reached = touching[0]
    for _ in clouds:
        reached = touching[reached].any(axis=0)
    assert reached.all()


@every_pose
def test_settles_as_it_was_put(thing: SimObject, pose: Vector) -> None:
    scene = compose([replace(thing, poses=(pose,))], seed=5)
    data = scene.data()
    body = scene.objects[0].body
    turn = Rotation.from_matrix(data.xmat[body].reshape(3, 3))
    up, meant = (rotation.inv().apply([0, 0, 1]) for rotation in (turn, Rotation.from_euler("xyz", pose)))
    # A mug on its side rolls onto its handle.
    assert np.degrees(np.arccos(np.clip(up @ meant, -1, 1))) < 30
    assert abs((turn.apply(thing.cloud()) + data.xpos[body])[:, 2].min()) < 0.0015
    allowed = [piece.cloud() for piece in pieces_of([part for part in thing.parts if not part.avoid])]
    assert (turn.apply(np.concatenate(allowed)) + data.xpos[body])[:, 2].max() > 0.009


@pytest.mark.parametrize("name", ["mug", "coffee_mug", "bowl"])
def test_hollow_things_leave_room_for_a_finger_inside_the_rim(name: str) -> None:
    thing = OBJECTS[name]
    rim = next(part for part in thing.parts if part.name == "rim")
    top = thing.cloud()[:, 2].max()
    middle = [piece for piece in pieces_of(thing.parts) if holds_axis(piece) and piece not in rim.pieces]
    assert middle
    assert max(piece.cloud()[:, 2].max() for piece in middle) < top - 0.035


def pieces_of(parts: tuple[Part, ...] | list[Part]) -> list[Piece]:
    return [piece for part in parts for piece in part.pieces]


def holds_axis(piece: Piece) -> bool:
    """Whether the piece lies on the z axis of its object."""
    cloud = piece.cloud()[:, :2]
    return bool((cloud.min(axis=0) < 0).all() and (cloud.max(axis=0) > 0).all())


def thickness(piece: Piece) -> float:
    """Between the closest two parallel planes that hold the piece, one of them along a face."""
    cloud = piece.cloud()
    return min(float(np.ptp(cloud @ normal)) for normal in ConvexHull(cloud).equations[:, :3])
