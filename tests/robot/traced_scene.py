"""Depth pictures of boxes on a table, traced exactly for any camera."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from graspwise.grasp import Grasp
from graspwise.robot.camera import Camera


@dataclass(frozen=True)
class Box:
    """A box in the base frame, z from `bottom` to `top`; its sides are along its own x and y, turned by `turn`."""

    center: tuple[float, float]
    size: tuple[float, float]
    top: float
    turn: float = 0.0
    bottom: float = 0.0


def trace(camera: Camera, T_base_camera: np.ndarray, boxes: list[Box], *, table: float = 0.0) -> np.ndarray:
    """Array (height, width), metres along the camera's z, of boxes on a table without end."""
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = camera.deproject(np.column_stack([columns.ravel(), rows.ravel()]), 1.0) @ T_base_camera[:3, :3].T
    origin = T_base_camera[:3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = (table - origin[2]) / rays[:, 2]
        along[along <= 0] = np.nan
        for box in boxes:
            turn = Rotation.from_euler("z", -box.turn).as_matrix()
            start = turn @ (origin - [*box.center, 0])
            ray = rays @ turn.T
            low = np.array([-box.size[0] / 2, -box.size[1] / 2, box.bottom])
            high = np.array([box.size[0] / 2, box.size[1] / 2, box.top])
            first, second = (low - start) / ray, (high - start) / ray
            near = np.minimum(first, second).max(axis=1)
            far = np.maximum(first, second).min(axis=1)
            along = np.where((near <= far) & (near > 0) & ~(near >= along), near, along)
    return along.reshape(camera.height, camera.width)


def looking(at: tuple[float, float], *, distance: float, tilt: float = 0.0, azimuth: float = 0.0, roll: float = 0.0):
    """T_base_camera of a camera that sees a point of the table in the middle of its picture.

    tilt 0 looks straight down with the picture's right along the base's x; angles in radians.
    """
    down = Rotation.from_euler("x", math.pi)
    turned = Rotation.from_euler("z", azimuth) * Rotation.from_euler("x", tilt) * down * Rotation.from_euler("z", roll)
    T = np.eye(4)
    T[:3, :3] = turned.as_matrix()
    T[:3, 3] = np.array([*at, 0.0]) - distance * T[:3, 2]
    return T


def seen(camera: Camera, T_base_camera: np.ndarray, ends: np.ndarray) -> Grasp:
    """The grasp that a person draws between two points (2, 3) of the base: their middle, direction and distance."""
    inverse = np.linalg.inv(T_base_camera)
    points = np.stack([ends.mean(axis=0), *ends]) @ inverse[:3, :3].T + inverse[:3, 3]
    middle, start, end = camera.project(points)
    dx, dy = end - start
    return Grasp(
        x=(middle[0] + 0.5) / camera.width,
        y=(middle[1] + 0.5) / camera.height,
        theta=math.atan2(-dy, dx),
        opening=math.hypot(dx, dy) / camera.width,
    )
