"""A transform moves a picture and its label together: points and poses by algebra, pixels by looking at them."""

import json
import math
from typing import Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle
from graspwise.transform import CORNELL_WORKSPACE, Transform, workspace_transform

laws = settings(max_examples=60, deadline=None)
Axis = Literal["horizontal", "vertical"]
AXES: tuple[Axis, ...] = get_args(Axis)

sizes = st.tuples(st.integers(16, 5000), st.integers(16, 5000))
shares = st.floats(0, 1)
angles = st.floats(-4, 4)
scales = st.floats(0.05, 20)
places = st.tuples(st.floats(-300, 300), st.floats(-300, 300))
rectangles = st.builds(
    GraspRectangle.from_pose, center=places, theta=angles, opening=st.floats(2, 200), jaw=st.none() | st.floats(2, 200)
)


@st.composite
def crops(draw: st.DrawFn, *, source_size: tuple[int, int]) -> Transform:
    x0, y0 = (draw(st.integers(0, side - 1)) for side in source_size)
    x1, y1 = draw(st.integers(x0 + 1, source_size[0])), draw(st.integers(y0 + 1, source_size[1]))
    return Transform.crop(box=(x0, y0, x1, y1), source_size=source_size)


@st.composite
def kinds(draw: st.DrawFn, *, source_size: tuple[int, int] | None = None) -> Transform:
    """A transform of any kind."""
    size = source_size or draw(sizes)
    kind = draw(st.sampled_from(["identity", "crop", "letterbox", "flip", "about"]))
    if kind == "identity":
        return Transform.identity(size=size)
    if kind == "crop":
        return draw(crops(source_size=size))
    if kind == "letterbox":
        return Transform.letterbox(source_size=size, size=draw(sizes))
    if kind == "about":
        return Transform.about(
            source=draw(places), target=draw(places), scale=draw(scales), theta=draw(angles),
            source_size=size, size=draw(sizes),
        )  # fmt: skip
    return Transform.flip(size=size, axis=draw(st.sampled_from(AXES)))


@st.composite
def chains(draw: st.DrawFn) -> tuple[Transform, Transform]:
    first = draw(kinds())
    return first, draw(kinds(source_size=first.size))


def grey(array: np.ndarray) -> Picture:
    return Picture(np.repeat(array[:, :, None], 3, axis=2).astype(np.uint8))


def ramp(*, width: int, height: int) -> Picture:
    return grey(np.add.outer(np.arange(height) * width, np.arange(width)) % 251)


# ---------------------------------------------------------------- algebra


@laws
@given(kinds(), rectangles)
def test_the_inverse_undoes_it(transform: Transform, rectangle: GraspRectangle) -> None:
    back = transform.inverse()
    assert (back.source_size, back.size) == (transform.size, transform.source_size)
    assert back.points(transform.points(rectangle.corners)) == pytest.approx(rectangle.corners, abs=1e-6)
    assert transform.then(back).matrix == pytest.approx(np.eye(2, 3), abs=1e-6)


@laws
@given(chains(), rectangles)
def test_then_is_one_after_the_other(chain: tuple[Transform, Transform], rectangle: GraspRectangle) -> None:
    first, second = chain
    both = first.then(second)
    assert (both.source_size, both.size) == (first.source_size, second.size)
    assert both.scale == pytest.approx(first.scale * second.scale)
    assert both.is_mirror == (first.is_mirror != second.is_mirror)
    assert both.points(rectangle.corners) == pytest.approx(second.points(first.points(rectangle.corners)), abs=1e-6)
    stepwise = second.rectangle(first.rectangle(rectangle))
    assert both.rectangle(rectangle).center == pytest.approx(stepwise.center, abs=1e-6)
    assert angle_difference(both.rectangle(rectangle).theta, stepwise.theta) < 1e-6


@laws
@given(kinds(), rectangles)
def test_a_rectangle_moves_as_its_centre_and_scales(transform: Transform, rectangle: GraspRectangle) -> None:
    moved = transform.rectangle(rectangle)
    assert moved.is_clockwise
    assert moved.center == pytest.approx(tuple(transform.points(np.array(rectangle.center))), abs=1e-6)
    assert moved.opening == pytest.approx(rectangle.opening * transform.scale)
    assert moved.jaw == pytest.approx(rectangle.jaw * transform.scale)


