"""Balls that fill a hand, and hands that close on a rod and a plate with a knob."""

from functools import cache

import numpy as np
import pytest
import torch
import trimesh
from hand_cases import HERE, articulated

from graspwise.hand.balls import Balls
from graspwise.hand.closure import closure_margin
from graspwise.hand.keep import Tried, contacts, crossed, measured
from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.metrics import contact_fingers, gap, penetration_depth
from graspwise.hand.model import FINGERS, REGIONS
from graspwise.hand.open_hand import OpenHand, load_open_hand
from graspwise.hand.optimise import Hold, grasps_on
from graspwise.hand.starts import sides

STEPS, COUNT = 80, 3


@cache
def hold() -> Hold:
    return Hold.of(load_open_hand())


@cache
def rod() -> Solid:
    """A handle of 3 cm across, its upper half of another part."""
    mesh = trimesh.creation.cylinder(radius=0.015, height=0.22, sections=24).subdivide_to_size(0.02)
    upper = mesh.triangles_center[:, 2] > 0
    return Solid("rod", np.asarray(mesh.vertices), np.asarray(mesh.faces), ("low", "top"), upper.astype(int))


@cache
def held(fingers: tuple[str, ...], part: str) -> torch.Tensor:
    return grasps_on(
        rod(), hold(), parts=[part], fingers=fingers, count=COUNT, rng=np.random.default_rng(0), steps=STEPS
    )


def vertices_of(parameters: torch.Tensor) -> np.ndarray:
    hand = load_open_hand()
    return hand.pose(*hand.layout.split(parameters)).vertices.double().numpy()


def test_balls_are_in_the_hand_and_near_all_of_its_skin() -> None:
    hand: OpenHand = load_open_hand()
    balls = Balls.of(hand)
    for articulation, near in ((hand.rest[None], 0.001), (articulated(hand, pip_flexion=60, mcp_flexion=50), 0.003)):
        vertices = hand.pose(HERE, articulation, torch.zeros(1, 6)).vertices
        far = (vertices[0, :, None] - balls.middles(vertices)[0, None]).norm(dim=-1)
        assert (far - balls.radii).min(dim=1).values.max() < near
    assert torch.allclose(balls.weights.sum(1), torch.ones(len(balls.radii)))


def test_balls_move_with_the_hand() -> None:
    hand, balls = load_open_hand(), Balls.of(load_open_hand())
    away = HERE.clone()
    away[0, :3, 3] = torch.tensor([0.1, 0.2, 0.3])
    first, second = (balls.middles(hand.pose(t, hand.rest[None], torch.zeros(1, 6)).vertices) for t in (HERE, away))
    assert torch.allclose(second - first, away[:, None, :3, 3], atol=1e-5)


@pytest.mark.parametrize("fingers", [REGIONS, FINGERS[:2]], ids=["whole hand", "two fingers"])
def test_a_hand_touches_the_wanted_part_and_hardly_enters(fingers: tuple[str, ...]) -> None:
    distance = Distance(rod())
    found = held(fingers, "top")
    good = 0
    for vertices in vertices_of(found):
        touched = contact_fingers(vertices, distance, regions=load_open_hand().regions)
        near = gap(vertices, distance) < 0.003 and penetration_depth(vertices, distance) < 0.005
        good += near and "top" in {part for parts in touched.values() for part in parts} and len(touched) >= 2
    assert good >= COUNT - 1
    _, articulation, _ = load_open_hand().layout.split(found)
    low, high = load_open_hand().limits.T
    assert (articulation >= low).all() and (articulation <= high).all()


def test_fingers_that_take_no_part_stay_away() -> None:
    distance = Distance(rod())
    for vertices in vertices_of(held(FINGERS[:2], "top")):
        touched = contact_fingers(vertices, distance, regions=load_open_hand().regions)
        assert not {"ring", "pinky", "palm"} & set(touched)


def test_a_seed_gives_the_same_hands() -> None:
    first, again, other = (
        grasps_on(rod(), hold(), parts=None, fingers=REGIONS, count=2, rng=np.random.default_rng(seed), steps=4)
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.allclose(first, other)


def test_grasps_hold_by_force_closure_and_in_simulation() -> None:
    hand = load_open_hand()
    tried = Tried.of(rod(), hand, [np.asarray(rod().vertices)])
    results = [measured(tried, vertices, part="top") for vertices in vertices_of(held(REGIONS, "top"))]
    kept = [result for result in results if not isinstance(result, str)]
    assert len(kept) >= COUNT // 2 and all("top" in {p for parts in kept[0].values() for p in parts} for _ in kept)
    points, normals = contacts(vertices_of(held(REGIONS, "top"))[0], tried)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1) and closure_margin(points, normals) >= 0


def test_what_is_no_grasp_says_why() -> None:
    hand = load_open_hand()
    tried = Tried.of(rod(), hand, [np.asarray(rod().vertices)])
    good = vertices_of(held(REGIONS, "top"))[0]
    assert measured(tried, good + 1.0) == "gap"
    assert measured(tried, good - good.mean(axis=0)) == "penetration"
    assert measured(tried, np.full_like(good, np.nan)) == "not finite"
    assert measured(tried, good, avoid=["top"]) == "another part"
    nearest = Distance(rod()).nearest(good)
    one = good[hand.regions["index"]][nearest.distance[hand.regions["index"]].argmin()]
    away = (one - [0, 0, one[2]]) / np.linalg.norm(one[:2])
    assert measured(tried, good - good[0] + away * 0.0155 + [0, 0, 0.5]) == "gap"


def test_a_fist_whose_fingers_cross_is_seen() -> None:
    hand = load_open_hand()
    rest = hand.pose(HERE, hand.rest[None], torch.zeros(1, 6)).vertices[0].double().numpy()
    assert crossed(rest, hand) < 0.001
    bent = articulated(hand, mcp_flexion=90, pip_flexion=100, dip_flexion=90)
    through = hand.pose(HERE, bent, torch.zeros(1, 6)).vertices[0].double().numpy()
    assert crossed(through, hand) > 0.004


def test_sides_of_a_rod_are_its_width_apart_and_along_it() -> None:
    found = sides(rod(), parts=["low"], count=50, whole=True, rng=np.random.default_rng(0))
    round_about = np.abs(found.normals[:, 2]) < 0.1
    assert (found.first[:, 2] <= 1e-6).all() and round_about.sum() > 30
    assert np.allclose(found.widths[round_about], 0.03, atol=0.002)
    inner = round_about & (found.first[:, 2] > -0.07) & (found.first[:, 2] < -0.04)
    assert found.runs[inner].all() and (np.abs(found.along[inner, 2]) > 0.95).all()


def test_parts_that_are_not_there_cannot_be_held() -> None:
    with pytest.raises(ValueError, match="no surface of cap"):
        sides(rod(), parts=["cap"], count=5, whole=True, rng=np.random.default_rng(0))
