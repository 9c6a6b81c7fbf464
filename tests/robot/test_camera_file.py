import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.errors import InputError
from graspwise.robot.camera import Camera
from graspwise.robot.camera_file import read_camera, read_depth_unit
from graspwise.robot.hand_eye import read_hand_eye

DATA = Path(__file__).parent / "data"
ROS = {
    "image_width": 640,
    "image_height": 480,
    "camera_matrix": {"rows": 3, "cols": 3, "data": [500.0, 0, 320.0, 0, 501.0, 240.0, 0, 0, 1]},
    "distortion_model": "plumb_bob",
    "distortion_coefficients": {"rows": 1, "cols": 5, "data": [0.1, -0.2, 0.001, 0.002, 0.0]},
}
REALSENSE = {"width": 640, "height": 480, "fx": 600.0, "fy": 601.0, "ppx": 320.0, "ppy": 240.0}
COEFFICIENTS = [0.1, -0.2, 0.001, 0.002, 0.01]


def written(folder: Path, value: object, name: str = "camera.yaml") -> Path:
    path = folder / name
    text = value if isinstance(value, str) else json.dumps(value) if name.endswith("json") else yaml.safe_dump(value)
    path.write_text(text)
    return path


# ---- what real programs write


def test_camera_calibrations_yaml():
    camera = read_camera(DATA / "ros_camera.yaml")
    assert camera == Camera(
        640, 480, 536.04192, 537.51176, 318.27391, 241.88014,
        (0.037164, -0.108823, -0.000391, 5e-05, 0.0), "plumb_bob",
    )  # fmt: skip


def test_camera_info_as_ros2_topic_echo_prints_it():
    camera = read_camera(DATA / "camera_info.yaml")
    assert (camera.size, camera.model) == ((640, 480), "none")
    assert (camera.fx, camera.cy) == (607.5184326171875, 246.1870574951172)


def test_realsense_json_gives_the_color_stream():
    camera = read_camera(DATA / "realsense_d455.json")
    assert (camera.fx, camera.cx, camera.model) == (638.2734375, 637.1083984375, "modified_brown_conrady")
    assert camera.distortion == (-0.05594, 0.06588, -0.000842, 0.000231, -0.02129)


def test_realsense_yaml_without_distortion():
    camera = read_camera(DATA / "realsense_d435.yaml")
    assert (camera.model, camera.distortion, camera.cx) == ("none", (), 321.2841796875)


@settings(max_examples=30, deadline=None)
@given(
    fx=st.floats(100, 5000),
    cx=st.floats(0, 640),
    k=st.lists(st.floats(-1, 1), min_size=1, max_size=4),
    model=st.sampled_from(["none", "plumb_bob", "rational_polynomial", "equidistant", "modified_brown_conrady"]),
)
def test_what_is_written_is_read_back(fx, cx, k, model, tmp_path_factory):
    camera = Camera(640, 480, fx, 510.0, cx, 240.0, () if model == "none" else tuple(k), model)
    T = np.diag([1.0, -1.0, -1.0, 1.0])
    T[:3, 3] = 0.5, 0.1, 0.7
    text = camera.to_yaml(T_base_camera=T, depth_unit="mm")
    path = written(tmp_path_factory.mktemp("camera"), text)
    again = read_camera(path)
    # Without coefficients every model but the fisheye is none.
    assert again == camera if any(k) or model == "equidistant" else again.model == "none"
    assert (read_hand_eye(path) == T).all()
    assert read_depth_unit(path) == "mm"


# ---- other forms of the same


