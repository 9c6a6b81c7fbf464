"""Hand-eye calibration: where a camera that stands still is in the robot's base frame.

    T_base_camera                          a 4x4 matrix, camera to base; may stand in the camera's own file
    transformation                         easy_handeye: x, y, z, qx, qy, qz, qw
    transform                              easy_handeye2: translation x, y, z and rotation x, y, z, w
    translation + rotation or quaternion   lists or mappings, the quaternion in the order x, y, z, w

The camera frame is the optical one (x right, y down, z forward); drivers call it `..._optical_frame`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graspwise.errors import InputError
from graspwise.robot.calibration_file import number, numbers, read_mapping
from graspwise.robot.rigid import check_rigid, from_quaternion

VALID = (
    "valid are T_base_camera (4x4), easy_handeye's transformation (x, y, z, qx, qy, qz, qw) or transform, "
    "or translation with rotation as a quaternion x, y, z, w"
)
# easy_handeye's eye_on_hand, easy_handeye2's calibration_type: the camera rides on the arm.
ON_HAND = ("eye_on_hand", "eye_in_hand")


def has_hand_eye(path: Path | str) -> bool:
    """Whether a file, such as a camera's, holds `T_base_camera`."""
    return "T_base_camera" in read_mapping(path)


def read_hand_eye(path: Path | str) -> np.ndarray:
    """`T_base_camera`, array (4, 4), of a hand-eye calibration file.

    Raises:
        InputError: the file cannot be read or is of another kind, is the calibration of a camera on the arm, or
            holds no rigid transform in metres.
    """
    value = read_mapping(path)
    try:
        _check_standing(value)
        return _transform(value)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _check_standing(value: Mapping[str, Any]) -> None:
    parameters = value.get("parameters")
    for part in (value, parameters if isinstance(parameters, Mapping) else {}):
        if any(part.get(name) is True for name in ON_HAND) or part.get("calibration_type") in ON_HAND:
            raise InputError(
                "the calibration of a camera on the arm (eye on hand), which needs the arm's pose at each picture; "
                "valid is a camera beside the arm (eye on base), or T_base_camera at the moment of the picture"
            )
        frame = part.get("tracking_base_frame")
        if isinstance(frame, str) and frame.endswith("_link"):
            raise InputError(
                f"tracking_base_frame is {frame}, whose x points forward; valid is the camera's optical frame "
                "(z forward), for example camera_color_optical_frame"
            )


def _transform(value: Mapping[str, Any]) -> np.ndarray:
    if "T_base_camera" in value:
        matrix = numbers(value["T_base_camera"], name="T_base_camera", count=16)
        return check_rigid(np.reshape(matrix, (4, 4)), name="T_base_camera")
    name = next((key for key in ("transformation", "transform") if isinstance(value.get(key), Mapping)), "")
    part: Mapping[str, Any] = value[name] if name else value
    if "qx" in part:
        translation = _named(part, "xyz", name=name)
        quaternion = [number(part.get(f"q{axis}"), name=f"{name}.q{axis}") for axis in "xyzw"]
    else:
        turn = next((key for key in ("rotation", "quaternion") if key in part), "")
        if "translation" not in part or not turn:
            raise InputError(f"no transform in the fields {', '.join(part) or '(none)'}; {VALID}")
        prefix = f"{name}." if name else ""
        translation = _named(part["translation"], "xyz", name=f"{prefix}translation")
        quaternion = _named(part[turn], "xyzw", name=f"{prefix}{turn}")
    return from_quaternion(
        translation=np.array(translation), quaternion=np.array(quaternion), name=name or "T_base_camera"
    )


def _named(value: object, axes: str, *, name: str) -> list[float]:
    """Numbers of a list in the order of the axes, or of a mapping by their names."""
    if isinstance(value, Mapping):
        return [number(value.get(axis), name=f"{name}.{axis}") for axis in axes]
    return numbers(value, name=name, count=len(axes))
