"""The last millimetres: a hand beside a ball or in it, and one that already holds it."""

import pytest
import torch
from plain_solids import ball, solid
from torch import Tensor

from graspwise.hand.adapt import adapted, touching
from graspwise.hand.open_hand import OpenHand, load_open_hand

RADIUS = 0.035


@pytest.fixture(scope="module")
def hand() -> OpenHand:
    return load_open_hand()


def around_ball(points: Tensor) -> Tensor:
    """Distance to a ball about the origin, exact."""
    return points.norm(dim=-1) - RADIUS


def beside(hand: OpenHand, height: float) -> Tensor:
    """(1, P) a resting hand over the ball, the middle of its palm that far above its surface, metres."""
    transform = torch.eye(4)[None]
    palm = hand.pose(transform, hand.rest[None], torch.zeros(1, 6)).vertices[0, hand.regions["palm"]].mean(0)
    transform[0, :3, 3] = torch.tensor([0.0, 0.0, RADIUS + height]) - palm
    return hand.layout.join(transform, hand.rest[None], torch.zeros(1, 6))


def figures(hand: OpenHand, parameters: Tensor) -> tuple[float, float, int]:
    """Depth, gap and the count of regions within 3 mm."""
    distances = around_ball(hand.pose(*hand.layout.split(parameters)).vertices)[0]
    least = float(distances.min())
    return max(0.0, -least), max(0.0, least), sum(bool((distances[r] < 0.003).any()) for r in hand.regions.values())


@pytest.mark.parametrize("height", [-0.012, 0.004, 0.02])
def test_a_hand_in_or_beside_the_ball_comes_to_touch_it(hand: OpenHand, height: float):
    start = beside(hand, height)
    depth, gap, touched = figures(hand, adapted(hand, start, around_ball))
    before = figures(hand, start)
    assert gap == 0.0 and depth < 0.004
    assert touched >= max(2, before[2])


def test_whose_hand_it_is_stays_and_joints_keep_their_limits(hand: OpenHand):
    start = beside(hand, -0.01)
    start[:, -6:] = torch.tensor([1.0, -1.0, 0.5, 0.0, 0.0, 2.0])
    start[:, 9] = 9.0
    found = adapted(hand, start, around_ball)
    assert torch.equal(found[:, -6:], start[:, -6:])
    bends = found[0, 9 : 9 + 23]
    assert bool((bends >= hand.limits[:, 0]).all() and (bends <= hand.limits[:, 1]).all())


def test_each_hand_of_a_batch_is_adapted_alone(hand: OpenHand):
    both = torch.cat([beside(hand, 0.004), beside(hand, -0.012)])
    found = adapted(hand, both, around_ball, steps=15)
    for row in range(2):
        torch.testing.assert_close(found[row], adapted(hand, both[row : row + 1], around_ball, steps=15)[0],
                                   atol=1e-4, rtol=0)  # fmt: skip


def test_a_hand_far_away_is_pulled_by_thumb_and_nearest_finger(hand: OpenHand):
    distances = torch.full((1, len(hand.template)), 0.2)
    distances[:, hand.pads["ring"]] = 0.1
    assert touching(hand, distances).tolist() == [[True, False, False, True, False, False]]


def test_a_lattice_does_as_well_as_the_exact_distance(hand: OpenHand):
    from graspwise.hand.field import Field

    field = Field.of(solid(ball(RADIUS, fine=3)), points=30_000)
    depth, gap, _ = figures(hand, adapted(hand, beside(hand, -0.012), field))
    assert gap < 0.001 and depth < 0.005
