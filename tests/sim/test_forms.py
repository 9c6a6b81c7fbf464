import numpy as np

from graspwise.sim.colours import coat
from graspwise.sim.forms import plan, slab


def test_slab_has_its_plan_at_its_levels() -> None:
    piece = slab(0.1, 0.06, [(0.0, 0.01), (0.02, 0.0)], coat(np.random.default_rng(0), ("red",))[1], at=(0.5, 0, 0))
    cloud = piece.cloud()
    low, high = cloud[cloud[:, 2] < 0.01], cloud[cloud[:, 2] > 0.01]
    np.testing.assert_allclose(np.ptp(high, axis=0), (0.1, 0.06, 0), atol=0.001)
    np.testing.assert_allclose(np.ptp(low, axis=0), (0.08, 0.04, 0), atol=0.001)
    np.testing.assert_allclose(cloud.mean(axis=0)[:2], (0.5, 0), atol=1e-9)
    # Flat sides down: half a step off the axes, so that a round thing on its side rests on a face.
    assert not any(abs(x) < 1e-6 or abs(y) < 1e-6 for x, y in plan(0.1, 0.06, 2.0))
