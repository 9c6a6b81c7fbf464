"""Composed scenes: the same for a seed, at rest on the table, in view, as heavy as they should be."""

import math
import re
from collections.abc import Callable

import mujoco
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.sim import scene as scene_module
from graspwise.sim.gripper import Gantry
from graspwise.sim.render import View, render
from graspwise.sim.scene import (
    CAMERA_HEIGHT,
    VIEW,
    Scene,
    Unsettled,
    compose,
    place,
    settled_scene,
)
from graspwise.sim.shapes import Paint, SimObject, box, part

PAINT = Paint((0.2, 0.5, 0.3))


def clouds(scene: Scene) -> list[np.ndarray]:
    """Points (n, 3) of each object where it lies, world frame."""
    data = scene.data()
    return [
        placed.thing.cloud() @ data.xmat[placed.body].reshape(3, 3).T + data.xpos[placed.body]
        for placed in scene.objects
    ]


def test_the_same_seed_gives_the_same_scene_and_picture(table: tuple[Scene, View], robot: Gantry) -> None:
    scene, view = table
    again = compose([placed.thing for placed in scene.objects], seed=scene.seed, robot=robot)
    np.testing.assert_array_equal(again.state, scene.state)
    np.testing.assert_array_equal(again.T_base_camera, scene.T_base_camera)
    picture = render(again)
    for field in ("rgb", "depth", "objects", "parts"):
        assert getattr(picture, field).tobytes() == getattr(view, field).tobytes()


def test_another_seed_gives_other_places_and_another_picture(made: Callable[..., tuple[Scene, View]]) -> None:
    (one, seen), (other, elsewhere) = (made("bar", seed=seed) for seed in (0, 1))
    assert np.linalg.norm(clouds(one)[0].mean(axis=0) - clouds(other)[0].mean(axis=0)) > 0.005
    assert (seen.rgb != elsewhere.rgb).mean() > 0.5
    assert np.abs(one.T_base_camera - other.T_base_camera).max() > 1e-4


def test_things_stay_where_they_are(table: tuple[Scene, View]) -> None:
    scene, _ = table
    data = scene.data()
    before = [data.xpos[placed.body].copy() for placed in scene.objects]
    mujoco.mj_step(scene.model, data, round(0.5 / scene.model.opt.timestep))
    for placed, there in zip(scene.objects, before, strict=True):
        assert np.linalg.norm(data.xpos[placed.body] - there) < 0.002


def test_things_lie_on_the_table_and_in_view(table: tuple[Scene, View]) -> None:
    scene, view = table
    for placed, cloud in zip(scene.objects, clouds(scene), strict=True):
        assert -0.002 < cloud[:, 2].min() < 0.002
        assert np.abs(cloud[:, :2]).max() < VIEW / 2
        seen = view.objects == placed.index
        assert seen.sum() > 200
        assert not (seen[[0, -1]].any() or seen[:, [0, -1]].any())


def test_nothing_is_inside_another(table: tuple[Scene, View]) -> None:
    scene, _ = table
    assert all(contact.dist > -0.002 for contact in scene.data().contact)


def test_a_scene_holds_what_was_asked_for_in_its_order(table: tuple[Scene, View]) -> None:
    scene, _ = table
    assert [placed.thing.name for placed in scene.objects] == ["hammer", "mug", "ball"]
    assert [placed.index for placed in scene.objects] == [1, 2, 3]
    assert [placed.parts for placed in scene.objects] == [
        {1: "handle", 2: "head"},
        {3: "body", 4: "handle"},
        {5: "ball"},
    ]
    assert scene.placed(2).thing.name == "mug"
    for placed in scene.objects:
        own = scene.object_of == placed.index
        assert own.sum() == sum(len(part.pieces) for part in placed.thing.parts)
        assert set(scene.model.geom_bodyid[own]) == {placed.body}
        assert set(scene.part_of[own]) == set(placed.parts)
    assert ((scene.part_of > 0) == (scene.object_of > 0)).all()


def test_things_are_as_heavy_and_as_slippery_as_they_say(table: tuple[Scene, View]) -> None:
    scene, _ = table
    for placed in scene.objects:
        assert scene.model.body_mass[placed.body] == pytest.approx(placed.thing.mass, rel=1e-4)
        assert set(scene.model.geom_friction[scene.object_of == placed.index, 0]) == {placed.thing.friction}


def test_crowded_things_still_come_to_lie_apart(things: dict[str, SimObject]) -> None:
    names = ["bar", "hammer", "knife", "mug", "ball", "ball"]
    _, scene, _ = settled_scene(lambda: (names, [things[name] for name in names]), seed=3)
    assert len(scene.objects) == 6
    assert all(contact.dist > -0.003 for contact in scene.data().contact)
    assert all(cloud[:, 2].min() > -0.003 for cloud in clouds(scene))


