"""The likelihood of digits: a probability over texts, and highest along the grasps it is made of."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graspwise.answer import GRASP, render_grasp
from graspwise.grasp import Grasp
from graspwise.model.density import FLOOR, GraspDensity

poses = st.builds(
    Grasp,
    x=st.floats(0.02, 0.98),
    y=st.floats(0.02, 0.98),
    theta=st.floats(-1.57, 1.57),
    quality=st.floats(0.1, 1.0),
)


@given(st.lists(poses, min_size=1, max_size=4), st.integers(1, 16))
def test_what_can_follow_a_text_shares_its_probability(grasps, place):
    """Law of total probability, at any place inside the numbers."""
    density = GraspDensity.of(grasps, trust=1.0)
    text = render_grasp(grasps[0], answer_format="bare")
    begun = GRASP.numbers_begun(text[:place], answer_format="bare")
    if begun is None or len(begun[-1]) == 5:
        return
    after = [GRASP.numbers_begun(text[:place] + c, answer_format="bare") for c in "0123456789.+-"]
    valid = [b for b in after if b and fits(b[-1], signed=len(b) == 3)]
    total = sum(math.exp(density.log_likelihood(b)) for b in valid)
    assert total == pytest.approx(math.exp(density.log_likelihood(begun)), rel=0.02, abs=20 * FLOOR)


def fits(begun: str, *, signed: bool) -> bool:
    """Whether a number's text can go on to one that `render` writes, rounded ends of the range aside."""
    shape = "s0.00" if signed else "0.000"
    kinds = {"s": "+-", "0": "0123456789", ".": "."}
    return all(c in kinds[k] for c, k in zip(begun, shape, strict=False)) and begun.lstrip("+-")[:1] in ("", "0", "1")


@given(poses)
def test_its_own_text_is_likelier_than_one_far_off(grasp):
    density = GraspDensity.of([grasp], trust=1.0)
    own, far = (
        GRASP.numbers_begun(render_grasp(g, answer_format="bare"), answer_format="bare")
        for g in (grasp, Grasp(x=(grasp.x + 0.5) % 1, y=grasp.y, theta=grasp.theta))
    )
    assert density.log_likelihood(own) > density.log_likelihood(far) + 5


def test_theta_is_taken_modulo_pi():
    begun = ["0.500", "0.500", "-1.57"]
    turned = [GraspDensity.of([Grasp(x=0.5, y=0.5, theta=t)], trust=0) for t in (1.5708, -1.5707, 1.5708 - math.pi)]
    values = [density.log_likelihood(begun) for density in turned]
    assert values == pytest.approx([values[0]] * 3, abs=0.05)


def test_trust_turns_equal_weights_into_the_best_grasp_alone():
    grasps = [Grasp(x=0.2, y=0.5, theta=0.0, quality=0.9), Grasp(x=0.8, y=0.5, theta=0.0, quality=0.6)]
    even, sure = (GraspDensity.of(grasps, trust=trust) for trust in (0, 40))
    assert even.weights.tolist() == [0.5, 0.5]
    assert sure.weights[0] > 0.999


def test_no_grasp_is_no_density():
    with pytest.raises(ValueError, match="0 grasps"):
        GraspDensity.of([], trust=1)
