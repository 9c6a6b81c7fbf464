"""A person's grasp of a box and of a ball for a gripper and for a hand with fingers."""

import numpy as np
import pytest
import torch
from hand_cases import articulated
from plain_solids import ball, box, solid

from graspwise.errors import InputError
from graspwise.hand.adapt import adapted
from graspwise.hand.mesh import Distance
from graspwise.hand.model import Posed
from graspwise.hand.open_hand import OpenHand, load_open_hand
from graspwise.hand.retarget import for_gripper, for_robot_hand, touches
from graspwise.hand.robot_hand import read_robot_hand
from graspwise.robot.pose import Gripper


@pytest.fixture(scope="module")
def hand() -> OpenHand:
    return load_open_hand()


def plate_between(hand: OpenHand) -> tuple[Posed, Distance, np.ndarray]:
    """The resting hand, a plate square to the line from the thumb's pad to the index finger's, and that line."""
    posed = hand.pose(torch.eye(4)[None], hand.rest[None], torch.zeros(1, 6))
    vertices = posed.vertices[0].double().numpy()
    pads = [hand.pads[finger] for finger in ("thumb", "index")]
    ends = [pad[hand.bone_of[pad] == hand.bone_of[hand.tips[i]]] for i, pad in enumerate(pads)]
    thumb, index = (vertices[end].mean(axis=0) for end in ends)
    line = index - thumb
    span = float(np.linalg.norm(line))
    y = line / span
    x = np.cross(y, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    mesh = box((-0.03, -span / 2, -0.03), (0.03, span / 2, 0.03), step=0.01)
    frame = np.eye(4)
    frame[:3] = np.column_stack([x, y, np.cross(x, y), (thumb + index) / 2])
    mesh.apply_transform(frame)
    return posed, Distance(solid(mesh)), line


def test_jaws_close_square_to_the_sides_that_thumb_and_finger_hold(hand: OpenHand):
    posed, distance, line = plate_between(hand)
    found = for_gripper(hand, posed, distance, gripper=Gripper(max_opening=0.3))
    rotation = found.T_base_gripper[:3, :3]
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-9) and np.linalg.det(rotation) > 0
    assert rotation[:, 1] @ line / np.linalg.norm(line) > 0.97
    assert found.opening == pytest.approx(np.linalg.norm(line) + 0.01, abs=0.006)
    assert not found.clamped
    # It comes from the wrist's side.
    assert rotation[:, 2] @ (found.T_base_gripper[:3, 3] - posed.joints[0, 0].numpy()) > 0
    assert found.approach[:3, 3] == pytest.approx(found.T_base_gripper[:3, 3] - 0.1 * rotation[:, 2])


def test_a_gripper_that_cannot_open_as_wide_is_told(hand: OpenHand):
    posed, distance, _ = plate_between(hand)
    found = for_gripper(hand, posed, distance, gripper=Gripper(max_opening=0.02))
    assert found.clamped and found.opening == 0.02 and found.asked_opening > 0.02


def test_where_the_object_is_moves_the_pose_with_it(hand: OpenHand):
    posed, distance, _ = plate_between(hand)
    place = np.array([[0.0, -1, 0, 0.4], [1, 0, 0, -0.2], [0, 0, 1, 0.7], [0, 0, 0, 1]])
    here, there = (for_gripper(hand, posed, distance, T_base_object=at) for at in (None, place))
    assert there.T_base_gripper == pytest.approx(place @ here.T_base_gripper)
    assert there.surface_height == pytest.approx(here.surface_height + 0.7)


def test_fingers_in_one_place_are_no_grasp_for_jaws(hand: OpenHand):
    posed = hand.pose(torch.eye(4)[None], hand.rest[None], torch.zeros(1, 6))
    far = Posed(posed.vertices * 1e-5 + torch.tensor([0.5, 0, 0]), posed.joints)
    with pytest.raises(InputError, match="in one place"):
        for_gripper(hand, far, Distance(solid(ball(0.03, fine=2))))


def test_the_robots_balls_rest_where_the_persons_fingers_touch(hand: OpenHand):
    mesh, bent = ball(0.04, fine=3), articulated(hand, mcp_flexion=45, pip_flexion=50, dip_flexion=25)
    transform = torch.eye(4)[None]
    pads = torch.cat([torch.from_numpy(pad) for pad in hand.pads.values()])
    grip = hand.pose(transform, bent, torch.zeros(1, 6)).vertices[0, pads].mean(0)
    transform[0, :3, 3] = torch.tensor([0.0, 0.0, 0.01]) - grip
    start = hand.layout.join(transform, bent, torch.zeros(1, 6))
    held = adapted(hand, start, lambda points: points.norm(dim=-1) - 0.04)
    posed, robot = hand.pose(*hand.layout.split(held)), read_robot_hand()
    distance = Distance(solid(mesh))
    found = for_robot_hand(hand, posed, distance, robot)
    near = touches(hand, posed, distance)
    touched = [finger for finger in found.errors if near[finger].distance < 0.005]
    assert touched and max(found.errors[finger] for finger in touched) < 0.005
    angles = np.array([found.joints[name] for name in robot.joints])
    assert (angles >= robot.limits[:, 0]).all() and (angles <= robot.limits[:, 1]).all()
    # What it says is where its fingertips are.
    tips = robot.fingertips(angles) @ found.T_object_palm[:3, :3].T + found.T_object_palm[:3, 3]
    for finger, tip in zip(robot.tips, tips, strict=True):
        wanted = max(near[finger].distance, 0) + robot.tips[finger][2]
        assert distance.signed(tip[None])[0] == pytest.approx(wanted, abs=found.errors[finger] + 1e-3)
    # The palm looks to the ball.
    assert found.T_object_palm[:3, 0] @ -found.T_object_palm[:3, 3] > 0