@laws
@given(sizes, sizes, places, angles, scales, shares, shares, angles, st.booleans())
def test_a_grasp_moves_as_its_rectangle(
    source_size: tuple[int, int],
    size: tuple[int, int],
    place: tuple[float, float],
    turn: float,
    scale: float,
    to_x: float,
    to_y: float,
    theta: float,
    mirrored: bool,
) -> None:
    source = ((place[0] + 300) / 600 * source_size[0] - 0.5, (place[1] + 300) / 600 * source_size[1] - 0.5)
    target = (to_x * size[0] - 0.5, to_y * size[1] - 0.5)
    transform = Transform.about(
        source=source, target=target, scale=scale, theta=turn, source_size=source_size, size=size
    )
    if mirrored:
        transform = transform.then(Transform.flip(size=size, axis="vertical"))
    rectangle = GraspRectangle.from_pose(center=source, theta=theta, opening=30, jaw=20)
    grasp = transform.grasp(Grasp.from_rectangle(rectangle, image_size=source_size))
    ours, theirs = grasp.rectangle(image_size=size), transform.rectangle(rectangle)
    assert ours.center == pytest.approx(theirs.center, abs=1e-5)
    assert (ours.opening, ours.jaw) == pytest.approx((theirs.opening, theirs.jaw))
    assert angle_difference(ours.theta, theirs.theta) < 1e-6


def test_a_grasp_keeps_what_it_does_not_know_and_its_quality() -> None:
    flip = Transform.flip(size=(100, 50), axis="horizontal")
    flipped = flip.grasp(Grasp(x=0.25, y=0.5, theta=0.1, quality=0.7))
    assert (flipped.opening, flipped.jaw, flipped.quality) == (None, None, 0.7)
    assert all(type(value) is float for value in (flipped.x, flipped.y, flipped.theta))


def test_opening_is_a_fraction_of_the_new_width() -> None:
    crop = Transform.crop(box=(100, 0, 300, 100), source_size=(400, 100))
    moved = crop.grasp(Grasp(x=0.5, y=0.5, theta=0, opening=0.1, jaw=0.05))
    assert (moved.x, moved.opening, moved.jaw) == pytest.approx((0.5, 0.2, 0.1))


def test_a_grasp_that_leaves_the_picture_is_refused() -> None:
    crop = Transform.crop(box=(0, 0, 50, 50), source_size=(100, 100))
    with pytest.raises(ValueError, match=r"Grasp\.x"):
        crop.grasp(Grasp(x=0.6, y=0.3, theta=0))
    # On the border it stays, whatever the last bit says.
    assert crop.grasp(Grasp(x=0.5, y=0.0, theta=0)).x == 1.0


@laws
@given(sizes, sizes, st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0]))
def test_a_corner_goes_into_a_letterbox_and_back(
    source_size: tuple[int, int], size: tuple[int, int], x: float, y: float
) -> None:
    fit = Transform.letterbox(source_size=source_size, size=size)
    back = fit.inverse().grasp(fit.grasp(Grasp(x=x, y=y, theta=0)))
    assert (back.x, back.y) == pytest.approx((x, y), abs=1e-9)


# ---------------------------------------------------------------- each kind


@laws
@given(sizes, shares, shares, angles)
def test_a_flip_is_one_minus_x_and_minus_theta(size: tuple[int, int], x: float, y: float, theta: float) -> None:
    grasp = Grasp(x=x, y=y, theta=theta)
    across = Transform.flip(size=size, axis="horizontal").grasp(grasp)
    down = Transform.flip(size=size, axis="vertical").grasp(grasp)
    assert (across.x, across.y) == pytest.approx((1 - x, y), abs=1e-12)
    assert (down.x, down.y) == pytest.approx((x, 1 - y), abs=1e-12)
    for flipped in (across, down):
        assert angle_difference(flipped.theta, -theta) < 1e-9


@laws
@given(st.sampled_from(AXES), rectangles)
def test_a_flipped_rectangle_stays_clockwise_with_minus_theta(axis: Axis, rectangle: GraspRectangle) -> None:
    flip = Transform.flip(size=(640, 480), axis=axis)
    flipped = flip.rectangle(rectangle)
    assert flip.is_mirror
    assert flipped.is_clockwise
    assert angle_difference(flipped.theta, -rectangle.theta) < 1e-6
    assert (flipped.opening, flipped.jaw) == pytest.approx((rectangle.opening, rectangle.jaw))


@laws
@given(angles, angles, scales)
def test_a_rotation_adds_its_angle(theta: float, turn: float, scale: float) -> None:
    rotation = Transform.about(
        source=(40, 30), target=(70, 80), scale=scale, theta=turn, source_size=(90, 60), size=(100, 120)
    )
    grasp = Grasp(x=40.5 / 90, y=30.5 / 60, theta=theta)
    moved = rotation.grasp(grasp)
    assert (moved.x, moved.y) == pytest.approx((70.5 / 100, 80.5 / 120))
    assert angle_difference(moved.theta, theta + turn) < 1e-9
    assert rotation.scale == pytest.approx(scale)
    assert not rotation.is_mirror


