import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.errors import InputError
from graspwise.robot.camera import COEFFICIENTS, MODELS, Camera

laws = settings(max_examples=60, deadline=None)
# What calibrations of real lenses hold.
LENSES = {
    "none": [()],
    "plumb_bob": [(-0.35, 0.15, 0.002, -0.001, -0.02), (0.13, -0.31, 0.0023, 0.003, 0.0), (0.04, -0.11)],
    "rational_polynomial": [(0.4, -2.6, 0.0005, -0.0002, 1.5, 0.3, -2.4, 1.4)],
    "equidistant": [(0.01, -0.02, 0.003, 0.0), ()],
    "modified_brown_conrady": [(-0.056, 0.065, -0.0009, 0.0002, -0.021)],
}
EVERY_LENS = [(model, lens) for model, lenses in LENSES.items() for lens in lenses]


def lens(model: str, distortion: tuple[float, ...], **changes: float) -> Camera:
    fields = {"width": 640, "height": 480, "fx": 500.0, "fy": 510.0, "cx": 322.5, "cy": 236.0}
    return Camera(**(fields | changes), distortion=distortion, model=model)


def test_every_model_has_a_lens_here():
    assert set(LENSES) == set(MODELS) == set(COEFFICIENTS)


@pytest.mark.parametrize(("model", "distortion"), EVERY_LENS)
def test_project_and_deproject_are_inverse(model, distortion):
    camera = lens(model, distortion)
    rng = np.random.default_rng(0)
    pixels = np.vstack([rng.uniform((-0.5, -0.5), (639.5, 479.5), (500, 2)), [[0, 0], [639, 479], [0, 479]]])
    depth = rng.uniform(0.2, 3, len(pixels))
    points = camera.deproject(pixels, depth)
    assert np.array_equal(points[:, 2], depth)
    assert np.abs(camera.project(points) - pixels).max() < 1e-6


@laws
@given(
    k1=st.floats(-0.25, 0.25),
    k2=st.floats(-0.05, 0.05),
    p1=st.floats(-0.005, 0.005),
    p2=st.floats(-0.005, 0.005),
    model=st.sampled_from(["plumb_bob", "modified_brown_conrady", "rational_polynomial"]),
    x=st.floats(-0.5, 639.5),
    y=st.floats(-0.5, 479.5),
    depth=st.floats(0.1, 5),
)
def test_inverse_for_any_mild_lens(k1, k2, p1, p2, model, x, y, depth):
    camera = lens(model, (k1, k2, p1, p2), fx=600.0, fy=600.0)
    assert camera.project(camera.deproject(np.array([[x, y]]), depth)) == pytest.approx(np.array([[x, y]]), abs=1e-6)


@pytest.mark.parametrize(("model", "distortion"), [c for c in EVERY_LENS if c[0] != "modified_brown_conrady"])
def test_projection_is_opencvs(model, distortion):
    camera = lens(model, distortion)
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(-0.5, 0.5, (200, 2)), rng.uniform(0.8, 2, 200)])
    zero, coefficients = np.zeros(3), np.array(camera.distortion or (0.0,) * 5)
    if model == "equidistant":
        expected = cv2.fisheye.projectPoints(points[:, None], zero, zero, camera.matrix, coefficients)[0]
    else:
        expected = cv2.projectPoints(points, zero, zero, camera.matrix, coefficients)[0]
    assert camera.project(points) == pytest.approx(expected.reshape(-1, 2), abs=1e-9)


def test_modified_brown_conrady_is_realsenses():
    """The formula of rs2_project_point_to_pixel, written for one point."""
    k1, k2, p1, p2, k3 = LENSES["modified_brown_conrady"][0]
    x, y = 0.31, -0.22
    r2 = x * x + y * y
    f = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    u, v = x * f, y * f
    u, v = u + 2 * p1 * u * v + p2 * (r2 + 2 * u * u), v + 2 * p2 * u * v + p1 * (r2 + 2 * v * v)
    camera = lens("modified_brown_conrady", (k1, k2, p1, p2, k3))
    expected = [500.0 * u + 322.5, 510.0 * v + 236.0]
    assert camera.project(np.array([[2 * x, 2 * y, 2.0]]))[0] == pytest.approx(expected)


