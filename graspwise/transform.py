"""Crops, resizes, letterboxes, flips and rotations, exact for picture and label together.

A transform is a similarity (uniform scale, rotation, shift, maybe a mirror) from the pixels of a source picture to the
pixels of a target picture. Non-uniform scale does not exist here: it would bend angles.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle

Fill = Literal["edge"] | tuple[int, int, int]
Box = tuple[int, int, int, int]
LETTERBOX_GREY: Fill = (114, 114, 114)
CORNELL_WORKSPACE = (144, 64, 496, 416)


@dataclass(frozen=True, eq=False)
class Transform:
    """A similarity between two picture frames in continuous pixels (an integer is a pixel's centre).

    Attributes:
        matrix: Array (2, 3), `[px', py'] = matrix @ [px, py, 1]`, source to target.
        source_size: (width, height) of the source picture, pixels.
        size: (width, height) of the target picture, pixels.

    Raises:
        ValueError: the matrix is not a similarity.
    """

    matrix: np.ndarray
    source_size: tuple[int, int]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (2, 3) or not np.isfinite(matrix).all():
            raise ValueError(f"a transform has a finite 2x3 matrix; found {np.asarray(self.matrix).tolist()}")
        gram = matrix[:, :2] @ matrix[:, :2].T
        scale2 = gram[0, 0]
        if scale2 <= 0 or not np.allclose(gram, np.eye(2) * scale2, rtol=0, atol=1e-6 * scale2):
            raise ValueError(f"a transform keeps angles (one scale for both axes); found {matrix.tolist()}")
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)

    @property
    def scale(self) -> float:
        """Target pixels per source pixel."""
        return math.hypot(*self.matrix[0, :2])

    @property
    def is_mirror(self) -> bool:
        return float(np.linalg.det(self.matrix[:, :2])) < 0

    # ---- the kinds of transform

    @classmethod
    def identity(cls, *, size: tuple[int, int]) -> "Transform":
        return cls(np.eye(2, 3), size, size)

    @classmethod
    def crop(cls, *, box: tuple[int, int, int, int], source_size: tuple[int, int]) -> "Transform":
        """Cut the half-open box x0 <= px < x1, y0 <= py < y1 (pixels of the source)."""
        x0, y0, x1, y1 = box
        return cls(np.array([[1, 0, -x0], [0, 1, -y0]]), source_size, (x1 - x0, y1 - y0))

    @classmethod
    def letterbox(cls, *, source_size: tuple[int, int], size: tuple[int, int]) -> "Transform":
        """Fit the whole source into the target, centred, nothing stretched or cut; bars fill the rest."""
        scale = min(size[0] / source_size[0], size[1] / source_size[1])
        return cls.about(
            source=((source_size[0] - 1) / 2, (source_size[1] - 1) / 2),
            target=((size[0] - 1) / 2, (size[1] - 1) / 2),
            scale=scale, theta=0.0, source_size=source_size, size=size,
        )  # fmt: skip

    @classmethod
    def flip(cls, *, size: tuple[int, int], axis: Literal["horizontal", "vertical"]) -> "Transform":
        """Mirror left-right (`horizontal`) or top-bottom (`vertical`)."""
        width, height = size
        matrix = [[-1, 0, width - 1], [0, 1, 0]] if axis == "horizontal" else [[1, 0, 0], [0, -1, height - 1]]
        return cls(np.array(matrix), size, size)

    @classmethod
    def about(
        cls,
        *,
        source: tuple[float, float],
        target: tuple[float, float],
        scale: float,
        theta: float,
        source_size: tuple[int, int],
        size: tuple[int, int],
    ) -> "Transform":
        """Rotate by `theta` (radians, counter-clockwise as seen), scale, and take the point `source` to `target`."""
        cos, sin = scale * math.cos(theta), scale * math.sin(theta)
        linear = np.array([[cos, sin], [-sin, cos]])
        shift = np.asarray(target) - linear @ np.asarray(source)
        return cls(np.column_stack([linear, shift]), source_size, size)

    # ---- algebra

    def then(self, following: "Transform") -> "Transform":
        """This transform, then `following`, whose source frame is this one's target."""
        if following.source_size != self.size:
            raise ValueError(f"a transform to {self.size} cannot be followed by one from {following.source_size}")
        matrix = following.matrix @ np.vstack([self.matrix, [0, 0, 1]])
        return Transform(matrix, self.source_size, following.size)

    def inverse(self) -> "Transform":
        linear = np.linalg.inv(self.matrix[:, :2])
        return Transform(np.column_stack([linear, -linear @ self.matrix[:, 2]]), self.size, self.source_size)

    # ---- what it does to points, labels and pictures

    def points(self, points: np.ndarray) -> np.ndarray:
        """Map points (..., 2) in source pixels to target pixels."""
        mapped: np.ndarray = np.asarray(points, dtype=np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]
        return mapped

    def rectangle(self, rectangle: GraspRectangle) -> GraspRectangle:
        """Map a rectangle; a mirror renames the corners so that they stay clockwise with 0-1 the opening."""
        corners = self.points(rectangle.corners)
        return GraspRectangle(corners[[1, 0, 3, 2]] if self.is_mirror else corners)

    def grasp(self, grasp: Grasp) -> Grasp:
        """Map a grasp of the source picture to the target picture.

        Raises:
            ValueError: its centre lies outside the target picture.
        """
        direction = self.matrix[:, :2] @ [math.cos(grasp.theta), -math.sin(grasp.theta)]
        px, py = self.points(np.array(grasp.pixel(image_size=self.source_size))).tolist()
        ratio = self.scale * self.source_size[0] / self.size[0]
        return Grasp(
            x=snap((px + 0.5) / self.size[0]),
            y=snap((py + 0.5) / self.size[1]),
            theta=math.atan2(-direction[1], direction[0]),
            opening=None if grasp.opening is None else grasp.opening * ratio,
            jaw=None if grasp.jaw is None else grasp.jaw * ratio,
            quality=grasp.quality,
        )

    def picture(self, picture: Picture, *, fill: Fill = LETTERBOX_GREY) -> Picture:
        """Resample a picture of `source_size`; colours bilinear with area averaging when it shrinks, depth nearest.

        Args:
            picture: The source picture.
            fill: What lies outside the source: an RGB colour, or "edge" to repeat the border. Depth is a hole there.
        """
        if picture.size != self.source_size:
            raise ValueError(f"this transform takes a picture of {self.source_size}; found {picture.size}")
        import cv2

        rgb, depth, forward = picture.rgb, picture.depth, self
        shrink = int(1 / self.scale + 1e-9)
        if shrink >= 2:
            # Averaging whole blocks first keeps the bilinear warp from skipping pixels.
            width, height = self.source_size
            small = (-(-width // shrink), -(-height // shrink))
            right, bottom = small[0] * shrink - width, small[1] * shrink - height
            rgb = cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
            rgb = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA)
            block = np.array([[1, 0, 0.5 - shrink / 2], [0, 1, 0.5 - shrink / 2]]) / shrink
            forward = Transform(block, self.source_size, small).inverse().then(self)
        border = cv2.BORDER_REPLICATE if fill == "edge" else cv2.BORDER_CONSTANT
        warped = cv2.warpAffine(rgb, forward.matrix, self.size, flags=cv2.INTER_LINEAR, borderMode=border,
                                borderValue=(0, 0, 0) if fill == "edge" else fill)  # fmt: skip
        if depth is not None:
            depth = cv2.warpAffine(depth, self.matrix, self.size, flags=cv2.INTER_NEAREST,
                                   borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"))  # fmt: skip
        return Picture(rgb=np.asarray(warped), depth=depth, path=picture.path)

    # ---- storage

    def to_json(self) -> dict[str, list[Any]]:
        return {"matrix": self.matrix.tolist(), "source_size": list(self.source_size), "size": list(self.size)}

    @classmethod
    def from_json(cls, value: Mapping[str, Sequence[Any]]) -> "Transform":
        source, target = value["source_size"], value["size"]
        return cls(np.array(value["matrix"]), (source[0], source[1]), (target[0], target[1]))


def snap(value: float) -> float:
    """Undo floating-point dust just outside [0, 1], and nothing more."""
    return min(max(value, 0.0), 1.0) if -1e-9 < value < 1 + 1e-9 else value


def workspace_picture(
    picture: Picture, *, workspace: Box | None, transform: Transform, fill: Fill = LETTERBOX_GREY
) -> Picture:
    """A picture through `transform`, nothing outside its workspace shown: `fill` stands there."""
    cut = Transform.crop(box=workspace or (0, 0, *picture.size), source_size=picture.size)
    return cut.inverse().then(transform).picture(cut.picture(picture), fill=fill)


def workspace_transform(*, image_size: tuple[int, int], workspace: Box | None, size: tuple[int, int]) -> Transform:
    """Picture as given -> the model's input: the workspace (default the whole picture), letterboxed to `size`.

    Raises:
        InputError: the workspace is empty or leaves the picture.
    """
    width, height = image_size
    x0, y0, x1, y1 = workspace or (0, 0, width, height)
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise InputError(
            f"workspace {x0},{y0},{x1},{y1} does not fit the picture; valid is 0 <= x0 < x1 <= {width}, "
            f"0 <= y0 < y1 <= {height}"
        )
    crop = Transform.crop(box=(x0, y0, x1, y1), source_size=image_size)
    return crop.then(Transform.letterbox(source_size=crop.size, size=size))
