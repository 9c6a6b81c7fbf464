"""A depth picture in the robot's base frame: where rays come down, and how high what lies between two jaws is."""

from dataclasses import dataclass

import numpy as np

from graspwise.errors import InputError
from graspwise.robot.camera import Camera
from graspwise.robot.rigid import move_points

LEAST_SHARE, LEAST_PIXELS = 0.10, 5
# No depth camera measures nearer, so what is nearer was read in a wrong unit.
NEAREST = 0.03


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class DepthView:
    """A depth picture (height, width) in metres, NaN = hole, and the camera that took it."""

    camera: Camera
    T_base_camera: np.ndarray
    depth: np.ndarray

    def on_plane(self, pixels: np.ndarray, *, height: float) -> np.ndarray:
        """Points (N, 3) of the base frame where the rays of pixels (N, 2) come down to a height in metres."""
        rays = self.camera.deproject(pixels, 1.0) @ self.T_base_camera[:3, :3].T
        origin = self.T_base_camera[:3, 3]
        if origin[2] <= height or (rays[:, 2] >= -1e-6).any():
            raise InputError(
                f"T_base_camera: the camera at z = {origin[2]:.3f} m does not look down on z = {height:.3f} m there; "
                "valid is the camera's pose in a base frame with z up (not the base's in the camera's)"
            )
        points: np.ndarray = origin + rays * ((height - origin[2]) / rays[:, 2:])
        return points

    def between(self, jaws: np.ndarray, *, opening: float, pad: float) -> tuple[np.ndarray, np.ndarray]:
        """Heights (N,) of what is seen between two jaws, nearest to the middle first, and its places (N,) along y.

        Args:
            jaws: Array (4, 4), pose in the base of a gripper frame whose x and y are horizontal. What is seen inside
                the jaws' outline on its plane counts as between them.
            opening: Jaw to jaw, metres.
            pad: Width of the pads, metres.

        Raises:
            InputError: too few pixels there have a depth, or it is nearer than any camera measures.
        """
        grid, local = self._outlined(jaws, opening=opening, pad=pad)
        depth = self.depth[grid[:, 1], grid[:, 0]].astype(np.float64)
        known = np.isfinite(depth) & (depth > 0)
        count = int(known.sum())
        if count < max(LEAST_PIXELS, LEAST_SHARE * len(grid)):
            x, y = self.camera.project(move_points(np.linalg.inv(self.T_base_camera), jaws[None, :3, 3]))[0]
            raise InputError(
                f"depth: {count} of {len(grid)} pixels between the jaws at ({x:.0f}, {y:.0f}) have a depth; at least "
                f"{LEAST_SHARE:.0%} and {LEAST_PIXELS} are needed: shiny, clear or too near?"
            )
        if np.median(depth[known]) < NEAREST:
            raise InputError(
                f"depth: {np.median(depth[known]):.2g} m at the grasp; valid is above {NEAREST} m: is that its unit?"
            )
        points = move_points(self.T_base_camera, self.camera.deproject(grid[known], depth[known]))
        order = np.argsort(np.hypot(local[known, 0], local[known, 1]), kind="stable")
        return points[order, 2], local[known][order, 1]

    def beside(self, jaws: np.ndarray, *, opening: float, pad: float, thickness: float) -> np.ndarray:
        """Heights (N,) of what is seen below the two fingers, which stand outside of the opening; may be empty.

        Args:
            jaws: Array (4, 4), pose in the base of a gripper frame whose x and y are horizontal.
            opening: Jaw to jaw, metres.
            pad: Width of the fingers, metres.
            thickness: Of a finger along the opening, metres.
        """
        grid, _ = self._outlined(jaws, opening=opening + 2 * thickness, pad=pad)
        depth = self.depth[grid[:, 1], grid[:, 0]].astype(np.float64)
        known = np.isfinite(depth) & (depth > 0)
        points = move_points(self.T_base_camera, self.camera.deproject(grid[known], depth[known]))
        local = move_points(np.linalg.inv(jaws), points)
        below = (np.abs(local[:, 0]) <= pad / 2) & (
            np.abs(np.abs(local[:, 1]) - (opening + thickness) / 2) <= thickness / 2
        )
        heights: np.ndarray = points[below, 2]
        return heights

    def _outlined(self, jaws: np.ndarray, *, opening: float, pad: float) -> tuple[np.ndarray, np.ndarray]:
        """Whole pixels (N, 2) inside the jaws' outline on their plane, and their places (N, 3) in the gripper frame."""
        corners = np.array([[x, y, 0.0] for x in (-pad / 2, pad / 2) for y in (-opening / 2, opening / 2)])
        outline = self.camera.project(move_points(np.linalg.inv(self.T_base_camera) @ jaws, corners))
        if not np.isfinite(outline).all():
            raise InputError("T_base_camera: the jaws would reach behind the camera; is the depth's unit right?")
        low = np.maximum(np.floor(outline.min(axis=0)), 0).astype(int)
        high = np.minimum(np.ceil(outline.max(axis=0)), np.array(self.camera.size) - 1).astype(int)
        columns, rows = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
        grid = np.column_stack([columns.ravel(), rows.ravel()])
        local = move_points(np.linalg.inv(jaws), self.on_plane(grid, height=jaws[2, 3]))
        inside = (np.abs(local[:, 0]) <= pad / 2) & (np.abs(local[:, 1]) <= opening / 2)
        return grid[inside], local[inside]
