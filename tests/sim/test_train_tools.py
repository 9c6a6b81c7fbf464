import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from graspwise.sim import train_office, train_tools
from graspwise.sim.colours import COLOURS
from graspwise.sim.scene import VIEW, compose
from graspwise.sim.shapes import PATTERNS, SimObject

FAMILIES = {**train_tools.FAMILIES, **train_office.FAMILIES}
SEEDS = range(5)
HARMFUL = {
    "hammer": {"claw"}, "screwdriver": {"tip"}, "pliers": {"jaws"}, "chisel": {"blade"}, "putty_knife": {"blade"},
    "paint_brush": {"bristles"}, "utility_knife": {"blade"}, "tape_measure": {"tape"}, "spirit_level": {"vials"},
    "scissors": {"blades"}, "pen": {"tip"}, "pencil": {"point"}, "marker": {"tip"}, "calculator": {"screen"},
    "pencil_sharpener": {"blade"},
}  # fmt: skip
# Kept for testing unseen categories.
HELD_OUT = ("whisk", "banana", "stapler", "flashlight", "torch", "hairbrush", "hair brush", "toy car")


def draw(name: str, seed: int) -> SimObject:
    return FAMILIES[name](np.random.default_rng(seed))


def narrowest(cloud: np.ndarray) -> float:
    """Least width in the x, y plane."""
    angles = np.linspace(0, math.pi, 36, endpoint=False)
    return float(np.ptp(cloud[:, :2] @ np.stack([np.cos(angles), np.sin(angles)]), axis=0).min())


def test_there_are_enough_families_and_none_twice() -> None:
    assert len(train_tools.FAMILIES) >= 12
    assert len(train_office.FAMILIES) >= 11
    assert not set(train_tools.FAMILIES) & set(train_office.FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_instance_is_valid(name: str) -> None:
    for seed in SEEDS:
        thing = draw(name, seed)
        pieces = [piece for part in thing.parts for piece in part.pieces]
        names = [part.name for part in thing.parts]
        assert thing.name == name
        assert thing.description.endswith(thing.category) or thing.description.endswith(name.replace("_", " "))
        assert thing.use and thing.material
        assert not any(word in f"{thing.name} {thing.category} {thing.description}" for word in HELD_OUT)
        assert 2 <= len(names) <= 5 and len(set(names)) == len(names)
        assert 0 < len(pieces) <= 60
        assert 0.02 <= thing.mass <= 0.6 and 0.5 <= thing.friction <= 0.9
        for piece in pieces:
            assert piece.paint.pattern in PATTERNS
            assert all(0 <= c <= 1 for c in (*piece.paint.colour, *piece.paint.second, piece.paint.shine))
            assert np.linalg.matrix_rank(np.diff(piece.cloud(), axis=0), tol=1e-4) == 3


@pytest.mark.parametrize("name", FAMILIES)
def test_an_instance_differs_by_seed_and_only_by_seed(name: str) -> None:
    first, second = draw(name, 0), draw(name, 1)
    assert first == draw(name, 0)
    assert first.mass != second.mass
    assert np.abs(np.ptp(first.cloud(), axis=0) - np.ptp(second.cloud(), axis=0)).max() > 2e-4


def test_families_vary_in_colour() -> None:
    for name in FAMILIES:
        assert len({draw(name, seed).description for seed in range(20)}) > 1, name


@pytest.mark.parametrize("name", FAMILIES)
def test_every_pose_fits_the_view_and_offers_a_part_to_hold(name: str) -> None:
    for seed in SEEDS:
        thing = draw(name, seed)
        for pose in thing.poses:
            turn = Rotation.from_euler("xyz", pose)
            cloud = turn.apply(thing.cloud())
            low = cloud[:, 2].min()
            assert np.ptp(cloud, axis=0)[:2].max() <= 0.24 < VIEW
            assert np.ptp(cloud[:, 2]) <= 0.2
            held = []
            for part in thing.parts:
                clouds = [turn.apply(piece.cloud()) for piece in part.pieces]
                for own in [] if part.avoid else [*clouds, np.concatenate(clouds)]:
                    if own[:, 2].max() - low >= 0.007 and 0.008 <= narrowest(own) <= 0.072:
                        held.append(part.name)
            assert held, f"{name} {seed} {pose}"


def test_what_is_sharp_or_smears_is_not_to_be_held() -> None:
    for name in FAMILIES:
        avoided = {part.name for seed in range(12) for part in draw(name, seed).parts if part.avoid}
        assert avoided == HARMFUL.get(name, set()), name


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"chalk", "highlighter", "tape"}))
def test_the_description_says_the_colour_that_is_painted(name: str) -> None:
    named = 0
    for seed in range(12):
        thing = draw(name, seed)
        words = thing.description.replace("-handled", "").removesuffix(name.replace("_", " ")).strip()
        if words in COLOURS:
            named += 1
            painted = np.array([piece.paint.colour for part in thing.parts for piece in part.pieces])
            assert np.abs(painted - COLOURS[words]).max(axis=1).min() <= 0.0401, thing.description
        else:
            assert words in {"wooden", "brass", "silver"}, thing.description
    assert named > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_it_settles_on_the_table(name: str) -> None:
    scene = compose([draw(name, 2)], seed=2)
    x, y, z = scene.data().subtree_com[scene.placed(1).body]
    assert max(abs(x), abs(y)) < VIEW / 2
    assert 0.003 < z < 0.06
