"""Clouds and what sees them: patches lie all over, sizes are kept, and surroundings are told in the hand's frame."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from plain_solids import box, solid
from scipy.spatial.transform import Rotation

from graspwise.hand.cloud import PLACE, Cloud, CloudEncoder, cloud_of, far_apart, nearest_points, surroundings

SEEDS = st.integers(0, 1000)


def drawn(seed: int, *, objects: int = 2, points: int = 96) -> Cloud:
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(objects, points, 3))
    return Cloud.of(
        rng.normal(scale=0.05, size=(objects, points, 3)), normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    )


def rotations(seed: int, count: int) -> torch.Tensor:
    return torch.from_numpy(Rotation.random(count, random_state=seed).as_matrix()).float()


def test_a_cloud_lies_on_the_surface_and_is_the_same_for_the_same_seed():
    block = solid(box((0.1, 0.2, 0.3), (0.14, 0.3, 0.42)))
    cloud = cloud_of(block)
    assert cloud.points.shape == cloud.normals.shape == (1, 1024, 3)
    away = (cloud.points - torch.tensor([0.12, 0.25, 0.36])).abs() - torch.tensor([0.02, 0.05, 0.06])
    assert away.max() < 1e-6 and away.amax(-1).abs().max() < 1e-6
    assert torch.equal(cloud.points, cloud_of(block).points)
    assert cloud.middles[0].numpy() == pytest.approx([0.12, 0.25, 0.36], abs=0.002)
    assert cloud.centred.middles.abs().max() < 1e-6


@given(SEEDS)
def test_chosen_points_are_farther_from_each_other_than_any_point_from_them(seed):
    points = drawn(seed, objects=1).points
    chosen = far_apart(points, 9)[0]
    between = torch.cdist(points[0, chosen], points[0, chosen]) + torch.eye(9)
    assert between.min() >= torch.cdist(points[0], points[0, chosen]).amin(1).max() - 1e-6
    assert points[0].norm(dim=-1).argmax() == chosen[0]


@given(SEEDS)
def test_nearest_points_are_those_of_each_ones_object(seed):
    cloud, probes = drawn(seed), torch.randn(6, 5, 3) * 0.05
    points, normals = nearest_points(probes, cloud)
    for row in range(6):
        best = torch.cdist(probes[row], cloud.points[row // 3]).argmin(1)
        assert torch.allclose(points[row], cloud.points[row // 3, best])
        assert torch.allclose(normals[row], cloud.normals[row // 3, best])


@given(SEEDS)
def test_surroundings_stay_when_hand_and_object_move_together(seed):
    cloud, probes, turn = drawn(seed), torch.randn(2, 7, 3) * 0.05, rotations(seed, 2)
    hand, shift = rotations(seed + 1, 2), torch.randn(2, 1, 3) * 0.1
    before = surroundings(probes, cloud, rotations=hand)
    moved = Cloud(cloud.turned(turn).points + shift, cloud.turned(turn).normals)
    after = surroundings(probes @ turn.mT + shift, moved, rotations=turn @ hand)
    assert torch.allclose(before, after, atol=1e-3)


def test_a_far_object_is_at_the_reach_in_its_direction():
    cloud = Cloud.of(np.array([[0.0, 0, 3]]), np.array([[0.0, 0, -1]]))
    seen = surroundings(torch.zeros(1, 1, 3), cloud, rotations=torch.eye(3)[None], reach=PLACE)
    assert seen[0, 0].tolist() == pytest.approx([0, 0, PLACE / 0.02, 0, 0, -1])


def test_features_do_not_depend_on_the_points_order_but_on_size():
    torch.manual_seed(0)
    encoder, cloud = CloudEncoder(width=16, patches=4, neighbours=8).eval(), drawn(3)
    whole, patches = encoder(cloud.points, cloud.normals)
    assert whole.shape == (2, 16) and patches.shape == (2, 4, 16)
    order = torch.randperm(96)
    mixed = encoder(cloud.points[:, order], cloud.normals[:, order])
    assert torch.allclose(whole, mixed[0], atol=1e-5) and torch.allclose(patches, mixed[1], atol=1e-5)
    larger, _ = encoder(2 * cloud.points, cloud.normals)
    assert (larger - whole).abs().max() > 1e-3


def test_the_encoder_is_small():
    assert 2e5 < sum(p.numel() for p in CloudEncoder().parameters()) < 4e5
