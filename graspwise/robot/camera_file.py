"""Camera calibration files, as ROS and users of the RealSense SDK write them.

    ROS          `image_width`, `image_height`, `camera_matrix`, `distortion_model`, `distortion_coefficients`: what
                 `camera_calibration` writes and `camera_info_manager` reads; also a `sensor_msgs/CameraInfo` as
                 `ros2 topic echo` prints it (`width`, `height`, `k`, `d`)
    RealSense    `width`, `height`, `fx`, `fy`, `ppx`, `ppy`, `model`, `coeffs`: the fields of `rs2_intrinsics`, at the
                 top or under `color`, `depth` or `intrinsics`; `color` goes first

The same file may hold `T_base_camera` (see `hand_eye`) and `depth_unit`, as `Camera.to_yaml` writes them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graspwise.errors import InputError
from graspwise.picture import DEPTH_UNITS
from graspwise.robot.calibration_file import number, numbers, read_mapping
from graspwise.robot.camera import Camera, CameraModel

ROS_MODELS: dict[str, CameraModel] = {
    "": "plumb_bob",  # camera_info_manager takes it for plumb_bob too
    "none": "none",
    "plumb_bob": "plumb_bob",
    "rational_polynomial": "rational_polynomial",
    "equidistant": "equidistant",
    "fisheye": "equidistant",
    "modified_brown_conrady": "modified_brown_conrady",
}
# Since 2021 the SDK takes "inverse" for "modified" in both directions (librealsense, pull request 8523).
REALSENSE_MODELS: dict[str, CameraModel] = {
    "none": "none",
    "modified_brown_conrady": "modified_brown_conrady",
    "inverse_brown_conrady": "modified_brown_conrady",
    "brown_conrady": "plumb_bob",
    "kannala_brandt4": "equidistant",
}
# The enumeration `rs2_distortion`, which some programs write as its number.
REALSENSE_NUMBERS = (
    "none", "modified_brown_conrady", "inverse_brown_conrady", "ftheta", "brown_conrady", "kannala_brandt4"
)  # fmt: skip
SECTIONS = ("color", "rgb", "color_intrinsics", "rgb_intrinsics", "intrinsics", "depth", "depth_intrinsics")
VALID = "valid are ROS's image_width, image_height, camera_matrix, ... and RealSense's width, height, fx, fy, ppx, ppy"


def read_camera(path: Path | str) -> Camera:
    """Camera of a calibration file.

    Raises:
        InputError: the file cannot be read, is of another kind, or a field is missing or outside its range.
    """
    value = read_mapping(path)
    try:
        if "camera_matrix" in value or "k" in value or "K" in value:
            return camera_of_ros(value)
        found = _intrinsics(value, section="")
        if found is None:
            raise InputError(f"no camera in the fields {', '.join(value) or '(none)'}; {VALID}")
        return _realsense_camera(*found)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_depth_unit(path: Path | str) -> str | None:
    """Unit of the depth pictures that belong to a camera, "mm" or "m", where its file says so in `depth_unit`.

    Raises:
        InputError: the file cannot be read, or names another unit.
    """
    unit = read_mapping(path).get("depth_unit")
    if unit is not None and unit not in DEPTH_UNITS:
        raise InputError(f"{path}: depth_unit is {unit!r}; valid are {', '.join(DEPTH_UNITS)}")
    return unit


def camera_of_ros(value: Mapping[str, Any]) -> Camera:
    """Camera of ROS's fields, those of a calibration file or of a `sensor_msgs/CameraInfo`.

    Raises:
        InputError: a field is missing or outside its range.
    """

    def first(*names: str) -> tuple[str, Any]:
        return next(((name, value[name]) for name in names if name in value), (names[0], None))

    name, found = first("camera_matrix", "k", "K")
    matrix = numbers(found, name=name, count=9)
    fx, skew, cx, zero, fy, cy, *last = matrix
    if skew or zero or last != [0, 0, 1]:
        raise InputError(f"{name}: found {matrix}; valid is fx, 0, cx, 0, fy, cy, 0, 0, 1")
    name, found = first("distortion_model")
    model = ROS_MODELS.get(str(found or "").strip().lower())
    if model is None:
        raise InputError(f"{name}: found {found!r}; valid are {', '.join(filter(None, ROS_MODELS))}")
    name, found = first("distortion_coefficients", "d", "D")
    coefficients = [] if model == "none" and found is None else numbers(found, name=name)
    return _camera(
        size=(first("image_width", "width"), first("image_height", "height")),
        matrix=(fx, fy, cx, cy), coefficients=coefficients, model=model,
    )  # fmt: skip


def _intrinsics(value: Mapping[str, Any], *, section: str) -> tuple[Mapping[str, Any], str] | None:
    """The mapping that holds `fx`, and under which names it stands."""
    if "fx" in value:
        return value, section
    for key in SECTIONS:
        inner = value.get(key)
        found = _intrinsics(inner, section=f"{section}{key}.") if isinstance(inner, Mapping) else None
        if found is not None:
            return found
    return None


def _realsense_camera(value: Mapping[str, Any], section: str) -> Camera:
    def field(*names: str) -> tuple[str, Any]:
        return next(((section + name, value[name]) for name in names if name in value), (section + names[0], None))

    name, found = field("model", "distortion_model")
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < len(REALSENSE_NUMBERS):
        found = REALSENSE_NUMBERS[found]
    word = str(found or "none").lower().removeprefix("distortion.").removeprefix("rs2_distortion_")
    word = word.replace(" ", "_").replace("-", "_")
    model = REALSENSE_MODELS.get(word) or ROS_MODELS.get(word)
    if model is None:
        raise InputError(f"{name}: found {str(found)[:40]!r}; valid are {', '.join(REALSENSE_MODELS)}")
    name, coefficients = field("coeffs", "distortion_coefficients", "distortion")
    given = [] if model == "none" and coefficients is None else numbers(coefficients, name=name)
    if word == "inverse_brown_conrady" and "depth" in section and any(given):
        raise InputError(
            f"{name}: inverse Brown-Conrady coefficients of a depth stream have two meanings, by the SDK's version; "
            "valid are those of a color stream: align depth to color and give color's"
        )
    fx, fy, cx, cy = (
        number(value, name=name) for name, value in (field("fx"), field("fy"), field("ppx", "cx"), field("ppy", "cy"))
    )
    return _camera(
        size=(field("width", "image_width"), field("height", "image_height")),
        matrix=(fx, fy, cx, cy), coefficients=given, model=model,
    )  # fmt: skip


def _camera(
    *,
    size: tuple[tuple[str, Any], tuple[str, Any]],
    matrix: tuple[float, float, float, float],
    coefficients: list[float],
    model: CameraModel,
) -> Camera:
    sides = []
    for name, found in size:
        side = number(found, name=name)
        if side != int(side):
            raise InputError(f"{name}: found {side}; valid is a whole number of pixels")
        sides.append(int(side))
    # A fisheye lens without coefficients still bends; the others do nothing then.
    if model != "equidistant" and not any(coefficients):
        model, coefficients = "none", []
    return Camera(sides[0], sides[1], *matrix, distortion=tuple(coefficients), model=model)
