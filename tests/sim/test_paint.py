"""Surface pictures: made of their paint's colours, the same for a seed, with no seam."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.sim.paint import SIDE, texture, varied
from graspwise.sim.shapes import PATTERNS, Paint

channels = st.tuples(*[st.floats(0, 1)] * 3)
BLACK_ON_WHITE = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
GRAIN = 0.012


def share_of_second(pattern: str, *, seed: int = 0, side: int = SIDE) -> np.ndarray:
    """How much of black there is in a white paint with a black pattern (side, side)."""
    first, second = BLACK_ON_WHITE
    picture = texture(Paint(first, pattern, second), rng=np.random.default_rng(seed), side=side)  # type: ignore[arg-type]
    return 1 - picture.mean(axis=2) / 255


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_texture_is_the_same_for_a_seed_and_another_for_another(pattern: str) -> None:
    paint = Paint((0.8, 0.2, 0.1), pattern, (0.1, 0.2, 0.8))  # type: ignore[arg-type]
    one, same, other = (texture(paint, rng=np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (one.shape, one.dtype) == ((SIDE, SIDE, 3), np.uint8)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert texture(paint, rng=np.random.default_rng(3), side=64).shape == (64, 64, 3)


@settings(max_examples=30, deadline=None)
@given(pattern=st.sampled_from(PATTERNS), first=channels, second=channels, seed=st.integers(0, 99))
def test_every_point_lies_between_the_two_colours(pattern, first: tuple, second: tuple, seed: int) -> None:
    picture = texture(Paint(first, pattern, second), rng=np.random.default_rng(seed), side=64) / 255
    low, high = np.minimum(first, second), np.maximum(first, second)
    slack = 6 * GRAIN + 1 / 255
    assert (picture >= low - slack).all() and (picture <= high + slack).all()


@settings(max_examples=20, deadline=None)
@given(first=channels, second=channels)
def test_a_plain_paint_shows_its_colour_alone(first: tuple, second: tuple) -> None:
    picture = texture(Paint(first, "plain", second), rng=np.random.default_rng(0), side=64)
    np.testing.assert_allclose(picture.mean(axis=(0, 1)) / 255, first, atol=GRAIN)


@pytest.mark.parametrize("pattern", [name for name in PATTERNS if name != "plain"])
def test_a_pattern_shows_both_colours(pattern: str) -> None:
    for seed in range(5):
        share = share_of_second(pattern, seed=seed)
        assert 0.05 < share.mean() < 0.95
        assert np.ptp(share) > 0.25


@pytest.mark.parametrize("pattern", ["stripes", "checker", "dots", "speckle", "label"])
def test_printed_patterns_have_sharp_edges(pattern: str) -> None:
    share = share_of_second(pattern)
    assert ((share < 0.22) | (share > 0.78)).mean() > 0.98


@pytest.mark.parametrize("pattern", ["wood", "brushed", "weave", "speckle"])
def test_opposite_edges_fit_together(pattern: str) -> None:
    share = share_of_second(pattern)
    for axis in (0, 1):
        rows = np.moveaxis(share, axis, 0)
        inside = np.abs(np.diff(rows, axis=0)).mean(axis=1).max()
        assert np.abs(rows[0] - rows[-1]).mean() <= 1.3 * inside


@given(colour=channels, by=st.floats(0, 0.3), seed=st.integers(0, 999))
def test_a_varied_colour_is_near_and_a_colour(colour: tuple, by: float, seed: int) -> None:
    found = varied(colour, np.random.default_rng(seed), by=by)
    assert all(0 <= channel <= 1 for channel in found)
    assert np.abs(np.subtract(found, colour)).max() <= by + 1e-12


def test_colours_vary() -> None:
    rng = np.random.default_rng(0)
    assert len({varied((0.5, 0.5, 0.5), rng) for _ in range(20)}) == 20
