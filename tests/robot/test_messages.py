from types import SimpleNamespace

import numpy as np
import pytest

from graspwise.errors import InputError
from graspwise.robot.messages import camera_of, depth_of, fill_pose, rgb_of

RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


def image(array: np.ndarray, encoding: str, *, padding: int = 0, big: bool = False) -> SimpleNamespace:
    """A sensor_msgs/Image whose rows are padded."""
    rows = [row.tobytes() + b"\xaa" * padding for row in array]
    return SimpleNamespace(
        height=len(array), width=array.shape[1], encoding=encoding, is_bigendian=int(big),
        step=len(rows[0]), data=b"".join(rows),
    )  # fmt: skip


@pytest.mark.parametrize("padding", [0, 5])
def test_colours_come_red_first(padding):
    alpha = np.full((2, 3, 1), 255, dtype=np.uint8)
    for encoding, pixels in {
        "rgb8": RGB,
        "bgr8": RGB[:, :, ::-1],
        "rgba8": np.dstack([RGB, alpha]),
        "bgra8": np.dstack([RGB[:, :, ::-1], alpha]),
    }.items():
        assert rgb_of(image(pixels, encoding, padding=padding)).tolist() == RGB.tolist(), encoding
    grey = rgb_of(image(RGB[:, :, 0], "mono8", padding=padding))
    assert grey.tolist() == np.repeat(RGB[:, :, :1], 3, axis=2).tolist()


def test_data_may_be_a_list_or_an_array_as_in_ros():
    message = image(RGB, "rgb8")
    message.data = np.frombuffer(message.data, dtype=np.uint8)
    assert rgb_of(message).tolist() == RGB.tolist()


@pytest.mark.parametrize("big", [False, True])
def test_depth_is_metres_and_holes_are_nan(big):
    order = ">" if big else "<"
    millimetres = np.array([[0, 500, 1234]], dtype=order + "u2")
    metres = np.array([[np.nan, 0.5, -1.0]], dtype=order + "f4")
    found = depth_of(image(millimetres, "16UC1", padding=2, big=big))
    assert np.isnan(found[0, 0]) and found[0, 1:] == pytest.approx([0.5, 1.234])
    found = depth_of(image(metres, "32FC1", big=big))
    assert np.isnan(found[0, [0, 2]]).all() and found[0, 1] == 0.5
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("convert", "message", "names"),
    [
        (rgb_of, image(RGB, "yuv422"), ["yuv422", "rgb8"]),
        (depth_of, image(RGB[:, :, 0], "8UC1"), ["8UC1", "16UC1"]),
        (rgb_of, SimpleNamespace(**(vars(image(RGB, "rgb8")) | {"data": b"abc"})), ["3 bytes", "3x2", "rgb8"]),
        (rgb_of, SimpleNamespace(**(vars(image(RGB, "rgb8")) | {"step": 4})), ["rows of 4", "at least 9"]),
    ],
)
def test_bad_images(convert, message, names):
    with pytest.raises(InputError) as caught:
        convert(message)
    assert all(name in str(caught.value) for name in names), caught.value


def test_camera_info():
    k = np.array([600.0, 0, 320, 0, 601, 240, 0, 0, 1])
    message = SimpleNamespace(width=640, height=480, distortion_model="plumb_bob", k=k, d=[0.1, 0, 0, 0, 0])
    camera = camera_of(message)
    assert (camera.fx, camera.cy, camera.size, camera.distortion[0]) == (600.0, 240.0, (640, 480), 0.1)
    with pytest.raises(InputError, match="k: found"):
        camera_of(SimpleNamespace(width=640, height=480, distortion_model="", k=[0.0] * 9, d=[]))


def test_a_pose_fills_the_message():
    message = SimpleNamespace(
        header=SimpleNamespace(), pose=SimpleNamespace(position=SimpleNamespace(), orientation=SimpleNamespace())
    )
    T = np.diag([1.0, -1.0, -1.0, 1.0])
    T[:3, 3] = 0.4, 0.1, 0.05
    filled = fill_pose(message, transform=T, frame="base", stamp="now")
    assert filled is message
    assert vars(message.header) == {"frame_id": "base", "stamp": "now"}
    assert vars(message.pose.position) == {"x": 0.4, "y": 0.1, "z": 0.05}
    assert vars(message.pose.orientation) == pytest.approx({"x": 1.0, "y": 0.0, "z": 0.0, "w": 0.0})
