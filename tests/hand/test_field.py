"""A distance on a lattice is about the exact one, in and around balls and boxes."""

import numpy as np
import pytest
import torch
from plain_solids import ball, box, solid

from graspwise.hand.field import Field

BALL, BLOCK = solid(ball(0.04, fine=3)), solid(box((-0.05, -0.03, -0.002), (0.05, 0.03, 0.002)))


def around(count: int, *, low: float, high: float) -> torch.Tensor:
    rng = np.random.default_rng(0)
    way = rng.normal(size=(count, 3))
    return torch.from_numpy(way / np.linalg.norm(way, axis=1)[:, None] * rng.uniform(low, high, (count, 1))).float()[
        None
    ]


def test_of_a_ball_it_is_the_radius_less() -> None:
    field = Field.of(BALL, points=50_000)
    points = around(500, low=0.015, high=0.055)
    assert torch.allclose(field(points), points.norm(dim=-1) - 0.04, atol=6e-4)
    away = (field.normals(points) * torch.nn.functional.normalize(points, dim=-1)).sum(-1)
    assert away.min() > 0.95


def test_a_plate_of_four_millimetres_has_an_inside() -> None:
    field = Field.of(BLOCK)
    middle = torch.tensor([[[0.0, 0, 0], [0.03, 0.01, 0], [0, 0, 0.012], [0.06, 0, 0]]])
    assert torch.allclose(field(middle), torch.tensor([[-0.002, -0.002, 0.01, 0.01]]), atol=8e-4)


def test_beyond_the_lattice_it_goes_on_growing() -> None:
    field = Field.of(BALL, points=20_000, margin=0.01)
    line = torch.stack([torch.linspace(0.04, 0.5, 40), torch.zeros(40), torch.zeros(40)], dim=-1)[None]
    found = field(line)[0]
    assert (found.diff() > 0).all() and found[-1] == pytest.approx(0.46, abs=2e-3)


def test_steps_against_it_reach_the_surface() -> None:
    field = Field.of(BALL, points=50_000)
    points = around(20, low=0.02, high=0.06).requires_grad_()
    for _ in range(60):
        (slope,) = torch.autograd.grad((field(points) ** 2).sum() / 2, points)
        points = (points - 0.5 * slope).detach().requires_grad_()
    assert field(points).abs().max() < 5e-4


def test_hands_of_a_batch_do_not_mix() -> None:
    field = Field.of(BALL, points=20_000)
    batch = around(24, low=0.0, high=0.08).view(4, 6, 3)
    assert torch.allclose(field(batch), torch.cat([field(one[None]) for one in batch]))


def test_a_part_is_only_its_own_faces() -> None:
    block = solid(box((0, 0, 0), (0.1, 0.02, 0.02), step=0.01), parts=("left", "right"))
    middles = block.vertices[block.faces].mean(axis=1)[:, 0]
    block = type(block)("block", block.vertices, block.faces, block.parts, (middles > 0.05).astype(int))
    field = Field.to_parts(block, ["right"], points=50_000)
    points = torch.tensor([[[0.01, 0.01, 0.02], [0.08, 0.01, 0.02], [0.08, 0.01, 0.01]]])
    found = field(points)[0]
    assert found[0] == pytest.approx(0.04, abs=3e-3) and found[1] < 1e-3 and found[2] > 0.005


def test_a_part_without_a_surface_has_no_distance() -> None:
    with pytest.raises(ValueError, match="no surface of lid"):
        Field.to_parts(solid(box((0, 0, 0), (1, 1, 1)), parts=("body", "lid"), face_parts=np.zeros(12, int)), ["lid"])