@pytest.mark.parametrize(
    ("changes", "model", "count"),
    [
        ({"distortion_model": None}, "plumb_bob", 5),
        ({"distortion_model": ""}, "plumb_bob", 5),
        ({"distortion_model": "fisheye", "distortion_coefficients": [0.1, 0.2, 0.3, 0.4]}, "equidistant", 4),
        ({"distortion_model": "equidistant", "distortion_coefficients": [0.0] * 4}, "equidistant", 4),
        (
            {"distortion_model": "rational_polynomial", "distortion_coefficients": [0.1] * 8 + [0.0] * 6},
            "rational_polynomial",
            8,
        ),
        ({"distortion_coefficients": {"data": [[0.1], [0.2], [0.0], [0.0], [0.0]]}}, "plumb_bob", 5),
        ({"distortion_coefficients": {"data": ["1e-05", 0, 0, 0, 0]}}, "plumb_bob", 5),
        ({"distortion_coefficients": {"data": [0.0] * 5}}, "none", 0),
        ({"distortion_model": "none", "distortion_coefficients": None}, "none", 0),
        ({"camera_matrix": [[500, 0, 320], [0, 501, 240], [0, 0, 1]]}, "plumb_bob", 5),
    ],
)
def test_ros_variants(changes, model, count, tmp_path):
    camera = read_camera(written(tmp_path, ROS | changes))
    assert (camera.model, len(camera.distortion), camera.fx, camera.cy) == (model, count, 500.0, 240.0)


def test_opencvs_header_and_tags(tmp_path):
    text = yaml.safe_dump(ROS).replace("camera_matrix:", "camera_matrix: !!opencv-matrix")
    assert read_camera(written(tmp_path, "%YAML:1.0\n---\n" + text)).fx == 500.0


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Brown Conrady", "plumb_bob"),
        ("distortion.brown_conrady", "plumb_bob"),
        ("RS2_DISTORTION_BROWN_CONRADY", "plumb_bob"),
        ("Modified Brown Conrady", "modified_brown_conrady"),
        ("Inverse Brown Conrady", "modified_brown_conrady"),
        ("distortion.inverse_brown_conrady", "modified_brown_conrady"),
        ("Kannala Brandt4", "equidistant"),
        ("plumb_bob", "plumb_bob"),
        (1, "modified_brown_conrady"),
        (2, "modified_brown_conrady"),
        (4, "plumb_bob"),
        (5, "equidistant"),
    ],
)
def test_realsenses_names_of_models(name, model, tmp_path):
    coefficients = [*COEFFICIENTS[:4], 0.0]
    camera = read_camera(written(tmp_path, REALSENSE | {"model": name, "coeffs": coefficients}, "camera.json"))
    assert camera.model == model
    assert camera.distortion == tuple(coefficients)[: len(camera.distortion)]


@pytest.mark.parametrize(
    "value",
    [
        {"intrinsics": REALSENSE},
        {"depth": REALSENSE | {"fx": 111.0}, "color": REALSENSE},
        {"color": {"intrinsics": REALSENSE}, "depth": {"intrinsics": REALSENSE | {"fx": 111.0}}},
        {"depth_intrinsics": REALSENSE},
        REALSENSE | {"cx": 5.0, "model": None},
        {k: v for k, v in REALSENSE.items() if not k.startswith("pp")} | {"cx": 320, "cy": 240},
    ],
)
def test_where_realsense_users_put_intrinsics(value, tmp_path):
    camera = read_camera(written(tmp_path, value))
    assert (camera.fx, camera.cx, camera.cy, camera.model) == (600.0, 320.0, 240.0, "none")


# ---- malformed files


def without(value: dict, key: str) -> dict:
    return {name: item for name, item in value.items() if name != key}


