"""The default hand: a closed surface of a hand's size whose joints bend the way an anatomist says."""

import numpy as np
import pytest
import torch
import trimesh
from hand_cases import HERE, articulated
from hypothesis import given
from hypothesis import strategies as st

from graspwise.hand.model import FINGERS, JOINTS, REGIONS
from graspwise.hand.open_hand import ASSET, OpenHand, load_open_hand

MEAN = torch.zeros(1, 6)
FIST = {"mcp_flexion": 80.0, "pip_flexion": 95.0, "dip_flexion": 50.0, "mcp_abduction": 0.0}


@pytest.fixture(scope="module")
def hand() -> OpenHand:
    return load_open_hand()


def joints_of(hand: OpenHand, **degrees: float) -> dict[str, np.ndarray]:
    joints = hand.pose(HERE, articulated(hand, **degrees), MEAN).joints[0].numpy()
    return dict(zip(JOINTS, joints, strict=True))


def test_the_asset_is_small_and_says_whose_it_is() -> None:
    assert ASSET.stat().st_size < 1_000_000
    with np.load(ASSET, allow_pickle=False) as asset:
        assert "CC0" in str(asset["source"]) and "Apache-2.0" in str(asset["source"])


def test_it_is_closed_and_of_a_hands_size(hand: OpenHand) -> None:
    vertices = hand.pose(HERE, hand.rest[None], MEAN).vertices[0].numpy()
    surface = trimesh.Trimesh(vertices, hand.faces, process=False)
    assert vertices.shape == (1609, 3) and surface.is_watertight and surface.is_winding_consistent
    assert 250e-6 < surface.volume < 450e-6
    assert 0.17 < vertices[:, 0].max() < 0.21


@given(seed=st.integers(0, 10_000))
def test_it_is_as_placed_within_float32(hand: OpenHand, seed: int) -> None:
    """Placing a posed hand is posing a placed hand, and distances inside it stay."""
    random = torch.Generator().manual_seed(seed)
    vector = torch.randn(1, hand.layout.size, generator=random)
    transform, _, shape = hand.layout.split(vector)
    low, high = hand.limits.T
    articulation = low + torch.rand(1, len(low), generator=random) * (high - low)
    here, there = hand.pose(HERE, articulation, shape), hand.pose(transform, articulation, shape)
    moved = here.vertices @ transform[:, :3, :3].mT + transform[:, None, :3, 3]
    assert torch.allclose(moved, there.vertices, atol=1e-5)
    bones = [torch.linalg.norm(posed.joints[0, 6] - posed.joints[0, 5]) for posed in (here, there)]
    assert bones[0].item() == pytest.approx(bones[1].item(), abs=1e-6)


def test_at_rest_it_is_its_template_and_its_joints_are_where_the_bones_are(hand: OpenHand) -> None:
    posed = hand.pose(HERE, hand.rest[None], MEAN)
    assert torch.allclose(posed.vertices[0], hand.template, atol=1e-7)
    assert posed.joints[0, 0].abs().max() < 1e-6
    bones = {name: head for name, head in zip(hand.bones, hand.heads, strict=True)}
    assert torch.allclose(posed.joints[0, JOINTS.index("middle_2")], bones["finger3-2"], atol=1e-7)
    assert bones["finger3-1"][1:].abs().max() < 1e-5


def test_its_frame_has_the_fingers_along_x_the_thumb_to_y_and_the_palm_below(hand: OpenHand) -> None:
    joints = joints_of(hand)
    assert all(joints[f"{finger}_tip"][0] > 0.1 for finger in FINGERS)
    sides = [joints[f"{finger}_1"][1] for finger in FINGERS]
    assert sides[1:] == sorted(sides[1:], reverse=True) and joints["thumb_tip"][1] > 0.06
    normals = trimesh.Trimesh(hand.template.numpy(), hand.faces, process=False).vertex_normals
    assert normals[hand.regions["palm"], 2].mean() < -0.5


@pytest.mark.parametrize("finger", FINGERS[1:])
def test_flexion_bends_a_finger_to_the_palm(hand: OpenHand, finger: str) -> None:
    straight = {"mcp_flexion": 0.0, "pip_flexion": 0.0, "dip_flexion": 0.0}
    before = joints_of(hand, **straight)
    for name in straight:
        after = joints_of(hand, **(straight | {f"{finger}_{name}": 60.0}))
        assert after[f"{finger}_tip"][2] < before[f"{finger}_tip"][2] - 0.015
    fist = joints_of(hand, **FIST)
    # In a fist the tip comes back to the palm, in front of no knuckle.
    assert fist[f"{finger}_tip"][0] < fist[f"{finger}_1"][0]
    assert -0.07 < fist[f"{finger}_tip"][2] < -0.005