def test_a_quarter_turn_is_counter_clockwise_as_seen() -> None:
    turn = Transform.about(
        source=(50, 50), target=(50, 50), scale=1, theta=math.pi / 2, source_size=(101, 101), size=(101, 101)
    )
    assert turn.points(np.array([[80, 50], [50, 20]])) == pytest.approx(np.array([[50, 20], [20, 50]]))


@laws
@given(sizes, st.data())
def test_crops_and_letterboxes_never_turn(size: tuple[int, int], data: st.DataObject) -> None:
    crop = data.draw(crops(source_size=size))
    fit = crop.then(Transform.letterbox(source_size=crop.size, size=data.draw(sizes)))
    rectangle = data.draw(rectangles)
    for transform in (crop, fit):
        assert angle_difference(transform.rectangle(rectangle).theta, rectangle.theta) < 1e-9
        assert not transform.is_mirror


@laws
@given(sizes, sizes)
def test_a_letterbox_holds_the_whole_picture_centred(source_size: tuple[int, int], size: tuple[int, int]) -> None:
    fit = Transform.letterbox(source_size=source_size, size=size)
    width, height = source_size
    (x0, y0), (x1, y1) = fit.points(np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])) + 0.5
    assert x0 + x1 == pytest.approx(size[0])
    assert y0 + y1 == pytest.approx(size[1])
    bars = sorted([x0, y0])
    assert bars[0] == pytest.approx(0, abs=1e-6)
    assert bars[1] >= -1e-6


@pytest.mark.parametrize(
    "linear",
    [
        [[2, 0], [0, 1]],
        [[1, 0.01], [0, 1]],
        [[1, 1], [1, 1]],
        [[0, 0], [0, 0]],
        [[math.nan, 0], [0, 1]],
        [[1, 0], [0, math.inf]],
    ],
    ids=["stretched", "sheared", "flat", "nothing", "nan", "infinite"],
)
def test_refuses_what_bends_angles(linear: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"keeps angles|finite 2x3"):
        Transform(np.column_stack([linear, [0, 0]]), (10, 10), (10, 10))


def test_refuses_other_shapes_and_sizes() -> None:
    with pytest.raises(ValueError, match="finite 2x3"):
        Transform(np.eye(3), (10, 10), (10, 10))
    with pytest.raises(ValueError, match=r"to \(10, 20\) cannot be followed by one from \(20, 10\)"):
        Transform.identity(size=(10, 20)).then(Transform.identity(size=(20, 10)))
    with pytest.raises(ValueError, match=r"takes a picture of \(10, 20\); found \(20, 10\)"):
        Transform.identity(size=(10, 20)).picture(ramp(width=20, height=10))


@laws
@given(kinds())
def test_survives_json(transform: Transform) -> None:
    again = Transform.from_json(json.loads(json.dumps(transform.to_json())))
    assert np.array_equal(again.matrix, transform.matrix)
    assert (again.source_size, again.size) == (transform.source_size, transform.size)


# ---------------------------------------------------------------- the workspace


def test_the_default_workspace_is_the_whole_picture() -> None:
    fit = workspace_transform(image_size=(640, 480), workspace=None, size=(320, 320))
    assert fit.matrix == pytest.approx(Transform.letterbox(source_size=(640, 480), size=(320, 320)).matrix)
    assert (fit.source_size, fit.size) == ((640, 480), (320, 320))


def test_cornells_workspace_is_cut_as_it_is() -> None:
    fit = workspace_transform(image_size=(640, 480), workspace=CORNELL_WORKSPACE, size=(352, 352))
    assert fit.matrix == pytest.approx(np.array([[1, 0, -144], [0, 1, -64]]))
    picture = ramp(width=640, height=480)
    assert np.array_equal(fit.picture(picture).rgb, picture.rgb[64:416, 144:496])


@pytest.mark.parametrize(
    "workspace",
    [(-1, 0, 10, 10), (0, -1, 10, 10), (0, 0, 641, 10), (0, 0, 10, 481), (5, 0, 5, 10), (0, 9, 10, 3), (0, 0, 0, 0)],
)
def test_a_workspace_outside_the_picture_is_refused(workspace: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputError, match="x0 < x1 <= 640, 0 <= y0 < y1 <= 480") as caught:
        workspace_transform(image_size=(640, 480), workspace=workspace, size=(352, 352))
    assert ",".join(map(str, workspace)) in str(caught.value)


# ---------------------------------------------------------------- pixels, exactly


