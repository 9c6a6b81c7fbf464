"""Samples made ready for training: a fresh small augmentation of the picture, its labels with it.

What a position in training sees depends on (seed, position) alone: a resumed run sees what the unbroken one would.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from graspwise.data.store import Dataset, Sample
from graspwise.grasp import Grasp
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle
from graspwise.transform import Transform

ROTATION = math.radians(15)
ZOOM = 0.12


@dataclass(frozen=True)
class Example:
    """A sample as one training step sees it.

    Attributes:
        sample: Where it comes from.
        picture: Square, of side S.
        rectangles: Labels whose centre is inside, pixels of `picture`.
        named: How many of them, the first, are on the target that the answer names; of a plain sample all are.
        size: (S, S).
        transform: From the sample's picture to `picture`.
    """

    sample: Sample
    picture: Picture
    rectangles: tuple[GraspRectangle, ...]
    named: int
    size: tuple[int, int]
    transform: Transform

    @property
    def rgb(self) -> np.ndarray:
        """(S, S, 3) uint8."""
        return self.picture.rgb

    @property
    def grasps(self) -> list[Grasp]:
        return [Grasp.from_rectangle(r, image_size=self.size) for r in self.rectangles]

    @property
    def meant(self) -> tuple[GraspRectangle, ...]:
        """Labels on the target that the answer names."""
        return self.rectangles[: self.named]


def plain_example(dataset: Dataset, sample: Sample, *, size: int, depth: bool = False) -> Example:
    """The sample as it is, resized to the model's input; with its depth when asked."""
    picture = dataset.picture(sample, depth=depth)
    fit = Transform.letterbox(source_size=picture.size, size=(size, size))
    return example(sample, fit.picture(picture), fit)


def augmented_example(dataset: Dataset, sample: Sample, *, size: int, rng: np.random.Generator) -> Example:
    """The sample mirrored, turned, zoomed and recoloured a little."""
    picture = dataset.picture(sample)
    fit = Transform.letterbox(source_size=picture.size, size=(size, size))
    middle = ((size - 1) / 2, (size - 1) / 2)
    shift = rng.uniform(-0.05, 0.05, 2) * size
    jitter = Transform.about(
        source=middle,
        target=(middle[0] + shift[0], middle[1] + shift[1]),
        scale=math.exp(rng.uniform(-ZOOM, ZOOM)),
        theta=rng.uniform(-ROTATION, ROTATION),
        source_size=fit.size,
        size=fit.size,
    )
    for axis in ("horizontal", "vertical"):
        if rng.random() < 0.5:
            jitter = jitter.then(Transform.flip(size=fit.size, axis=axis))  # type: ignore[arg-type]
    transform = fit.then(jitter)
    if sample.rectangles and not any(is_visible(transform.rectangle(r), size) for r in named_labels(sample)):
        transform = fit
    shown = transform.picture(picture, fill="edge")
    return example(sample, replace(shown, rgb=recolour(shown.rgb, rng)), transform)


def example(sample: Sample, picture: Picture, transform: Transform) -> Example:
    """The sample as a square picture shows it, `transform` leading from the sample's own."""
    size = picture.width
    moved = [transform.rectangle(rectangle) for rectangle in sample.rectangles]
    named = sum(is_visible(r, size) for r in moved[: len(named_labels(sample))])
    return Example(sample, picture, tuple(r for r in moved if is_visible(r, size)), named, (size, size), transform)


def named_labels(sample: Sample) -> tuple[GraspRectangle, ...]:
    """A sample's labels on the target that its answer names."""
    return sample.rectangles if sample.wish is None else sample.rectangles[: sample.wish.named]


def is_visible(rectangle: GraspRectangle, size: int) -> bool:
    return all(-0.5 <= value <= size - 0.5 for value in rectangle.center)


def recolour(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random gain, channel gain, offset, contrast, saturation, blur and noise; (H, W, 3) uint8 in and out."""
    import cv2

    gain = rng.uniform(0.7, 1.3) * rng.uniform(0.9, 1.1, 3)
    gray = 1 - rng.uniform(0.6, 1.3)
    offset = rng.uniform(-25, 25)
    mix = np.diag(gain) @ ((1 - gray) * np.eye(3) + gray * np.array([[0.299, 0.587, 0.114]] * 3))
    out = cv2.transform(rgb, np.column_stack([mix, np.full(3, offset)]).astype(np.float32))
    if rng.random() < 0.2:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.5))
    if rng.random() < 0.2:
        noise = rng.integers(-12, 13, out.shape, dtype=np.int16)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    return np.asarray(out)


class Order:
    """Which sample each position of training takes: one permutation a pass, drawn from (seed, pass)."""

    def __init__(self, count: int, *, seed: int) -> None:
        self.count, self.seed = count, seed

    def __getitem__(self, position: int) -> int:
        turn, place = divmod(position, self.count)
        return int(permutation(self.count, self.seed, turn)[place])


# The pass that ends and the one that begins; 8 bytes a sample each.
@lru_cache(maxsize=2)
def permutation(count: int, seed: int, turn: int) -> np.ndarray:
    return np.random.default_rng([seed, turn]).permutation(count)
