"""The grasp rectangle: four corners in pixels, Cornell's order.

Corners run clockwise as seen. Edge 0-1 is the jaw opening and has the direction theta, edge 1-2 is a jaw plate
(Jiang et al. 2011; so are all labels of the Cornell grasping data set).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from graspwise.grasp import canonical_angle


@dataclass(frozen=True, eq=False)
class GraspRectangle:
    """Four corners, clockwise as seen, in continuous pixels.

    Attributes:
        corners: Array (4, 2) of x, y in pixels, float64.

    Raises:
        ValueError: the corners are not four finite points.
    """

    corners: np.ndarray

    def __post_init__(self) -> None:
        corners = np.array(self.corners, dtype=np.float64)
        if corners.shape != (4, 2) or not np.isfinite(corners).all():
            raise ValueError(f"a grasp rectangle has four finite corners x, y; found {corners.tolist()}")
        corners.flags.writeable = False
        object.__setattr__(self, "corners", corners)

    @classmethod
    def from_pose(
        cls, *, center: tuple[float, float], theta: float, opening: float, jaw: float | None = None
    ) -> "GraspRectangle":
        """Rectangle of a pose: centre, opening and jaw in pixels, theta in radians; jaw is opening / 2 unless given."""
        along = np.array([math.cos(theta), -math.sin(theta)]) * opening / 2
        across = np.array([math.sin(theta), math.cos(theta)]) * (opening / 2 if jaw is None else jaw) / 2
        middle = np.asarray(center, dtype=np.float64)
        return cls(np.stack([middle - along - across, middle + along - across,
                             middle + along + across, middle - along + across]))  # fmt: skip

    @property
    def center(self) -> tuple[float, float]:
        """Mean of the corners, pixels."""
        x, y = self.corners.mean(axis=0)
        return float(x), float(y)

    @property
    def theta(self) -> float:
        """Direction of the opening: `atan2(-(y1 - y0), x1 - x0)` of corners 0 -> 1, canonical, radians."""
        dx, dy = self.corners[1] - self.corners[0]
        return canonical_angle(math.atan2(-dy, dx))

    @property
    def opening(self) -> float:
        """Jaw to jaw, pixels."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def jaw(self) -> float:
        """Length of a jaw plate, pixels."""
        return float(np.linalg.norm(self.corners[2] - self.corners[1]))

    @property
    def is_clockwise(self) -> bool:
        """Whether the corners run clockwise as seen, which the frame's y axis (down) makes a positive area."""
        x, y = self.corners.T
        return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) > 0

    @cached_property
    def polygon(self) -> shapely.Geometry:
        """The corners' convex hull, so that a label with crossed edges still has an area."""
        return shapely.MultiPoint(self.corners).convex_hull

    def iou(self, other: "GraspRectangle") -> float:
        """Intersection over union of the exact polygons, in [0, 1]."""
        overlap = float(self.polygon.intersection(other.polygon).area)
        union = self.polygon.area + other.polygon.area - overlap
        return overlap / union if union > 0 else 0.0
