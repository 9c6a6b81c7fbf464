import numpy as np

from graspwise.sim.colours import ALL_COLOURS, coat


def test_coat_leaves_out_a_colour_and_keeps_to_its_name() -> None:
    for seed in range(20):
        name, paint = coat(np.random.default_rng(seed), ("red", "blue", "mint"), ("dots",), but="red")
        assert name in ("blue", "mint")
        assert paint.pattern == "dots"
        np.testing.assert_allclose(paint.colour, ALL_COLOURS[name], atol=0.045)
