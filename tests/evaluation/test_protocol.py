"""The two protocols: exact transforms, the literature's cut, and labels that follow it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graspwise.data.store import Sample
from graspwise.evaluation.protocol import CENTRED_SIDE, VIEWS, centred_view, workspace_view
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle
from graspwise.transform import CORNELL_WORKSPACE, Transform, workspace_transform

SIDE = 352
X0, Y0, X1, Y1 = CORNELL_WORKSPACE


def sample_of(
    labels: list[GraspRectangle], *, side: int = SIDE, workspace: tuple[int, ...] = CORNELL_WORKSPACE
) -> Sample:
    """The unaugmented sample of a photograph of 640 x 480 with those labels, in its pixels."""
    transform = workspace_transform(image_size=(640, 480), workspace=workspace, size=(side, side))  # type: ignore[arg-type]
    return Sample(
        id="0", image="", object_id="1", category="mug", description="", source_image="pcd0100", original=True,
        transform=transform, rectangles=tuple(transform.rectangle(label) for label in labels), messages=[],
    )  # fmt: skip


def label_at(x: float, y: float, *, theta: float = 0.3) -> GraspRectangle:
    return GraspRectangle.from_pose(center=(x, y), theta=theta, opening=40, jaw=20)


inside = st.tuples(st.floats(X0, X1 - 1), st.floats(Y0, Y1 - 1))


@given(
    st.lists(inside, min_size=1, max_size=5), st.sampled_from([64, 224, 352, 448]), st.sampled_from([88, 176, 352, 700])
)
def test_the_centred_cut_is_whole_pixels_of_the_photograph_inside_the_workspace(centres, side, built):
    sample = sample_of([label_at(x, y) for x, y in centres], side=built)
    view = centred_view(sample, (built, built), side)
    photograph = sample.transform.then(view)
    assert view.size == (side, side) and not view.is_mirror
    assert photograph.scale == pytest.approx(side / CENTRED_SIDE)
    # Upright: x of the square is x of the photograph and nothing else.
    assert photograph.matrix[0, 1] == pytest.approx(0, abs=1e-9)
    (x0, y0), (x1, y1) = photograph.inverse().points(np.array([(-0.5, -0.5), (side - 0.5, side - 0.5)])) + 0.5
    assert (x1 - x0, y1 - y0) == pytest.approx((CENTRED_SIDE, CENTRED_SIDE))
    assert (x0, y0) == pytest.approx((round(x0), round(y0)), abs=1e-6)
    assert x0 >= X0 - 1e-6 and x1 <= X1 + 1e-6 and y0 >= Y0 - 1e-6 and y1 <= Y1 + 1e-6
    # The mean of the labels' centres is in the middle pixel, or the cut has stopped at the workspace's border.
    for mean, low, first, last in zip(np.mean(centres, axis=0), (x0, y0), (X0, Y0), (X1, Y1), strict=True):
        expected = min(max(math.floor(mean + 1e-9) - CENTRED_SIDE // 2, first), last - CENTRED_SIDE)
        assert abs(low - expected) <= 1e-6 or abs(mean - round(mean)) < 1e-6


@given(st.lists(inside, min_size=1, max_size=4), st.sampled_from(sorted(VIEWS)), st.floats(-1.5, 1.5))
def test_a_label_answered_in_the_square_is_right_in_the_picture(centres, protocol, theta):
    sample = sample_of([label_at(x, y, theta=theta) for x, y in centres])
    view = VIEWS[protocol](sample, (SIDE, SIDE), 224)
    for label in sample.rectangles:
        moved = view.rectangle(label)
        if not all(-0.5 <= value <= 223.5 for value in moved.center):
            continue
        grasp = view.inverse().grasp(Grasp.from_rectangle(moved, image_size=(224, 224)))
        assert is_hit(grasp, labels=[label], image_size=(SIDE, SIDE))
        assert grasp.opening == pytest.approx(label.opening / SIDE)


def test_the_centred_view_shows_the_photographs_own_pixels():
    rng = np.random.default_rng(0)
    picture = Picture(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    sample = sample_of([label_at(300.7, 222.2), label_at(310.9, 240.0)])
    shown = centred_view(sample, picture.size, CENTRED_SIDE).picture(picture).rgb
    # Mean centre 305.8, 231.1 -> 305, 231 less 112, less the workspace's corner.
    left, top = 305 - 112 - X0, 231 - 112 - Y0
    assert np.array_equal(shown, picture.rgb[top : top + 224, left : left + 224])


def test_a_workspace_smaller_than_the_cut_is_shown_whole():
    sample = sample_of([label_at(110, 110)], workspace=(100, 100, 200, 200), side=50)
    view, whole = (VIEWS[name](sample, (50, 50), 64) for name in ("centred", "workspace"))
    assert view.matrix == pytest.approx(whole.matrix)


def test_the_workspace_view_is_the_whole_picture_whatever_the_labels():
    first = sample_of([label_at(200, 200)])
    other = replace(first, rectangles=())
    views = [workspace_view(sample, (SIDE, SIDE), 224).matrix for sample in (first, other)]
    whole = Transform.letterbox(source_size=(SIDE, SIDE), size=(224, 224)).matrix
    assert views[0] == pytest.approx(whole) and views[1] == pytest.approx(whole)