def test_camera_frame_is_x_right_y_down_z_forward():
    pixels = lens("none", ()).project(np.array([[0, 0, 1], [0.1, 0, 1], [0, 0.1, 1]]))
    assert pixels.tolist() == [[322.5, 236.0], [372.5, 236.0], [322.5, 287.0]]


def test_a_hole_stays_a_hole_and_what_is_behind_is_not_seen():
    camera = lens("plumb_bob", (0.1,))
    assert np.isnan(camera.deproject(np.array([[10, 10]]), np.nan)).all()
    assert np.isnan(camera.project(np.array([[0.1, 0.1, -1.0], [0.1, 0.1, 0.0]]))).all()


def test_no_points_are_no_pixels():
    camera = lens("plumb_bob", (0.1,))
    assert camera.project(np.zeros((0, 3))).shape == (0, 2)
    assert camera.deproject(np.zeros((0, 2)), np.zeros(0)).shape == (0, 3)


@pytest.mark.parametrize("distortion", [(-0.5,), (-0.5, 0.1), (-0.3,)])
def test_a_lens_that_folds_over_is_refused_not_guessed(distortion):
    wide = lens("plumb_bob", distortion, fx=300.0, fy=300.0)
    assert np.isfinite(wide.deproject(np.array([[322.5, 236.0]]), 1.0)).all()
    with pytest.raises(InputError, match=r"plumb_bob distortion cannot be undone at the pixel \(0, 0\)"):
        wide.deproject(np.array([[322.5, 236.0], [0, 0]]), 1.0)


def test_a_fisheye_sees_no_depth_beyond_a_right_angle():
    with pytest.raises(InputError, match="equidistant"):
        lens("equidistant", (), fx=200.0, fy=200.0).deproject(np.array([[0, 0]]), 1.0)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"width": 0}, ["width", "0"]),
        ({"height": 480.5}, ["height", "480.5"]),
        ({"width": True}, ["width", "True"]),
        ({"fx": 0.0}, ["fx", "above 0"]),
        ({"fy": -500.0}, ["fy", "-500"]),
        ({"fx": float("nan")}, ["fx", "nan"]),
        ({"fx": 1.88, "fy": 1.88}, ["fx", "1.88", "pixels?"]),
        ({"cx": float("inf")}, ["cx", "inf"]),
        ({"cy": 5000.0}, ["cy", "5000"]),
        ({"model": "brown"}, ["brown", "plumb_bob"]),
        ({"distortion": (0.1,)}, ["distortion", "1 coefficients", "none"]),
        ({"model": "plumb_bob", "distortion": (float("nan"),)}, ["distortion", "nan"]),
        ({"model": "equidistant", "distortion": (0.1,) * 5}, ["5 coefficients", "valid are 4"]),
    ],
)
def test_bad_fields(changes, names):
    fields = {"width": 640, "height": 480, "fx": 500.0, "fy": 500.0, "cx": 320.0, "cy": 240.0}
    with pytest.raises(InputError) as caught:
        Camera(**(fields | changes))
    assert all(name in str(caught.value) for name in names), caught.value


def test_coefficients_are_filled_up_and_zeros_beyond_are_dropped():
    assert lens("plumb_bob", (0.1, 0.2)).distortion == (0.1, 0.2, 0.0, 0.0, 0.0)
    assert lens("equidistant", (0.1, 0.2, 0.3, 0.4, 0.0)).distortion == (0.1, 0.2, 0.3, 0.4)


def test_yaml_has_the_fields_of_ros():
    text = lens("none", ()).to_yaml(T_base_camera=np.eye(4), depth_unit="mm")
    value = yaml.safe_load(text)
    assert value["camera_matrix"] == {"rows": 3, "cols": 3, "data": [500.0, 0.0, 322.5, 0.0, 510.0, 236.0, 0, 0, 1]}
    assert value["distortion_model"] == "plumb_bob"
    assert value["distortion_coefficients"]["data"] == [0.0] * 5
    assert value["projection_matrix"]["data"][:4] == [500.0, 0.0, 322.5, 0.0]
    assert value["T_base_camera"] == np.eye(4).tolist()
    assert value["depth_unit"] == "mm"
