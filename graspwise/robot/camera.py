"""A calibrated camera: points in metres to pixels and back, lens distortion included.

The camera frame is OpenCV's: x right, y down, z forward along the optical axis. Pixel coordinates are continuous and
an integer is a pixel's centre, as in the whole package, in ROS and in the RealSense SDK.

Distortion maps an ideal ray (x/z, y/z) to the ray that reaches the sensor:

- `plumb_bob` (Brown-Conrady): k1, k2, p1, p2, k3; `rational_polynomial`: k1, k2, p1, p2, k3, k4, k5, k6. ROS's names;
  the formulas are those of OpenCV's `projectPoints`.
- `equidistant`: k1, k2, k3, k4, OpenCV's `fisheye`, the RealSense SDK's Kannala-Brandt.
- `modified_brown_conrady`: k1, k2, p1, p2, k3, the tangential part taken of the radially distorted ray (RealSense SDK).
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from graspwise.errors import InputError

CameraModel = Literal["none", "plumb_bob", "rational_polynomial", "equidistant", "modified_brown_conrady"]
MODELS: tuple[CameraModel, ...] = get_args(CameraModel)
COEFFICIENTS = {"none": 0, "plumb_bob": 5, "rational_polynomial": 8, "equidistant": 4, "modified_brown_conrady": 5}
# A ray is found to this part of a pixel, far below what any calibration knows.
PRECISION = 1e-9


@dataclass(frozen=True, slots=True)
class Camera:
    """Intrinsics of one picture size.

    Attributes:
        width: Pixels.
        height: Pixels.
        fx: Focal length in pixel widths.
        fy: Focal length in pixel heights.
        cx: Principal point, pixels; the middle of a picture is (width - 1) / 2.
        cy: Principal point, pixels.
        distortion: Coefficients of the model; missing ones are 0, further ones must be 0. Filled up on creation.
        model: Distortion model.

    Raises:
        InputError: a field is outside its range.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    model: CameraModel = "none"

    def __post_init__(self) -> None:
        for name, size in (("width", self.width), ("height", self.height)):
            if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 100_000:
                raise InputError(f"{name} is {size}; valid is a whole number of pixels, 1 to 100000")
        for name, value, size in (("fx", self.fx, self.width), ("fy", self.fy, self.height)):
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} is {value}; valid is above 0, a focal length in pixels")
            if not 0.05 <= value / size <= 1000:
                raise InputError(f"{name} is {value:g} for {size} pixels; valid is 0.05 to 1000 times that: pixels?")
        for name, value, size in (("cx", self.cx, self.width), ("cy", self.cy, self.height)):
            if not (math.isfinite(value) and -size <= value <= 2 * size):
                raise InputError(f"{name} is {value}; valid is {-size} to {2 * size}, usually the middle, in pixels")
        if self.model not in MODELS:
            raise InputError(f"distortion model is {self.model!r}; valid are {', '.join(MODELS)}")
        given = tuple(float(value) for value in self.distortion)
        if not all(map(math.isfinite, given)):
            raise InputError(f"distortion is {list(given)}; valid are finite coefficients")
        count = COEFFICIENTS[self.model]
        if any(given[count:]):
            raise InputError(f"distortion has {len(given)} coefficients; valid are {count} for the model {self.model}")
        object.__setattr__(self, "distortion", (given + (0.0,) * count)[:count])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def matrix(self) -> np.ndarray:
        """Array (3, 3), ideal rays to pixels."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (N, 2) of points (N, 3) in metres, camera frame; NaN for points not in front of the camera."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        ahead = np.where(points[:, 2:] > 0, points[:, 2:], np.nan)
        pixels: np.ndarray = self._distort(points[:, :2] / ahead) * (self.fx, self.fy) + (self.cx, self.cy)
        return pixels

    def deproject(self, pixels: np.ndarray, depth: np.ndarray | float) -> np.ndarray:
        """Points (N, 3) in metres, camera frame, of pixels (N, 2) at a depth (N,) in metres along z.

        The inverse of `project`; the point of a NaN depth is NaN.

        Raises:
            InputError: no ray reaches a pixel, because the distortion folds over before it.
        """
        rays = self.rays(pixels)
        along = np.broadcast_to(np.asarray(depth, dtype=np.float64), len(rays))
        return np.column_stack([rays, np.ones(len(rays))]) * along[:, None]

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Ideal rays (N, 2), x/z and y/z, of pixels (N, 2).

        Raises:
            InputError: no ray reaches a pixel, because the distortion folds over before it.
        """
        pixels = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        target = (pixels - (self.cx, self.cy)) / (self.fx, self.fy)
        if self.model == "none":
            return target
        rays, sound = self._undistort(target)
        if not sound.all():
            x, y = pixels[~sound][0]
            raise InputError(
                f"camera: its {self.model} distortion cannot be undone at the pixel ({x:.0f}, {y:.0f}); "
                "valid is a calibration that covers the whole picture"
            )
        return rays

    def to_yaml(
        self, *, name: str = "camera", T_base_camera: np.ndarray | None = None, depth_unit: str | None = None
    ) -> str:
        """Text of a calibration file in ROS's form, which `read_camera` reads.

        Args:
            name: The camera's name.
            T_base_camera: Array (4, 4), where the camera is, for `read_hand_eye`; our own field.
            depth_unit: "mm" or "m", the unit of the depth pictures that belong to it; our own field.
        """
        import yaml

        value: dict[str, Any] = {
            "image_width": self.width,
            "image_height": self.height,
            "camera_name": name,
            "camera_matrix": _matrix(self.matrix),
            "distortion_model": "plumb_bob" if self.model == "none" else self.model,
            "distortion_coefficients": _matrix(np.array([self.distortion or (0.0,) * 5])),
            "rectification_matrix": _matrix(np.eye(3)),
            "projection_matrix": _matrix(np.column_stack([self.matrix, np.zeros(3)])),
        }
        if T_base_camera is not None:
            value["T_base_camera"] = np.asarray(T_base_camera, dtype=np.float64).tolist()
        if depth_unit is not None:
            value["depth_unit"] = depth_unit
        return yaml.safe_dump(value, sort_keys=False, default_flow_style=None, width=120)

    def _distort(self, rays: np.ndarray) -> np.ndarray:
        if self.model == "none":
            return rays
        x, y = rays[:, 0], rays[:, 1]
        r2 = x * x + y * y
        if self.model == "equidistant":
            k1, k2, k3, k4 = self.distortion
            r = np.sqrt(r2)
            angle = np.arctan(r)
            a2 = angle * angle
            bent = angle * (1 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4))))
            scale = np.divide(bent, r, out=np.ones_like(r), where=r > 0)
            return rays * scale[:, None]
        k1, k2, p1, p2, k3, k4, k5, k6 = (self.distortion + (0.0,) * 3)[:8]
        radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
        u, v = x * radial, y * radial
        if self.model == "modified_brown_conrady":
            x, y = u, v
        return np.column_stack([u + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), v + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)])

    def _slopes(self, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives (N, 2) of `_distort` by x and by y, and whether (N,) it keeps the orientation of rays there."""
        step = 1e-6
        right, down = np.array([step, 0.0]), np.array([0.0, step])
        dx = (self._distort(rays + right) - self._distort(rays - right)) / (2 * step)
        dy = (self._distort(rays + down) - self._distort(rays - down)) / (2 * step)
        return dx, dy, dx[:, 0] * dy[:, 1] > dx[:, 1] * dy[:, 0]

    def _undistort(self, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rays (N, 2) that `_distort` takes to `target`, by Newton's method, and whether (N,) each was found."""
        rays = target.copy()
        with np.errstate(all="ignore"):
            for _ in range(60):
                error = self._distort(rays) - target
                found = np.abs(error).max(axis=1, initial=0) * max(self.fx, self.fy) < PRECISION
                if found.all():
                    break
                dx, dy, _ = self._slopes(rays)
                move = np.column_stack(
                    [dy[:, 1] * error[:, 0] - dy[:, 0] * error[:, 1], dx[:, 0] * error[:, 1] - dx[:, 1] * error[:, 0]]
                )
                determinant = dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0]
                rays = np.where(found[:, None], rays, rays - move / determinant[:, None])
            # A ray behind a fold reaches the pixel too, but the lens never sees it.
            for part in np.linspace(0.125, 1, 8):
                found &= self._slopes(rays * part)[2]
        return rays, found


def _matrix(value: np.ndarray) -> dict[str, Any]:
    return {"rows": value.shape[0], "cols": value.shape[1], "data": value.ravel().tolist()}
