import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from graspwise.sim import train_bath, train_home
from graspwise.sim.colours import ALL_COLOURS
from graspwise.sim.scene import VIEW, compose
from graspwise.sim.shapes import PATTERNS, SimObject

FAMILIES = {**train_home.FAMILIES, **train_bath.FAMILIES}
SEEDS = range(6)
NOT_TO_HOLD = {
    "sunglasses": "lenses", "mobile_phone": "camera", "camera": "lens", "toothbrush": "bristles", "razor": "blades",
    "lipstick": "bullet", "dental_floss": "floss",
}  # fmt: skip
ABSENT = ("whisk", "banana", "stapler", "flashlight", "torch", "hairbrush", "hair brush", "car")


def draw(name: str, seed: int) -> SimObject:
    return FAMILIES[name](np.random.default_rng(seed))


def narrowest(points: np.ndarray) -> float:
    """Least width (metres) of points (n, 3) in any direction along the table."""
    angles = np.linspace(0, math.pi, 60, endpoint=False)
    return float(np.ptp(points[:, :2] @ np.stack([np.cos(angles), np.sin(angles)]), axis=0).min())


def test_enough_families_with_names_of_their_own() -> None:
    assert len(train_home.FAMILIES) >= 14
    assert len(train_bath.FAMILIES) >= 12
    assert not set(train_home.FAMILIES) & set(train_bath.FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_instance_is_a_valid_object(name: str) -> None:
    for seed in SEEDS:
        thing = draw(name, seed)
        parts = [part.name for part in thing.parts]
        pieces = [piece for part in thing.parts for piece in part.pieces]
        assert thing.name == name
        assert thing.material and thing.use
        assert not any(f" {word} " in f" {thing.category} {thing.description} " for word in ABSENT)
        assert 1 <= len(parts) <= 5 and len(set(parts)) == len(parts)
        assert 1 <= len(pieces) <= 60 and all(part.pieces for part in thing.parts)
        assert 0.02 <= thing.mass <= 0.6 and 0.5 <= thing.friction <= 0.9
        for piece in pieces:
            assert piece.paint.pattern in PATTERNS
            assert all(0 <= channel <= 1 for channel in (*piece.paint.colour, *piece.paint.second))
            own = Rotation.from_quat(piece.turn).inv().apply(piece.cloud())
            assert np.ptp(own, axis=0).min() > 0.0029


@pytest.mark.parametrize("name", FAMILIES)
def test_every_pose_is_in_view_and_has_something_to_hold(name: str) -> None:
    for seed in SEEDS:
        thing = draw(name, seed)
        for pose in thing.poses:
            turn = Rotation.from_euler("xyz", pose)
            cloud = turn.apply(thing.cloud())
            assert np.linalg.norm(np.ptp(cloud[:, :2], axis=0)) < 0.26
            assert np.ptp(cloud[:, 2]) <= 0.2
            clouds = [
                turn.apply(np.concatenate([piece.cloud() for piece in part.pieces]))
                for part in thing.parts
                if not part.avoid
            ]
            above = [points[:, 2].max() - cloud[:, 2].min() for points in clouds]
            assert any(narrowest(p) <= 0.072 and high >= 0.007 for p, high in zip(clouds, above, strict=True))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_seed_decides_the_instance(name: str) -> None:
    one, other = draw(name, 0), draw(name, 1)
    assert one == draw(name, 0)
    assert one.cloud().shape != other.cloud().shape or not np.allclose(one.cloud(), other.cloud(), atol=2e-4)
    assert len({draw(name, seed).description for seed in range(20)}) >= 3


@pytest.mark.parametrize("name", FAMILIES)
def test_the_main_colour_is_the_one_in_the_description(name: str) -> None:
    for seed in SEEDS:
        thing = draw(name, seed)
        named = max((word for word in ALL_COLOURS if f" {word} " in f" {thing.description} "), key=len)
        nearest = min(
            float(np.abs(np.array(piece.paint.colour) - ALL_COLOURS[named]).max())
            for part in thing.parts
            for piece in part.pieces
        )
        assert nearest <= 0.046, thing.description


@pytest.mark.parametrize("name", NOT_TO_HOLD)
def test_what_is_sharp_or_smears_is_not_to_be_held(name: str) -> None:
    for seed in SEEDS:
        avoided = {part.name for part in draw(name, seed).parts if part.avoid}
        assert avoided == {NOT_TO_HOLD[name]}


@pytest.mark.parametrize("name", FAMILIES)
def test_it_comes_to_rest_on_the_table(name: str) -> None:
    scene = compose([draw(name, 3)], seed=0)
    position = scene.data().xpos[scene.objects[0].body]
    assert np.abs(position[:2]).max() < VIEW / 2
    assert -0.01 < position[2] < 0.2
