"""The planar antipodal grasp, the one value that passes between parser, metric, picture and robot.

Frames and signs, fixed for the whole package:

- Pixel coordinates are continuous and an integer is a pixel's centre; x runs right, y runs down.
- Normalised coordinates are `x = (px + 0.5) / width`, `y = (py + 0.5) / height`, so a mirror image is exactly `1 - x`.
- `theta` is measured in pixel space along the jaw opening, counter-clockwise positive as seen, in radians, and is
  canonical in (-pi/2, pi/2]; a grasp and its half-turn are the same grasp.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graspwise.rectangle import GraspRectangle


def canonical_angle(theta: float) -> float:
    """Map an angle in radians to its equal modulo pi in (-pi/2, pi/2]."""
    if -math.pi / 2 < theta <= math.pi / 2:
        return theta
    folded = math.pi / 2 - (math.pi / 2 - theta) % math.pi
    # The modulo of a tiny negative number rounds up to pi itself, one step outside the half-open range.
    return math.pi / 2 if folded <= -math.pi / 2 else folded


def angle_difference(a: float, b: float) -> float:
    """Smallest difference in radians between two grasp angles modulo pi, in [0, pi/2]."""
    return abs(canonical_angle(a - b))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grasp:
    """A planar antipodal grasp `p = {x, y, theta}` in the frame of one picture (RT-Grasp, section III, eq. 1).

    Attributes:
        x: Centre, fraction of the picture's width, in [0, 1].
        y: Centre, fraction of the picture's height, in [0, 1].
        theta: Direction of the jaw opening in radians; canonicalised to (-pi/2, pi/2].
        opening: Jaw to jaw, fraction of the picture's width, above 0; None where the model gives none.
        jaw: Length of a jaw plate, fraction of the picture's width; None means half the opening.
        quality: Score that ranks grasps of one picture, higher is better; None where there is one grasp only.

    Raises:
        ValueError: a field is not finite or outside its range.
    """

    x: float
    y: float
    theta: float
    opening: float | None = None
    jaw: float | None = None
    quality: float | None = None

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0.0 <= value <= 1.0):
                raise ValueError(f"Grasp.{name} is {value}; valid is 0 to 1, a fraction of the picture")
        if not math.isfinite(self.theta):
            raise ValueError(f"Grasp.theta is {self.theta}; valid is a finite angle in radians")
        for name in ("opening", "jaw"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"Grasp.{name} is {value}; valid is above 0, a fraction of the width, or None")
        object.__setattr__(self, "theta", canonical_angle(self.theta))

    def pixel(self, *, image_size: tuple[int, int]) -> tuple[float, float]:
        """Centre in pixels of a picture of `image_size` = (width, height)."""
        return self.x * image_size[0] - 0.5, self.y * image_size[1] - 0.5

    def rectangle(
        self, *, image_size: tuple[int, int], opening: float | None = None, jaw: float | None = None
    ) -> "GraspRectangle":
        """Grasp rectangle in pixels of a picture of `image_size` = (width, height).

        Args:
            image_size: (width, height) of the picture the grasp refers to, in pixels.
            opening: Jaw to jaw in pixels; by default the grasp's own.
            jaw: Plate length in pixels; by default the grasp's own, else half the opening.

        Raises:
            ValueError: neither the grasp nor the caller says how wide the gripper opens.
        """
        from graspwise.rectangle import GraspRectangle

        width = image_size[0]
        if opening is None:
            if self.opening is None:
                raise ValueError("this grasp has no opening of its own; pass opening= in pixels")
            opening = self.opening * width
            if jaw is None and self.jaw is not None:
                jaw = self.jaw * width
        return GraspRectangle.from_pose(
            center=self.pixel(image_size=image_size), theta=self.theta, opening=opening, jaw=jaw
        )

    @classmethod
    def from_rectangle(cls, rectangle: "GraspRectangle", *, image_size: tuple[int, int]) -> "Grasp":
        """Grasp of a rectangle in pixels of a picture of `image_size` = (width, height)."""
        width, height = image_size
        px, py = rectangle.center
        return cls(
            x=(px + 0.5) / width,
            y=(py + 0.5) / height,
            theta=rectangle.theta,
            opening=rectangle.opening / width,
            jaw=rectangle.jaw / width,
        )

    def with_opening(self, opening: float | None) -> "Grasp":
        """The same pose with another opening (fraction of the picture's width) and the default plate."""
        return replace(self, opening=opening, jaw=None)
