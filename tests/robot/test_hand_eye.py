from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.robot.hand_eye import has_hand_eye, read_hand_eye
from graspwise.robot.rigid import check_rigid, from_quaternion, move_points, quaternion_of

DATA = Path(__file__).parent / "data"
# The same camera, 81 cm above the table, in all forms: its right is the base's -y, its down the base's -x.
T = np.array([[0, -1, 0, 0.55], [-1, 0, 0, 0.04], [0, 0, -1, 0.81], [0, 0, 0, 1.0]])
QUATERNION = [0.7071067811865476, -0.7071067811865476, 0.0, 0.0]
NAMED = dict(zip("xyzw", QUATERNION, strict=True))
EASY = {"x": 0.55, "y": 0.04, "z": 0.81, **{f"q{axis}": value for axis, value in NAMED.items()}}


def written(folder: Path, value: object) -> Path:
    path = folder / "hand_eye.yaml"
    path.write_text(yaml.safe_dump(value))
    return path


@pytest.mark.parametrize("name", ["easy_handeye.yaml", "easy_handeye2.calib"])
def test_files_of_easy_handeye(name):
    assert read_hand_eye(DATA / name) == pytest.approx(T, abs=1e-9)


@pytest.mark.parametrize(
    "value",
    [
        {"T_base_camera": T.tolist()},
        {"T_base_camera": {"rows": 4, "cols": 4, "data": T.ravel().tolist()}},
        {"image_width": 640, "T_base_camera": T.ravel().tolist()},
        {"translation": [0.55, 0.04, 0.81], "rotation": QUATERNION},
        {"translation": {"x": 0.55, "y": 0.04, "z": 0.81}, "quaternion": NAMED},
        {"transformation": EASY},
        {"eye_on_hand": False, "tracking_base_frame": "camera_color_optical_frame", "transformation": EASY},
        {"transform": {"translation": [0.55, 0.04, 0.81], "rotation": NAMED}},
    ],
)
def test_every_form_gives_the_same_transform(value, tmp_path):
    path = written(tmp_path, value)
    assert read_hand_eye(path) == pytest.approx(T, abs=1e-9)
    assert has_hand_eye(path) is ("T_base_camera" in value)


def test_a_rounded_rotation_is_made_exact(tmp_path):
    rotation = Rotation.from_euler("xyz", [3.0, 0.2, 0.4]).as_matrix()
    rounded = np.eye(4)
    rounded[:3, :3] = np.round(rotation, 4)
    found = read_hand_eye(written(tmp_path, {"T_base_camera": rounded.tolist()}))
    assert found[:3, :3] @ found[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
    assert found == pytest.approx(rounded, abs=2e-4)


def changed(row: int, column: int, value: float) -> dict:
    matrix = T.copy()
    matrix[row, column] = value
    return {"T_base_camera": matrix.tolist()}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({}, ["no transform", "(none)", "T_base_camera"]),
        ({"camera": 1}, ["no transform", "camera", "easy_handeye"]),
        ({"T_base_camera": None}, ["T_base_camera", "missing", "16 numbers"]),
        ({"T_base_camera": "here"}, ["T_base_camera", "here"]),
        ({"T_base_camera": T[:3].tolist()}, ["T_base_camera", "12 numbers", "16"]),
        (changed(0, 1, -1.01), ["not a rotation"]),
        (changed(2, 2, 1.0), ["mirror", "wrong sign"]),
        (changed(0, 3, float("nan")), ["T_base_camera[3]", "nan"]),
        (changed(0, 3, 550.0), ["550", "millimetres?"]),
        (changed(3, 3, 2.0), ["last row"]),
        ({"translation": [0, 0, 1], "rotation": [0, 0, 0, 0]}, ["length 0", "x, y, z, w"]),
        ({"translation": [0, 0, 1], "rotation": [0.1, 0.2, 0.3]}, ["rotation", "found 3", "4"]),
        ({"translation": [0, 0, 1]}, ["no transform", "translation"]),
        ({"translation": [0, 0], "rotation": QUATERNION}, ["translation", "found 2", "3"]),
        ({"translation": {"x": 0, "y": 0}, "rotation": QUATERNION}, ["translation.z", "missing"]),
        ({"translation": [0, 0, 810], "rotation": QUATERNION}, ["810", "millimetres?"]),
        ({"transformation": {k: v for k, v in EASY.items() if k != "qw"}}, ["transformation.qw", "missing"]),
        ({"transformation": EASY | {"qz": 0.5}}, ["quaternion", "length 1.1"]),
        ({"eye_on_hand": True, "transformation": EASY}, ["on the arm", "eye on base"]),
        ({"parameters": {"eye_on_hand": True}, "transformation": EASY}, ["on the arm", "arm's pose"]),
        ({"parameters": {"calibration_type": "eye_in_hand"}, "transform": {}}, ["on the arm"]),
        ({"parameters": {"tracking_base_frame": "camera_link"}, "transformation": EASY}, ["camera_link", "optical"]),
    ],
)
def test_malformed_files_are_one_line_that_names_file_and_field(value, names, tmp_path):
    path = written(tmp_path, value)
    with pytest.raises(InputError) as caught:
        read_hand_eye(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert all(name in message for name in names), message
    assert "\n" not in message


def test_rigid_helpers_agree_with_each_other():
    quaternion = Rotation.from_euler("xyz", [0.3, -1.1, 2.9]).as_quat()
    transform = from_quaternion(translation=np.array([0.1, 0.2, 0.3]), quaternion=quaternion, name="T")
    again = np.array(quaternion_of(transform))
    assert again == pytest.approx(quaternion * np.sign(quaternion[3]))
    assert move_points(transform, np.zeros((1, 3))).tolist() == [[0.1, 0.2, 0.3]]
    there = move_points(transform, np.array([[1.0, 2.0, 3.0]]))
    assert move_points(np.linalg.inv(transform), there) == pytest.approx(np.array([[1.0, 2.0, 3.0]]))


@pytest.mark.parametrize("value", [None, "x", [[1, 2], [3]], np.eye(3), [[object()] * 4] * 4])
def test_what_is_no_matrix_is_refused(value):
    with pytest.raises(InputError, match=r"^T: "):
        check_rigid(value, name="T")