def test_angles_mean_what_they_say(hand: OpenHand) -> None:
    flat = {"mcp_flexion": 0.0, "pip_flexion": 0.0, "dip_flexion": 0.0, "mcp_abduction": 0.0}
    joints = joints_of(hand, **flat)
    for finger in FINGERS[1:]:
        bones = [joints[f"{finger}_{i + 1}"] - joints[f"{finger}_{i}"] for i in (1, 2)]
        straight = bones[0] @ bones[1] / np.prod([np.linalg.norm(bone) for bone in bones])
        assert np.degrees(np.arccos(straight)) < 6
    bent = joints_of(hand, **(flat | {"index_pip_flexion": 90.0}))
    upper, lower = bent["index_2"] - bent["index_1"], bent["index_3"] - bent["index_2"]
    assert np.degrees(np.arccos(upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower))) == pytest.approx(
        90, abs=4
    )


def test_abduction_leads_away_from_the_middle_finger(hand: OpenHand) -> None:
    together, spread = joints_of(hand, mcp_abduction=0.0), joints_of(hand, mcp_abduction=20.0)
    moved = {finger: spread[f"{finger}_tip"][1] - together[f"{finger}_tip"][1] for finger in FINGERS}
    assert moved["index"] > 0.01 and moved["ring"] < -0.01 and moved["pinky"] < -0.01


def test_the_thumb_opposes(hand: OpenHand) -> None:
    rest = joints_of(hand)
    away = joints_of(hand, thumb_cmc_abduction=70.0)
    assert away["thumb_tip"][2] < rest["thumb_tip"][2] - 0.003
    flexed = joints_of(hand, thumb_cmc_flexion=30.0, thumb_mcp_flexion=40.0)
    assert flexed["thumb_tip"][1] < rest["thumb_tip"][1] - 0.03
    pinch = joints_of(
        hand, thumb_cmc_flexion=44, thumb_cmc_abduction=63, thumb_cmc_pronation=29, thumb_mcp_flexion=10,
        thumb_ip_flexion=-14, index_mcp_flexion=76, index_mcp_abduction=25, index_pip_flexion=34, index_dip_flexion=7,
    )  # fmt: skip
    assert np.linalg.norm(pinch["thumb_tip"] - pinch["index_tip"]) < 0.02


def test_pronation_turns_the_thumbs_pad_to_the_fingers(hand: OpenHand) -> None:
    def pad(**degrees: float) -> np.ndarray:
        vertices = hand.pose(HERE, articulated(hand, **degrees), MEAN).vertices[0].numpy()
        normals = trimesh.Trimesh(vertices, hand.faces, process=False).vertex_normals
        outer = [v for v in hand.pads["thumb"] if hand.bone_of[v] == hand.bone_of[hand.tips[0]]]
        return normals[outer].mean(0)

    assert pad(thumb_cmc_pronation=30.0)[0] > pad()[0] + 0.05


def test_all_limits_hold_the_rest_and_are_of_a_hand(hand: OpenHand) -> None:
    low, high = np.degrees(hand.limits.numpy()).T
    rest = np.degrees(hand.rest.numpy())
    assert (low <= rest).all() and (rest <= high).all() and (low >= -31).all() and (high <= 101).all()
    assert len(set(hand.articulation)) == hand.layout.articulation == 23


def test_regions_are_apart_and_pads_are_inside_them(hand: OpenHand) -> None:
    assert set(hand.regions) == set(hand.pads) == set(REGIONS)
    together = np.concatenate(list(hand.regions.values()))
    assert len(together) == len(set(together.tolist())) and min(map(len, hand.regions.values())) > 80
    for name, pads in hand.pads.items():
        assert len(pads) > 0 and set(pads) <= set(hand.regions[name])
    for finger, tip in zip(FINGERS, hand.tips, strict=True):
        assert tip in hand.regions[finger]


def test_shape_changes_the_size_of_a_hand_and_of_its_bones(hand: OpenHand) -> None:
    shapes = torch.tensor([[-2.0, 0, 0, 0, 0, 0], [2.0, 0, 0, 0, 0, 0]])
    posed = hand.pose(HERE.expand(2, 4, 4), hand.rest.expand(2, -1), shapes)
    small, large = posed.vertices[:, :, 0].amax(1).tolist()
    # About the smallest and the largest of a hundred adults.
    assert 0.15 < small < 0.175 and 0.205 < large < 0.23
    lengths = torch.linalg.norm(
        posed.joints[:, JOINTS.index("index_2")] - posed.joints[:, JOINTS.index("index_1")], dim=-1
    )
    assert lengths[1] > 1.15 * lengths[0]


def test_it_is_differentiable_in_all_parameters(hand: OpenHand) -> None:
    random = torch.Generator().manual_seed(3)
    chosen = torch.randn(40, 3, generator=random, dtype=torch.float64)

    def measure(nine: torch.Tensor, articulation: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
        transform, articulation, shape = hand.layout.split(torch.cat([nine, articulation, shape], dim=-1))
        posed = hand.pose(transform, articulation, shape)
        return (posed.vertices[:, ::41] * chosen).sum() + posed.joints.sum()

    nine = torch.tensor([[1.0, 0.2, 0, 0, 1, 0.1, 0.3, 0.2, 0.1]], dtype=torch.float64, requires_grad=True)
    articulation = hand.rest[None].double() + 0.2
    shape = torch.full((1, 6), 0.5, dtype=torch.float64)
    assert torch.autograd.gradcheck(measure, (nine, articulation.requires_grad_(), shape.requires_grad_()))