def test_pixels_of_the_simple_kinds() -> None:
    picture = ramp(width=40, height=30)
    size, rgb = picture.size, picture.rgb
    assert np.array_equal(Transform.identity(size=size).picture(picture).rgb, rgb)
    assert np.array_equal(Transform.flip(size=size, axis="horizontal").picture(picture).rgb, rgb[:, ::-1])
    assert np.array_equal(Transform.flip(size=size, axis="vertical").picture(picture).rgb, rgb[::-1])
    crop = Transform.crop(box=(3, 5, 33, 21), source_size=size)
    assert np.array_equal(crop.picture(picture).rgb, rgb[5:21, 3:33])


@pytest.mark.parametrize("shrink", [2, 3, 5])
def test_shrinking_averages_blocks(shrink: int) -> None:
    values = np.random.default_rng(0).integers(0, 256, (20 * shrink, 30 * shrink))
    fit = Transform.letterbox(source_size=(30 * shrink, 20 * shrink), size=(30, 20))
    blocks = values.reshape(20, shrink, 30, shrink).mean(axis=(1, 3))
    assert np.abs(fit.picture(grey(values)).rgb[:, :, 0] - blocks).max() <= 1


def test_what_lies_outside_is_filled() -> None:
    picture = grey(np.full((20, 40), 200))
    fit = Transform.letterbox(source_size=(40, 20), size=(40, 40))
    bars = fit.picture(picture).rgb
    assert (bars[:10] == 114).all() and (bars[30:] == 114).all() and (bars[10:30] == 200).all()
    assert fit.picture(picture, fill=(1, 2, 3)).rgb[0, 0].tolist() == [1, 2, 3]
    assert (fit.picture(picture, fill="edge").rgb == 200).all()


def test_edge_repeats_the_border() -> None:
    picture = ramp(width=20, height=16)
    wide = Transform(np.array([[1, 0, 6], [0, 1, 0]]), (20, 16), (32, 16)).picture(picture, fill="edge").rgb
    assert np.array_equal(wide[:, :6], np.repeat(picture.rgb[:, :1], 6, axis=1))
    assert np.array_equal(wide[:, 26:], np.repeat(picture.rgb[:, -1:], 6, axis=1))


@laws
@given(st.integers(100, 900), st.integers(100, 900), st.integers(16, 99))
def test_shrinking_loses_no_border(width: int, height: int, side: int) -> None:
    fit = Transform.letterbox(source_size=(width, height), size=(side, side))
    seen = fit.picture(grey(np.full((height, width), 255)), fill=(0, 0, 0)).rgb[:, :, 0]
    # Every target pixel whose whole area lies in the source.
    back = fit.inverse()
    (x0, y0), (x1, y1) = back.points(np.array([[-0.5, -0.5], [0.5, 0.5]]))
    xs, ys = back.points(np.stack([np.arange(side), np.arange(side)], axis=-1)).T
    half = (x1 - x0) / 2 - 1e-6
    assert y1 - y0 == pytest.approx(x1 - x0)
    columns = (xs - half >= -0.5) & (xs + half <= width - 0.5)
    rows = (ys - half >= -0.5) & (ys + half <= height - 0.5)
    assert columns.any() or rows.any()
    assert (seen[np.ix_(rows, columns)] == 255).all()


# ---------------------------------------------------------------- picture and label together