@pytest.mark.parametrize(
    "origin", [(0.0, 0.0, 0.1), (0.0, 0.0, -0.1), (0.3, 0.0, 0.0)], ids=["below", "above", "aside"]
)
def test_where_an_objects_origin_lies_does_not_matter(origin: tuple[float, float, float]) -> None:
    brick = SimObject("brick", "brick", "brick", (part("body", box((0.06, 0.04, 0.03), PAINT, at=origin)),), 0.2)
    scene = compose([brick], seed=1)
    (cloud,) = clouds(scene)
    assert cloud[:, 2].min() == pytest.approx(0, abs=0.001)
    assert np.abs(cloud[:, :2]).max() < VIEW / 2


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_things_start_above_the_table_in_view_and_apart(seed: int, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.tuples(*[st.floats(0.01, 0.1)] * 3), min_size=1, max_size=4))
    bricks = [SimObject("x", "x", "x", (part("x", box(size, PAINT)),), 0.1) for size in sizes]
    taken = []
    for brick, position, turn in place(bricks, np.random.default_rng(seed)):
        cloud = turn.apply(brick.cloud()) + position
        assert cloud[:, 2].min() > 0.003
        # What is nearer to the camera is seen larger.
        seen = np.abs(cloud[:, :2]).max() * CAMERA_HEIGHT / (CAMERA_HEIGHT - np.ptp(cloud[:, 2]))
        assert seen < VIEW / 2
        for other in taken:
            one, two = (shapely.MultiPoint(points[:, :2]).convex_hull for points in (cloud, other))
            assert one.distance(two) > 0 or cloud[:, 2].min() > 0.05
        taken.append(cloud)


def test_an_object_lies_in_each_of_its_poses_at_any_heading() -> None:
    poses = ((0.0, 0.0, 0.0), (math.pi / 2, 0.0, 0.0))
    card = SimObject("card", "card", "card", (part("body", box((0.08, 0.05, 0.02), PAINT)),), 0.1, poses=poses)
    heights, headings = set(), []
    for seed in range(60):
        ((_, _, turn),) = place([card], np.random.default_rng(seed))
        heights.add(round(float(np.ptp(turn.apply(card.cloud())[:, 2])), 4))
        headings.append(math.atan2(*turn.apply((1.0, 0.0, 0.0))[1::-1]))
    assert heights == {0.02, 0.05}
    assert set(np.digitize(headings, np.linspace(-math.pi, math.pi, 9))) == set(range(1, 9))


def test_the_camera_looks_down_from_its_height(made: Callable[..., tuple[Scene, View]]) -> None:
    for seed in (0, 1):
        scene, _ = made("bar", seed=seed)
        T = scene.T_base_camera
        np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-12)
        assert np.linalg.det(T[:3, :3]) == pytest.approx(1)
        assert np.degrees(np.arccos(-T[2, 2])) < 4
        assert abs(T[2, 3] - CAMERA_HEIGHT) < 0.02
        # The picture's right is the table's x, its top the table's y.
        assert T[0, 0] > 0.99 and T[1, 1] < -0.99


def test_what_still_moves_is_not_a_scene(things: dict[str, SimObject], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_module, "SETTLE_SECONDS", 0.02)
    with pytest.raises(Unsettled, match="bar moves or is out of view"):
        compose([things["bar"]], seed=0)


def test_what_lies_out_of_view_is_not_a_scene(things: dict[str, SimObject], monkeypatch: pytest.MonkeyPatch) -> None:
    def outside(chosen: list[SimObject], rng: np.random.Generator) -> list:
        return [(thing, np.array([0.4, 0.0, 0.02]), Rotation.identity()) for thing in chosen]

    monkeypatch.setattr(scene_module, "place", outside)
    with pytest.raises(Unsettled, match="bar moves or is out of view"):
        compose([things["bar"]], seed=0)


def test_what_falls_off_the_table_is_not_a_scene(things: dict[str, SimObject], monkeypatch: pytest.MonkeyPatch) -> None:
    def beyond(chosen: list[SimObject], rng: np.random.Generator) -> list:
        return [(thing, np.array([0.9, 0.0, 0.02]), Rotation.identity()) for thing in chosen]

    monkeypatch.setattr(scene_module, "place", beyond)
    with pytest.raises(Unsettled, match="bar moves or is out of view"):
        compose([things["bar"]], seed=0)


def test_scenes_are_drawn_until_one_settles(things: dict[str, SimObject], monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []

    def fussy(chosen: list[SimObject], *, seed: int, robot: object) -> str:
        seeds.append(seed)
        if len(seeds) < 3:
            raise Unsettled("a ball rolls")
        return f"scene of {chosen[0].name}"

    drawn = iter(["mug", "bar", "ball", "crate"])
    monkeypatch.setattr(scene_module, "compose", fussy)
    found = settled_scene(lambda: ((name := next(drawn)) and [name], [things[name]]), seed=40)
    assert found == (["ball"], "scene of ball", 2)
    assert seeds == [40, 41, 42]


def test_what_never_settles_is_one_line(things: dict[str, SimObject], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_module, "SETTLE_SECONDS", 0.02)
    monkeypatch.setattr(scene_module, "ATTEMPTS", 2)
    with pytest.raises(InputError, match=re.escape("2 scenes did not settle, the last because bar moves")) as caught:
        settled_scene(lambda: (["bar"], [things["bar"]]), seed=0)
    assert "\n" not in str(caught.value)
