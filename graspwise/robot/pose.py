"""Planar grasp + depth picture + camera + hand-eye calibration -> gripper pose in the robot's base frame.

Frames, all right-handed, metres:

- base: the robot's, z up; the table is the plane z = `table_height`.
- camera: OpenCV's, x right, y down, z forward; `T_base_camera` is its pose in the base.
- gripper: origin between the very tips of the fingers (a Franka Hand's own TCP lies 9 mm above them), z the way it
  approaches (from hand to object), y the way the jaws open, x = y cross z. It approaches straight down, so z is -z of
  the base.

A half-turn about z is the same grasp; of the two, x points to the positive x of the base (where it is 0, to positive
y). A camera that looks straight down with its x along the base's x sees theta = 0 as jaws that open along the base's x.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.robot.camera import Camera
from graspwise.robot.rigid import check_rigid, quaternion_of
from graspwise.robot.view import DepthView

APPROACH_DISTANCE = 0.10
FLOOR_CLEARANCE, LEAST_DEPTH = 0.002, 0.010
# Of the points between the jaws this share may lie above "the top": flying pixels, but no thin rim.
STRAY_SHARE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Gripper:
    """A parallel-jaw gripper, by default the Franka Hand; all in metres.

    Attributes:
        max_opening: Jaw to jaw, widest.
        min_opening: Jaw to jaw, narrowest it may be told.
        finger_length: Clear length from the palm to the tips; what is between the jaws may not reach the palm.
        finger_depth: How far the tips go below the top of what is between the jaws.
        pad_width: Width of a fingertip along the plate.
        finger_thickness: Of a finger along the opening.

    Raises:
        InputError: a length is outside its range.
    """

    max_opening: float = 0.080
    min_opening: float = 0.0
    finger_length: float = 0.045
    finger_depth: float = 0.035
    pad_width: float = 0.020
    finger_thickness: float = 0.010

    def __post_init__(self) -> None:
        for name in ("max_opening", "finger_length", "finger_depth", "pad_width", "finger_thickness"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise InputError(f"gripper {name} is {value}; valid is above 0 to 1 m: millimetres?")
        if not 0 <= self.min_opening < self.max_opening:
            raise InputError(f"gripper min_opening is {self.min_opening}; valid is 0 to below {self.max_opening} m")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class GripperPose:
    """Where the gripper closes.

    Attributes:
        T_base_gripper: Array (4, 4), pose of the gripper frame in the base.
        opening: Jaw to jaw before closing, metres, within the gripper's range.
        asked_opening: Jaw to jaw of the grasp at the height of its surface, metres; None where it has no opening.
        clamped: Whether `opening` differs from what was asked.
        approach: Array (4, 4), the same pose 0.10 m back along its z: go there first.
        surface_height: Top of what is between the jaws, z of the base, metres.
        frame: Name of the base frame.
    """

    T_base_gripper: np.ndarray
    opening: float
    asked_opening: float | None
    clamped: bool
    approach: np.ndarray
    surface_height: float
    frame: str = "base"

    def to_json(self) -> dict[str, Any]:
        """Metres; quaternions in the order x, y, z, w; matrices row-major."""
        return {
            "frame": self.frame,
            "units": {"length": "m", "quaternion": "x, y, z, w"},
            **_pose_json(self.T_base_gripper),
            "T_base_gripper": _rounded(self.T_base_gripper),
            "opening_m": round(self.opening, 6),
            "asked_opening_m": None if self.asked_opening is None else round(self.asked_opening, 6),
            "clamped": self.clamped,
            "approach": {**_pose_json(self.approach), "T_base_approach": _rounded(self.approach)},
            "surface_height_m": round(self.surface_height, 6),
        }


def gripper_pose(
    grasp: Grasp,
    *,
    picture_size: tuple[int, int],
    depth: np.ndarray,
    camera: Camera,
    T_base_camera: np.ndarray,
    gripper: Gripper | None = None,
    table_height: float = 0.0,
    clearance: float = 0.005,
    frame: str = "base",
) -> GripperPose:
    """Pose of a gripper that comes straight down and closes as the grasp says.

    The tips go `finger_depth` below the top of what is between the jaws, but stay `clearance` above the table and above
    what is seen below the fingers (unless less than 10 mm would be held), and leave the palm above that top. Place,
    direction and opening are taken on the horizontal plane through the surface seen at the grasp's centre (where both
    sides stand higher, as in a cup: through the lower rim), so that a camera that looks obliquely is right too. A grasp
    without an opening opens the gripper wide.

    Args:
        grasp: Grasp in the frame of the picture.
        picture_size: (width, height) of that picture, pixels.
        depth: Array (height, width), metres along the camera's z, NaN = hole, aligned with the picture.
        camera: Calibration at the picture's size.
        T_base_camera: Array (4, 4), the camera's pose in the base frame.
        gripper: By default the Franka Hand.
        table_height: z of the table in the base frame, metres.
        clearance: Least distance of the tips from the table, metres.
        frame: Name of the base frame, passed on.

    Raises:
        InputError: sizes that differ, a transform that is not rigid or from which the table is not seen, too little
            depth between the jaws, or a depth that lies under the table or far above it.
    """
    gripper = gripper or Gripper()
    depth = np.asarray(depth)
    _check_sizes(picture_size=picture_size, camera=camera, depth=depth)
    view = DepthView(camera=camera, T_base_camera=check_rigid(T_base_camera, name="T_base_camera"), depth=depth)
    jaws, asked, opening = _jaws(grasp, view=view, height=table_height, gripper=gripper)
    top = table_height
    # The table gives the first look between the jaws its scale, and the surface it finds gives the second.
    for _ in range(2):
        heights, aside = view.between(jaws, opening=opening, pad=gripper.pad_width)
        _check_heights(heights, table_height=table_height)
        plane, top = _surface(heights, aside)
        jaws, asked, opening = _jaws(grasp, view=view, height=plane, gripper=gripper)

    below = view.beside(jaws, opening=opening, pad=gripper.pad_width, thickness=gripper.finger_thickness)
    # Above what lies there, but a finger that would hold next to nothing may as well push.
    floor = min(_top(below) + FLOOR_CLEARANCE, top - LEAST_DEPTH) if len(below) else table_height
    jaws[2, 3] = max(top - gripper.finger_depth, top - gripper.finger_length, table_height + clearance, floor)
    approach = jaws.copy()
    approach[:3, 3] -= APPROACH_DISTANCE * jaws[:3, 2]
    return GripperPose(
        T_base_gripper=jaws,
        opening=opening,
        asked_opening=asked,
        clamped=asked is not None and opening != asked,
        approach=approach,
        surface_height=top,
        frame=frame,
    )


def _surface(heights: np.ndarray, aside: np.ndarray) -> tuple[float, float]:
    """Height of the plane that the grasp is drawn on, and the top of what is between the jaws."""
    middle = float(np.median(heights[:9]))
    sides = [heights[aside < 0], heights[aside > 0]]
    rim = min(_top(side) for side in sides) if all(map(len, sides)) else -math.inf
    return max(middle, rim), _top(heights)


def _top(heights: np.ndarray) -> float:
    return float(np.quantile(heights, 1 - STRAY_SHARE))


def _jaws(grasp: Grasp, *, view: DepthView, height: float, gripper: Gripper) -> tuple[np.ndarray, float | None, float]:
    """Gripper frame (4, 4) of a grasp drawn on a horizontal plane, its opening there and the gripper's, metres."""
    size = view.camera.size
    along = np.array([math.cos(grasp.theta), -math.sin(grasp.theta)])
    half = 0.01 * size[0] if grasp.opening is None else grasp.opening * size[0] / 2
    pixels = np.array(grasp.pixel(image_size=size)) + np.array([[0.0], [-half], [half]]) * along
    middle, start, end = view.on_plane(pixels, height=height)
    span = float(np.linalg.norm(end - start))
    y, z = (end - start) / span, np.array([0.0, 0.0, -1.0])
    x = np.cross(y, z)
    if x[0] < -1e-9 or (x[0] < 1e-9 and x[1] < 0):
        x, y = -x, -y
    frame = np.eye(4)
    frame[:3] = np.column_stack([x, y, z, middle])
    asked = None if grasp.opening is None else span
    opening = min(max(gripper.max_opening if asked is None else asked, gripper.min_opening), gripper.max_opening)
    return frame, asked, opening