def drawn(rectangle: GraspRectangle, *, size: tuple[int, int]) -> np.ndarray:
    """Array (height, width): how much of each pixel the rectangle covers, 0 to 1, soft at its edges."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    cx, cy = rectangle.center
    cos, sin = math.cos(rectangle.theta), math.sin(rectangle.theta)
    along, across = (x - cx) * cos - (y - cy) * sin, (x - cx) * sin + (y - cy) * cos
    sides = np.clip(rectangle.opening / 2 - np.abs(along) + 0.5, 0, 1)
    cover: np.ndarray = sides * np.clip(rectangle.jaw / 2 - np.abs(across) + 0.5, 0, 1)
    return cover


def seen(weights: np.ndarray) -> tuple[tuple[float, float], float]:
    """Centroid in pixels and direction of the long axis in radians (counter-clockwise as seen) of what is bright."""
    weights = weights.astype(float)
    y, x = np.mgrid[0 : weights.shape[0], 0 : weights.shape[1]]
    total = weights.sum()
    cx, cy = (weights * x).sum() / total, (weights * y).sum() / total
    xx, yy = (weights * (x - cx) ** 2).sum(), (weights * (y - cy) ** 2).sum()
    xy = (weights * (x - cx) * (y - cy)).sum()
    return (cx, cy), -0.5 * math.atan2(2 * xy, xx - yy)


@settings(max_examples=50, deadline=None)
@given(
    st.floats(60, 100), st.floats(50, 70), angles, angles, st.floats(0.4, 1.6),
    st.tuples(st.floats(90, 110), st.floats(90, 110)), st.sampled_from([None, *AXES]),
    st.sampled_from([None, *AXES]),
)  # fmt: skip
def test_picture_and_label_move_together(
    x: float,
    y: float,
    theta: float,
    turn: float,
    scale: float,
    target: tuple[float, float],
    flip_before: Axis | None,
    flip_after: Axis | None,
) -> None:
    source_size, size = (160, 120), (200, 200)
    label = GraspRectangle.from_pose(center=(x, y), theta=theta, opening=50, jaw=20)
    transform = Transform.identity(size=source_size)
    if flip_before:
        transform = Transform.flip(size=source_size, axis=flip_before)
    source = transform.rectangle(label).center
    turned = Transform.about(source=source, target=target, scale=scale, theta=turn, source_size=source_size, size=size)
    transform = transform.then(turned)
    if flip_after:
        transform = transform.then(Transform.flip(size=size, axis=flip_after))
    cover = drawn(label, size=source_size)
    picture = Picture(grey(cover * 255).rgb, depth=np.where(cover > 0.5, np.float32(0.5), np.float32(0.9)))
    moved, there = transform.picture(picture, fill=(0, 0, 0)), transform.rectangle(label)

    center, axis_theta = seen(moved.rgb[:, :, 0])
    assert center == pytest.approx(there.center, abs=0.2)
    assert math.degrees(angle_difference(axis_theta, there.theta)) < 1
    assert moved.rgb[:, :, 0].sum() / 255 == pytest.approx(there.opening * there.jaw, rel=0.1)

    assert moved.depth is not None
    center, axis_theta = seen(moved.depth == np.float32(0.5))
    assert center == pytest.approx(there.center, abs=1.5)
    assert math.degrees(angle_difference(axis_theta, there.theta)) < 5
    # Nothing between the two depths, and a hole where the source does not reach.
    known = moved.depth[~np.isnan(moved.depth)]
    assert np.isin(known, np.array([0.5, 0.9], np.float32)).all()
    grid = np.stack(np.meshgrid(np.arange(200), np.arange(200)), axis=-1)
    at = transform.inverse().points(grid)
    outside = ((at < -0.6) | (at > np.array(source_size) - 0.4)).any(axis=-1)
    inside = ((at > -0.4) & (at < np.array(source_size) - 0.6)).all(axis=-1)
    assert np.isnan(moved.depth[outside]).all()
    assert not np.isnan(moved.depth[inside]).any()


@pytest.mark.parametrize(
    ("source_size", "size"), [((4000, 3000), (352, 352)), ((3001, 3999), (224, 224)), ((2003, 700), (100, 100))]
)
@pytest.mark.parametrize("theta", [0.6, -1.1])
def test_a_phone_photograph_shrinks_with_its_label(
    source_size: tuple[int, int], size: tuple[int, int], theta: float
) -> None:
    width, height = source_size
    for place in ((0.3, 0.35), (0.8, 0.7)):
        label = GraspRectangle.from_pose(
            center=(place[0] * width, place[1] * height), theta=theta, opening=height * 0.3, jaw=height * 0.1
        )
        fit = workspace_transform(image_size=source_size, workspace=None, size=size)
        picture = grey(drawn(label, size=source_size) * 255)
        center, axis = seen(fit.picture(picture, fill=(0, 0, 0)).rgb[:, :, 0])
        there = fit.rectangle(label)
        assert center == pytest.approx(there.center, abs=0.1)
        assert math.degrees(angle_difference(axis, there.theta)) < 1


def test_depth_keeps_its_values_when_it_shrinks() -> None:
    depth = np.random.default_rng(0).uniform(0.4, 1.0, (300, 400)).astype(np.float32)
    depth[:40] = np.nan
    picture = Picture(np.zeros((300, 400, 3), np.uint8), depth=depth)
    moved = Transform.letterbox(source_size=(400, 300), size=(50, 50)).picture(picture).depth
    assert moved is not None
    assert moved.dtype == np.float32
    known = moved[~np.isnan(moved)]
    assert np.isin(known, depth).all()
    # Bars of 6.25 rows each side, and 5 rows of holes.
    assert np.isnan(moved[:11]).all() and np.isnan(moved[44:]).all()
    assert not np.isnan(moved[12:43]).any()
    assert Transform.identity(size=(400, 300)).picture(Picture(picture.rgb)).depth is None
