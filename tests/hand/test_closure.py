"""Force closure of contacts whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from graspwise.hand.closure import closure_margin

ACROSS = np.array([[-0.02, 0.0, 0.0], [0.02, 0.0, 0.0]])
TURNS = np.arange(3) * 2 * np.pi / 3
THREE = 0.03 * np.stack([np.cos(TURNS), np.sin(TURNS), np.zeros(3)], axis=1)
CORNERS = 0.02 * np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)


def inward(points: np.ndarray) -> np.ndarray:
    return -points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("points", "normals", "options", "holds"),
    [
        pytest.param(ACROSS, inward(ACROSS), {}, True, id="two soft fingers face each other"),
        pytest.param(ACROSS, inward(ACROSS), {"soft": 0.0}, False, id="two hard ones let it turn about their line"),
        pytest.param(ACROSS, inward(ACROSS), {"friction": 0.0}, False, id="without friction it slides out"),
        pytest.param(ACROSS, -inward(ACROSS), {}, True, id="two that spread a ring from inside hold it as well"),
        pytest.param(ACROSS[:1], inward(ACROSS[:1]), {}, False, id="one finger"),
        pytest.param(np.zeros((0, 3)), np.zeros((0, 3)), {}, False, id="none"),
        pytest.param(THREE, inward(THREE), {"soft": 0.0}, True, id="three around a ball"),
        pytest.param(THREE, np.tile([0, 0, 1.0], (3, 1)), {}, False, id="three that push the same way"),
        pytest.param(THREE, inward(THREE), {"soft": 0.0, "friction": 0.0}, False, id="three without friction"),
        pytest.param(CORNERS, inward(CORNERS), {"friction": 0.3, "soft": 0.0}, True, id="eight corners of a cube"),
        pytest.param(
            ACROSS, np.array([[np.cos(0.8), np.sin(0.8), 0], [-np.cos(0.8), np.sin(0.8), 0]]), {}, False,
            id="a wedge wider than friction squeezes out",
        ),
    ],
)  # fmt: skip
def test_known_cases(points: np.ndarray, normals: np.ndarray, options: dict[str, float], holds: bool) -> None:
    assert (closure_margin(points, normals, **options) > 0) == holds


def test_more_friction_and_more_fingers_hold_more() -> None:
    margins = [closure_margin(THREE, inward(THREE), friction=friction) for friction in (0.2, 0.5, 1.0)]
    assert margins == sorted(margins) and margins[0] < margins[2]
    both = np.concatenate([THREE, 0.03 * np.array([[0, 0, 1.0], [0, 0, -1.0]])])
    assert closure_margin(both, inward(both)) > closure_margin(THREE, inward(THREE))


@given(turn=st.tuples(*[st.floats(-3, 3)] * 3), shift=st.tuples(*[st.floats(-1, 1)] * 3), scale=st.floats(0.5, 2.0))
def test_whether_it_holds_does_not_depend_on_where_it_is(
    turn: tuple[float, ...], shift: tuple[float, ...], scale: float
) -> None:
    rotation = Rotation.from_rotvec(turn)
    points, normals = rotation.apply(scale * CORNERS) + shift, rotation.apply(inward(CORNERS))
    assert closure_margin(points, normals) > 0.02
    assert closure_margin(points[:1], normals[:1]) == 0