def _check_sizes(*, picture_size: tuple[int, int], camera: Camera, depth: np.ndarray) -> None:
    if depth.ndim != 2:
        raise InputError(f"depth: found the shape {depth.shape}; valid is (height, width)")
    sizes = {"camera": camera.size, "depth": (depth.shape[1], depth.shape[0])}
    for name, size in sizes.items():
        if size != tuple(picture_size):
            raise InputError(
                f"{name}: {size[0]}x{size[1]} pixels, the grasp's picture is {picture_size[0]}x{picture_size[1]}; "
                "picture, depth and calibration must have the same size"
            )


def _check_heights(heights: np.ndarray, *, table_height: float) -> None:
    lowest, highest = float(heights.min()) - table_height, _top(heights) - table_height
    if highest < -0.02:
        fault = f"everything between the jaws is {-highest:.3g} m or more below the table"
    elif lowest > 2.0:
        fault = f"everything between the jaws is {lowest:.3g} m or more above the table"
    else:
        return
    raise InputError(f"depth: {fault}; are the depth's unit, the table height and T_base_camera right?")


def _pose_json(transform: np.ndarray) -> dict[str, list[float]]:
    return {
        "position": [round(value, 6) for value in transform[:3, 3].tolist()],
        "quaternion": [round(value, 6) for value in quaternion_of(transform)],
    }


def _rounded(transform: np.ndarray) -> list[list[float]]:
    return [[round(value, 6) + 0.0 for value in row] for row in transform.tolist()]
