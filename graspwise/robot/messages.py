"""ROS messages to arrays and back, for anything that has a message's fields; no ROS is needed."""

from typing import Any

import numpy as np

from graspwise.errors import InputError
from graspwise.robot.camera import Camera
from graspwise.robot.camera_file import camera_of_ros
from graspwise.robot.rigid import quaternion_of

# Encoding to the channels that are red, green and blue.
COLORS = {"rgb8": [0, 1, 2], "bgr8": [2, 1, 0], "rgba8": [0, 1, 2], "bgra8": [2, 1, 0], "mono8": [0, 0, 0]}
CHANNELS = {"rgba8": 4, "bgra8": 4, "mono8": 1}
# ROS's own rule (REP 118): integers are millimetres, floats are metres.
DEPTHS = {"16UC1": ("u2", 0.001), "mono16": ("u2", 0.001), "32FC1": ("f4", 1.0)}


def rgb_of(message: Any) -> np.ndarray:
    """Array (height, width, 3), uint8, red first, of a `sensor_msgs/Image`.

    Raises:
        InputError: another encoding, or fewer bytes than its size says.
    """
    channels = COLORS.get(message.encoding)
    if channels is None:
        raise InputError(f"image: its encoding is {message.encoding}; valid are {', '.join(COLORS)}")
    pixels = _rows(message, kind=np.dtype("u1"), channels=CHANNELS.get(message.encoding, 3))
    return np.ascontiguousarray(pixels[:, :, channels])


def depth_of(message: Any) -> np.ndarray:
    """Array (height, width), float32, metres, NaN = hole, of a depth `sensor_msgs/Image`.

    Raises:
        InputError: another encoding, or fewer bytes than its size says.
    """
    if message.encoding not in DEPTHS:
        raise InputError(f"depth: its encoding is {message.encoding}; valid are {', '.join(DEPTHS)}")
    kind, scale = DEPTHS[message.encoding]
    order = ">" if message.is_bigendian else "<"
    metres = _rows(message, kind=np.dtype(order + kind), channels=1)[:, :, 0].astype(np.float32) * np.float32(scale)
    metres[~(np.isfinite(metres) & (metres > 0))] = np.nan
    return metres


def camera_of(message: Any) -> Camera:
    """Camera of a `sensor_msgs/CameraInfo`.

    Raises:
        InputError: it is not calibrated (all zeros), or a field is outside its range.
    """
    fields = ("width", "height", "distortion_model")
    lists = {name: [float(value) for value in getattr(message, name)] for name in ("k", "d")}
    return camera_of_ros({name: getattr(message, name) for name in fields} | lists)


def fill_pose(message: Any, *, transform: np.ndarray, frame: str, stamp: Any) -> Any:
    """Write a transform (4, 4) into an empty `geometry_msgs/PoseStamped`, and return it."""
    message.header.frame_id, message.header.stamp = frame, stamp
    for axis, value in zip("xyz", transform[:3, 3].tolist(), strict=True):
        setattr(message.pose.position, axis, value)
    for axis, value in zip("xyzw", quaternion_of(transform), strict=True):
        setattr(message.pose.orientation, axis, value)
    return message


def _rows(message: Any, *, kind: np.dtype, channels: int) -> np.ndarray:
    """Array (height, width, channels) of the data, whose rows may be padded to `step` bytes."""
    used = message.width * channels * kind.itemsize
    data = np.frombuffer(bytes(message.data), dtype=np.uint8)
    if message.step < used or data.size < message.height * message.step:
        raise InputError(
            f"image: {data.size} bytes in rows of {message.step} for {message.width}x{message.height} pixels of "
            f"{message.encoding}; valid are rows of at least {used}"
        )
    rows = data[: message.height * message.step].reshape(message.height, message.step)[:, :used]
    return np.ascontiguousarray(rows).view(kind).reshape(message.height, message.width, channels)
