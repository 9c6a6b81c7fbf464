"""The parameters' layout, placing, closing and regions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graspwise.hand.model import (
    Layout,
    closed,
    contact_regions,
    hand_axes,
    nine_from_transform,
    place_points,
    transform_from_nine,
    vertex_normals,
)

numbers = st.lists(st.floats(-3, 3), min_size=9, max_size=9)
# Counter-clockwise from above.
SQUARE = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], dtype=float)


@given(numbers)
def test_nine_numbers_are_a_rigid_transform_that_gives_itself_again(
    values: list[float],
) -> None:
    nine = torch.tensor([values], dtype=torch.float64)
    if torch.linalg.cross(nine[0, :3], nine[0, 3:6]).norm() < 1e-3:
        return
    transform = transform_from_nine(nine)
    rotation = transform[0, :3, :3]
    assert torch.allclose(rotation @ rotation.T, torch.eye(3, dtype=torch.float64), atol=1e-9)
    assert torch.linalg.det(rotation).item() == pytest.approx(1)
    assert torch.allclose(transform_from_nine(nine_from_transform(transform)), transform, atol=1e-9)
    assert transform[0, :3, 3].tolist() == values[6:]


def test_a_vector_of_parameters_is_split_and_joined() -> None:
    layout = Layout(articulation=4, shape=2)
    vector = torch.randn(3, layout.size, generator=torch.Generator().manual_seed(0))
    transform, articulation, shape = layout.split(vector)
    assert transform.shape == (3, 4, 4) and articulation.shape == (3, 4) and shape.shape == (3, 2)
    again = layout.split(layout.join(transform, articulation, shape))
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(again, (transform, articulation, shape), strict=True))


def test_points_are_turned_then_moved() -> None:
    # A quarter turn about z, then a metre along x.
    transform = torch.tensor([[[0.0, -1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]])
    assert place_points(transform, torch.tensor([[[2.0, 0, 5]]])).tolist() == [[[1, 2, 5]]]


def test_the_hands_frame_is_right_handed_whatever_the_frame_it_is_found_in() -> None:
    wrist, knuckles = np.zeros(3), np.array([(9, 2.5, 0), (9.5, 0, 0), (9, -2, 0), (8, -4, 0)])
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    axes = hand_axes(wrist=turn @ wrist, knuckles=knuckles @ turn.T)
    assert np.allclose(axes @ turn, np.eye(3))


def test_each_hole_is_closed_with_the_faces_own_winding() -> None:
    # Four upright sides of a cube, open at both ends.
    sides = [((i, (i + 1) % 4, 4 + (i + 1) % 4), (i, 4 + (i + 1) % 4, 4 + i)) for i in range(4)]
    tube = np.array([face for pair in sides for face in pair])
    whole = closed(tube)
    assert len(whole) == 12 and np.array_equal(whole[:8], tube)
    edges = [tuple(edge) for face in whole.tolist() for edge in zip(face, face[1:] + face[:1], strict=True)]
    assert sorted(edges) == sorted((b, a) for a, b in edges) and len(set(edges)) == len(edges)
    corners = np.concatenate([SQUARE, SQUARE + np.array([0, 0, 1])])
    volume = np.einsum("ij,ij->i", corners[whole[:, 0]], np.cross(corners[whole[:, 1]], corners[whole[:, 2]])).sum() / 6
    assert volume == pytest.approx(1)
    assert np.array_equal(closed(whole), whole)


def test_normals_point_out_and_the_palm_is_the_inner_side_before_the_wrist() -> None:
    faces = closed(np.array([(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 1)]))
    vertices = np.array([(0.0, 0, 1), (1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0)])
    assert vertex_normals(vertices, faces)[0].tolist() == [0, 0, 1]
    regions, pads = contact_regions(
        vertices=vertices + np.array([0.5, 0, 0]), faces=faces, bone_of=np.array([0, 0, 1, 0, 0]),
        regions_of=np.array([5, 1]), inner=np.array([(0, 0, 1.0), (0, 0, -1.0)]),
    )  # fmt: skip
    # The vertex at -1 lies behind the wrist.
    assert regions["index"].tolist() == [2] and 0 in regions["palm"] and 3 not in regions["palm"]
    assert pads["palm"].tolist() == regions["palm"].tolist()
