"""A human hand's grasp for a robot: for a parallel gripper, and for a hand with fingers.

Metres and radians. What is kept is where fingers are on the object; links and palm of a robot's hand are not looked at.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.hand.mesh import Distance
from graspwise.hand.model import FINGERS, JOINTS, REGIONS, HandModel, Posed, hand_axes
from graspwise.hand.robot_hand import RobotHand
from graspwise.robot.pose import APPROACH_DISTANCE, Gripper, GripperPose
from graspwise.robot.rigid import move_points

# Skin this near to the object touches it, and a fingertip this near is meant to, metres.
TOUCHES, MEANT = 0.005, 0.010
# Jaws stand off the surface by this much on either side before they close, metres.
ROOM = 0.005
# Two sides of a thing are farther from each other than this, metres.
THIN = 1e-3
# Cosine between the normals of two sides that jaws can close on.
OPPOSED = -0.5
# Points that tell what is between the jaws.
SAMPLES = 4000
# Weights of a fingertip that touches nothing, of the palm's direction (metres a radian) and of a joint's distance from
# the middle of its range (metres a radian), against a fingertip that touches.
FREE, PALM, JOINT = 0.2, 0.02, 0.002
# Joint angles to start from, as shares of their ranges.
STARTS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, eq=False)
class Touch:
    """Where a finger's last segment is nearest to the object.

    Attributes:
        distance: Metres, negative inside.
        point: (3,) on the surface.
        normal: (3,) out of it, of length 1.
    """

    distance: float
    point: np.ndarray
    normal: np.ndarray


@dataclass(frozen=True, eq=False)
class RobotGrasp:
    """A robot hand's grasp.

    Attributes:
        name: The robot hand's.
        T_object_palm: (4, 4), pose of its palm in the object's frame.
        joints: Angle of each joint, radians, by name.
        errors: Distance of each fingertip's ball from where it should be, metres, by finger.
    """

    name: str
    T_object_palm: np.ndarray
    joints: dict[str, float]
    errors: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return {
            "robot": self.name,
            "T_object_palm": [[round(value, 6) + 0.0 for value in row] for row in self.T_object_palm.tolist()],
            "joints": {name: round(angle, 5) for name, angle in self.joints.items()},
            "errors_m": {finger: round(error, 5) for finger, error in self.errors.items()},
        }


def touches(hand: HandModel, posed: Posed, distance: Distance) -> dict[str, Touch]:
    """Where each finger, by the inner side of its last segment, and the palm of one hand are nearest to the object."""
    [vertices], [joints] = posed.vertices.detach().double().numpy(), posed.joints.detach().double().numpy()
    solid, found = distance.solid, {}
    for number, region in enumerate(REGIONS):
        pad = hand.pads[region]
        if region in FINGERS:
            tip = np.linalg.norm(vertices[pad] - joints[4 + 4 * number], axis=1).argmin()
            pad = pad[hand.bone_of[pad] == hand.bone_of[pad[tip]]]
        near = distance.nearest(vertices[pad])
        best = int(near.distance.argmin())
        a, b, c = solid.vertices[solid.faces[near.faces[best]]]
        across = np.cross(b - a, c - a)
        found[region] = Touch(float(near.distance[best]), near.points[best], across / np.linalg.norm(across))
    return found


def for_gripper(
    hand: HandModel, posed: Posed, distance: Distance, *, gripper: Gripper | None = None,
    T_base_object: np.ndarray | None = None, frame: str = "object",
) -> GripperPose:  # fmt: skip
    """A parallel gripper's pose: one jaw for the thumb, the other for the fingers that oppose it.

    Of the fingers that touch, those count whose side of the object looks away from the thumb's, or, where there are
    none, from the palm's. The jaws close square to these two sides, in the middle between them; the gripper comes the
    way the hand does. Before it closes it stands 5 mm off either side.

    Args:
        hand: Whose vertices they are.
        posed: One hand in the object's frame.
        distance: To the object.
        gripper: By default the Franka Hand.
        T_base_object: (4, 4) where the object is; without it the pose is in the object's frame.
        frame: Name of the frame that the pose is in.

    Raises:
        InputError: thumb and fingers are in one place, so that no opening has a direction.
    """
    gripper, near = gripper or Gripper(), touches(hand, posed, distance)
    others = [near[finger] for finger in FINGERS[1:]]
    touching = [touch for touch in others if touch.distance <= TOUCHES]
    for region in ("thumb", "palm"):
        first = near[region]
        opposite = [t for t in touching if t.normal @ first.normal < OPPOSED]
        if first.distance <= TOUCHES and opposite:
            y = np.mean([touch.normal for touch in opposite], axis=0) - first.normal
            break
    else:
        # Without two sides that face away from each other the jaws close on the line from the thumb to the fingers.
        first, opposite = near["thumb"], touching or [min(others, key=lambda touch: touch.distance)]
        y = np.mean([touch.point for touch in opposite], axis=0) - first.point
    end = np.mean([touch.point for touch in opposite], axis=0)
    if (end - first.point) @ y < THIN * np.linalg.norm(y) or not y.any():
        raise InputError(
            f"{distance.solid.name}: thumb and fingers are in one place; valid for a gripper are two sides"
        )
    y = y / np.linalg.norm(y)
    span = float((end - first.point) @ y)
    middle = (first.point + end) / 2
    wrist = posed.joints[0, 0].detach().double().numpy()
    ahead = (middle - wrist) - ((middle - wrist) @ y) * y
    z = ahead / np.linalg.norm(ahead)
    jaws = np.eye(4)
    jaws[:3] = np.column_stack([np.cross(y, z), y, z, middle])
    asked = span + 2 * ROOM
    opening = min(max(asked, gripper.min_opening), gripper.max_opening)
    jaws = jaws if T_base_object is None else T_base_object @ jaws
    approach = jaws.copy()
    approach[:3, 3] -= APPROACH_DISTANCE * jaws[:3, 2]
    points = distance.solid.samples(SAMPLES, rng=np.random.default_rng(0)).points
    points = points if T_base_object is None else move_points(T_base_object, points)
    aside, along, ahead = move_points(np.linalg.inv(jaws), points).T
    between = (abs(aside) < gripper.pad_width / 2) & (abs(along) < opening / 2) & (abs(ahead) < gripper.finger_length)
    return GripperPose(
        T_base_gripper=jaws, opening=opening, asked_opening=asked, clamped=opening != asked, approach=approach,
        surface_height=float(points[between, 2].max(initial=jaws[2, 3])), frame=frame,
    )  # fmt: skip


def for_robot_hand(hand: HandModel, posed: Posed, distance: Distance, robot: RobotHand) -> RobotGrasp:
    """A robot hand whose fingertips are where the person's are, by least squares over its pose and its joints.

    The ball at a fingertip rests on the surface where the person's finger touches it, or keeps the person's distance;
    the palm looks the same way as far as that allows. Of three starts the best is taken.

    Args:
        hand: Whose vertices they are.
        posed: One hand in the object's frame.
        distance: To the object.
        robot: The robot's hand.
    """
    near = touches(hand, posed, distance)
    fingers = list(robot.tips)
    wanted = np.stack([
        near[finger].point + near[finger].normal * (max(near[finger].distance, 0.0) + robot.tips[finger][2])
        for finger in fingers
    ])  # fmt: skip
    weights = np.array([1.0 if near[finger].distance <= MEANT else FREE for finger in fingers])
    axes = hand_frame(posed) @ robot.axes.T
    low, high = robot.limits.T

    def placed(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rotation = axes @ Rotation.from_rotvec(numbers[:3]).as_matrix()
        return rotation, numbers[3:6], robot.fingertips(numbers[6:]) @ rotation.T + numbers[3:6]

    def misses(numbers: np.ndarray) -> np.ndarray:
        tips = placed(numbers)[2]
        bent = (numbers[6:] - (low + high) / 2) * JOINT
        return np.concatenate([((tips - wanted) * weights[:, None]).ravel(), numbers[:3] * PALM, bent])

    free = np.full(6, np.inf)
    solutions = []
    for share in STARTS:
        angles = low + share * (high - low)
        shift = (wanted - robot.fingertips(angles) @ axes.T).mean(axis=0)
        start = np.concatenate([np.zeros(3), shift, angles])
        solutions.append(least_squares(misses, start, bounds=(np.r_[-free, low], np.r_[free, high]), x_scale="jac"))
    best = min(solutions, key=lambda solution: float(solution.cost)).x
    rotation, place, tips = placed(best)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, place
    errors = np.linalg.norm(tips - wanted, axis=1)
    return RobotGrasp(
        robot.name, pose, dict(zip(robot.joints, best[6:].tolist(), strict=True)),
        dict(zip(fingers, errors.tolist(), strict=True)),
    )  # fmt: skip


def hand_frame(posed: Posed) -> np.ndarray:
    """Rotation (3, 3) from the hand's own frame to the object's of one posed hand, by its wrist and knuckles."""
    [joints] = posed.joints.detach().double().numpy()
    knuckles = joints[[JOINTS.index(f"{finger}_1") for finger in FINGERS[1:]]]
    return hand_axes(wrist=joints[0], knuckles=knuckles).T