def matrix(*numbers: object) -> dict:
    return ROS | {"camera_matrix": {"rows": 3, "cols": 3, "data": list(numbers)}}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("", ["NoneType", "mapping"]),
        ("just words", ["str", "mapping"]),
        ("- 1\n- 2", ["list", "mapping"]),
        ("a: [1, 2", ["not valid YAML", "line 1"]),
        ("a: !!python/object:os.system {}", ["not valid YAML"]),
        ({}, ["no camera", "(none)", "image_width", "ppx"]),
        ({"hello": 1}, ["no camera", "hello"]),
        (without(ROS, "image_width"), ["image_width", "missing"]),
        (ROS | {"image_height": "tall"}, ["image_height", "tall"]),
        (ROS | {"image_height": 480.5}, ["image_height", "480.5", "whole"]),
        (ROS | {"image_height": -480}, ["height", "-480"]),
        (ROS | {"image_width": True}, ["image_width", "True"]),
        (ROS | {"camera_matrix": None}, ["camera_matrix", "missing", "9 numbers"]),
        (ROS | {"camera_matrix": {"rows": 3}}, ["camera_matrix.data", "missing"]),
        (ROS | {"camera_matrix": 500.0}, ["camera_matrix", "500.0", "list"]),
        (matrix(500, 0, 320, 0, 501, 240), ["camera_matrix", "found 6", "9"]),
        (matrix(500, 0, 320, 0, "x", 240, 0, 0, 1), ["camera_matrix.data[4]", "'x'"]),
        (matrix(float("nan"), 0, 320, 0, 501, 240, 0, 0, 1), ["camera_matrix.data[0]", "nan"]),
        (matrix(-500, 0, 320, 0, 501, 240, 0, 0, 1), ["fx", "-500"]),
        (matrix(0, 0, 0, 0, 0, 0, 0, 0, 0), ["camera_matrix", "fx, 0, cx"]),
        (matrix(500, 2, 320, 0, 501, 240, 0, 0, 1), ["camera_matrix", "fx, 0, cx"]),
        (matrix(500, 0, 0, 0, 501, 0, 320, 240, 1), ["camera_matrix", "fx, 0, cx"]),
        (ROS | {"distortion_model": "brown"}, ["distortion_model", "brown", "plumb_bob"]),
        (without(ROS, "distortion_coefficients"), ["distortion_coefficients", "missing"]),
        (ROS | {"distortion_coefficients": [0.1, float("inf")]}, ["distortion_coefficients[1]", "inf"]),
        (ROS | {"distortion_coefficients": [0.1] * 8}, ["8 coefficients", "valid are 5", "plumb_bob"]),
        (without(REALSENSE, "ppy"), ["ppy", "missing"]),
        (without(REALSENSE, "width"), ["width", "missing"]),
        ({"color": without(REALSENSE, "fy")}, ["color.fy", "missing"]),
        (REALSENSE | {"fx": 0.0}, ["fx", "0.0", "above 0"]),
        (REALSENSE | {"fx": 1.93, "fy": 1.93}, ["fx", "1.93", "pixels?"]),
        (REALSENSE | {"model": "Ftheta", "coeffs": COEFFICIENTS}, ["model", "Ftheta", "brown_conrady"]),
        (REALSENSE | {"model": 9, "coeffs": COEFFICIENTS}, ["model", "9"]),
        (REALSENSE | {"model": "Brown Conrady"}, ["coeffs", "missing"]),
        (REALSENSE | {"model": "None", "coeffs": COEFFICIENTS}, ["5 coefficients", "none"]),
        (REALSENSE | {"model": "Brown Conrady", "coeffs": [[[1]]]}, ["coeffs[0]"]),
        (
            {"depth": REALSENSE | {"model": "Inverse Brown Conrady", "coeffs": COEFFICIENTS}},
            ["depth.coeffs", "two meanings", "align depth to color"],
        ),
    ],
)
def test_malformed_files_are_one_line_that_names_file_and_field(value, names, tmp_path):
    path = written(tmp_path, value)
    with pytest.raises(InputError) as caught:
        read_camera(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert all(name in message for name in names), message
    assert "\n" not in message


def test_files_that_are_none(tmp_path):
    for path, name in ((tmp_path / "gone.yaml", "no such file"), (tmp_path, "folder")):
        with pytest.raises(InputError, match=name):
            read_camera(path)
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\r\n\xff\xfe\x00")
    with pytest.raises(InputError, match=r"picture.yaml: not"):
        read_camera(tmp_path / "picture.yaml")
    (tmp_path / "cut.json").write_text('{"width": 640')
    with pytest.raises(InputError, match=r"cut.json: not valid YAML or JSON"):
        read_camera(tmp_path / "cut.json")


def test_depth_units(tmp_path):
    assert read_depth_unit(written(tmp_path, ROS)) is None
    assert read_depth_unit(written(tmp_path, ROS | {"depth_unit": "m"})) == "m"
    with pytest.raises(InputError, match="depth_unit is 'cm'; valid are mm, m"):
        read_depth_unit(written(tmp_path, ROS | {"depth_unit": "cm"}))
