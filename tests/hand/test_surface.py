"""Triangles: what is merged, what hangs together, how openings are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_solids import ball, box

from graspwise.hand.surface import Surface, area_of, bodies_of, distinct, filled, loops, merged, thinned, volume_of


def surface(mesh: object, label: int = 0) -> Surface:
    return Surface(np.asarray(mesh.vertices), np.asarray(mesh.faces), np.full(len(mesh.faces), label))


def test_double_corners_and_faces_without_area_go() -> None:
    mesh = box((0, 0, 0), (0.1, 0.1, 0.1))
    soup = Surface(mesh.triangles.reshape(-1, 3), np.arange(36).reshape(-1, 3), np.arange(12))
    twice = Surface(soup.vertices, np.concatenate([soup.faces, soup.faces[:3], [[0, 0, 1]]]), np.arange(16))
    found = merged(twice)
    assert (len(found.vertices), len(found.faces)) == (8, 12)
    assert found.labels.tolist() == list(range(12))
    assert volume_of(found) == pytest.approx(0.001)
    assert area_of(found) == pytest.approx(0.06)


@given(st.lists(st.tuples(*[st.sampled_from([0, 1, 2, 2_000_000, 3_000_000])] * 3), min_size=1, max_size=30))
def test_distinct_rows_are_those_of_numpy(rows: list[tuple[int, int, int]]) -> None:
    array = np.array(rows)
    expected, first, number = np.unique(array, axis=0, return_index=True, return_inverse=True)
    found = distinct(array)
    np.testing.assert_array_equal(found[0], first)
    np.testing.assert_array_equal(array[found[0]][found[1]], expected[number.reshape(-1)])


def test_bodies_hang_together_by_edges() -> None:
    first, second = box((0, 0, 0), (1, 1, 1)), box((2, 0, 0), (3, 1, 1))
    number = bodies_of(np.concatenate([first.faces, second.faces + len(first.vertices)]))
    assert len(set(number[:12])) == len(set(number[12:])) == 1 and number[0] != number[-1]


@given(st.sets(st.integers(0, 79), max_size=30))
def test_whatever_is_missing_is_closed_over(missing: set[int]) -> None:
    mesh = ball(0.04, fine=1)
    kept = np.array([face for face in range(80) if face not in missing])
    whole = surface(mesh)
    open_ = Surface(whole.vertices, whole.faces[kept], whole.labels[kept])
    closed, widest = filled(open_)
    assert closed is not None
    edges = closed.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    there, back = edges @ (1000, 1), edges @ (1, 1000)
    assert len(set(there)) == len(there) and set(there) == set(back)
    assert (widest == 0) == (not missing)


def test_an_edge_of_three_faces_is_not_closed() -> None:
    fin = Surface(np.eye(5, 3), np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4]]), np.zeros(3, int))
    assert filled(fin) == (None, 0.0)


def test_a_figure_of_eight_is_two_loops() -> None:
    eight = np.array([[0, 1], [1, 2], [2, 0], [0, 3], [3, 4], [4, 0]])
    assert sorted(sorted(loop) for loop in loops(eight)) == [[0, 1, 2], [0, 3, 4]]


def test_few_faces_stay_as_they_are() -> None:
    mesh = surface(ball(0.04, fine=2))
    assert thinned(mesh, most=len(mesh.faces)) is mesh
