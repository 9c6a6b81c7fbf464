"""Pictures for surfaces, drawn from a paint and a seed: what makes a rendered thing look like one."""

import cv2
import numpy as np

from graspwise.sim.shapes import Colour, Paint

SIDE = 128


def texture(paint: Paint, *, rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """One square picture of the surface, (side, side, 3) uint8 RGB."""
    first, second = np.array(paint.colour), np.array(paint.second)
    mix = _PATTERNS[paint.pattern](side, rng)[:, :, None]
    picture = first * (1 - mix) + second * mix
    # A trace of grain everywhere: no real surface is one colour.
    grain = rng.normal(0, 0.012, (side, side, 1))
    return np.rint(np.clip(picture + grain, 0, 1) * 255).astype(np.uint8)


def varied(colour: Colour, rng: np.random.Generator, *, by: float = 0.06) -> Colour:
    """A colour near `colour`, each channel moved by up to `by`."""
    red, green, blue = np.clip(np.array(colour) + rng.uniform(-by, by, 3), 0, 1).tolist()
    return red, green, blue


def _smooth(side: int, rng: np.random.Generator, *, across: tuple[float, float]) -> np.ndarray:
    """Noise 0 to 1 (side, side) that changes within about `across` = (x, y) pixels, the same at opposite edges."""
    cells = [min(max(round(side / (2 * width)), 3), side) for width in across]
    coarse = np.tile(rng.random((cells[1], cells[0])), (3, 3)).astype(np.float32)
    fine = cv2.resize(coarse, (3 * side, 3 * side), interpolation=cv2.INTER_CUBIC)[side : 2 * side, side : 2 * side]
    low, high = float(fine.min()), float(fine.max())
    return np.asarray((fine - low) / max(high - low, 1e-6))


def _plain(side: int, rng: np.random.Generator) -> np.ndarray:
    return np.zeros((side, side))


def _speckle(side: int, rng: np.random.Generator) -> np.ndarray:
    return (_smooth(side, rng, across=(1.2, 1.2)) > 0.68).astype(float)


def _wood(side: int, rng: np.random.Generator) -> np.ndarray:
    warp = _smooth(side, rng, across=(side / 6, side / 6))
    rows = np.arange(side)[:, None] / side
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (7 * rows + 1.5 * warp))
    return np.asarray(0.65 * rings + 0.35 * _smooth(side, rng, across=(side / 8, 0.8)))


def _stripes(side: int, rng: np.random.Generator) -> np.ndarray:
    count, phase = rng.integers(3, 9), rng.random()
    return np.broadcast_to(((np.arange(side)[:, None] / side * count + phase) % 1 < 0.45).astype(float), (side, side))


def _checker(side: int, rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(3, 8))
    cells = (np.arange(side) * count // side) % 2
    return (cells[:, None] ^ cells[None, :]).astype(float)


def _dots(side: int, rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(4, 8))
    axis = (np.arange(side) / side * count) % 1 - 0.5
    return (np.hypot(axis[:, None], axis[None, :]) < rng.uniform(0.2, 0.35)).astype(float)


def _brushed(side: int, rng: np.random.Generator) -> np.ndarray:
    return 0.35 * _smooth(side, rng, across=(side / 4, 0.6))


def _label(side: int, rng: np.random.Generator) -> np.ndarray:
    """A printed label: a band with lines of writing."""
    picture = np.zeros((side, side))
    top, bottom = int(0.22 * side), int(0.8 * side)
    picture[top:bottom] = 1.0
    for row in range(top + side // 12, bottom - side // 12, side // 9):
        start = int(rng.integers(side // 16, side // 5))
        for _ in range(int(rng.integers(3, 7))):
            width = int(rng.integers(side // 24, side // 7))
            picture[row : row + side // 24, start : min(start + width, side - 4)] = 0.15
            start += width + side // 28
    return picture


def _weave(side: int, rng: np.random.Generator) -> np.ndarray:
    axis = np.sin(2 * np.pi * np.arange(side) / side * 16)
    return np.asarray(0.5 + 0.25 * axis[:, None] - 0.25 * axis[None, :])


_PATTERNS = {
    "plain": _plain,
    "speckle": _speckle,
    "wood": _wood,
    "stripes": _stripes,
    "checker": _checker,
    "dots": _dots,
    "brushed": _brushed,
    "label": _label,
    "weave": _weave,
}
