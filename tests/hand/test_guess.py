"""Steps of a hand: each leads where it says, joints stay within limits, turns leave the grip where it is."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from graspwise.hand.guess import EDGE, Rig
from graspwise.hand.model import place_points
from graspwise.hand.open_hand import load_open_hand

SEEDS = st.integers(0, 1000)
RIG = Rig(load_open_hand())


def drawn(seed: int, count: int = 2) -> torch.Tensor:
    """Parameters (count, P) of hands anywhere, bent in any way within the limits."""
    generator = torch.Generator().manual_seed(seed)
    transform = torch.eye(4).repeat(count, 1, 1)
    transform[:, :3, :3] = torch.from_numpy(Rotation.random(count, random_state=seed).as_matrix())
    transform[:, :3, 3] = 0.2 * torch.randn(count, 3, generator=generator)
    low, high = RIG.hand.limits.T
    share = EDGE + (1 - 2 * EDGE) * torch.rand(count, len(low), generator=generator)
    shape = torch.randn(count, RIG.layout.shape, generator=generator)
    return RIG.layout.join(transform, low + share * (high - low), shape)


@given(SEEDS)
@settings(max_examples=20)
def test_the_step_to_a_hand_leads_there(seed):
    middles = torch.randn(2, 3)
    first, second = (RIG.truth(drawn(s), middles) for s in (seed, seed + 1))
    step = RIG.step_to(first, second)
    there = RIG.bent(RIG.moved(first, step[:, :9]), step[:, 9:])
    assert torch.allclose(there.vertices, second.vertices, atol=2e-5)
    assert torch.allclose(RIG.numbers(there), RIG.numbers(second), atol=1e-3)
    assert torch.allclose(RIG.parameters(there, middles), drawn(seed + 1), atol=1e-4)


@given(SEEDS, st.floats(0, 50))
@settings(max_examples=20)
def test_any_step_leaves_a_rigid_hand_within_its_limits(seed, large):
    step = large * torch.randn(2, RIG.size, generator=torch.Generator().manual_seed(seed))
    guess = RIG.bent(RIG.moved(RIG.start(2, torch.device("cpu")), step[:, :9]), step[:, 9:])
    turn = guess.transform[:, :3, :3]
    assert torch.allclose(turn @ turn.mT, torch.eye(3).expand(2, 3, 3), atol=1e-4)
    angles, (low, high) = RIG.articulation(guess.bend), RIG.hand.limits.T
    assert (angles >= low - 1e-5).all() and (angles <= high + 1e-5).all()


def test_a_turn_leaves_the_grip_where_it_is():
    start = RIG.start(1, torch.device("cpu"))
    turned = RIG.moved(start, torch.tensor([[-1.0, 1, 0, -1, -1, 0, 0, 0, 0]]))
    grips = [place_points(guess.transform, RIG.grip[None, None]) for guess in (start, turned)]
    assert torch.allclose(*grips, atol=1e-6) and grips[0].abs().max() < 1e-6
    # A quarter turn: the fingertips go 10 cm and more.
    assert (start.vertices - turned.vertices).norm(dim=-1).max() > 0.1


def test_probes_lie_on_all_pads():
    probes = RIG.probes(32)
    assert len(probes.unique()) == 32
    assert all(set(pad.tolist()) & set(probes.tolist()) for pad in RIG.hand.pads.values())
