"""`gripper`: a parallel gripper on a gantry, mesh-free, with the Franka Hand's opening, finger length and force.

Its frame is the gripper frame of `graspwise.robot.pose`: origin between the fingertips, z the way it approaches, y the
way the jaws open.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol

import mujoco
import numpy as np

from graspwise.robot.pose import Gripper
from graspwise.sim.bodies import GROUP_ROBOT

# Franka Hand: 70 N continuous, 0.05 m/s a finger; half of the force here, a margin as users leave one.
FORCE = 35.0
# The Franka Hand's pads are 18 mm high; its fingers are 20 mm wide.
PAD = (0.010, 0.004, 0.009)
PAD_FRICTION = (0.9, 0.01, 0.0005)
DARK, LIGHT = [0.18, 0.19, 0.21, 1.0], [0.85, 0.86, 0.88, 1.0]
# Where it waits while the scene settles, and how far it travels, metres.
PARK_HEIGHT = 0.5
REACH = 0.28
GANTRY_STIFFNESS = 8000.0
CLOSED = -0.02


class Unreachable(Exception):
    """The robot cannot go there."""


class Robot(Protocol):
    """What a trial needs of a robot; controls are rows of one number an arm actuator.

    Attributes:
        name: On the command line.
        gripper: Its limits.
        joints: Names of the arm's joints.
        actuators: Names of the arm's actuators, in the joints' order.
        fingers: Names of the two bodies whose geoms touch things.
    """

    name: str
    gripper: Gripper
    joints: tuple[str, ...]
    actuators: tuple[str, ...]
    fingers: tuple[str, str]

    def attach(self, spec: mujoco.MjSpec) -> None:
        """Add the robot to a scene, away from the table's middle, its geoms in `GROUP_ROBOT`."""

    def park(self, data: mujoco.MjData) -> None:
        """Put the arm where it waits, at rest."""

    def solve(self, model: mujoco.MjModel, poses: np.ndarray) -> np.ndarray:
        """Controls (n, k) that bring the gripper to poses (n, 4, 4) in the base frame one after the other.

        Raises:
            Unreachable: one of them is out of reach.
        """

    def open_to(self, data: mujoco.MjData, opening: float) -> None:
        """Put the fingers `opening` metres apart at once, and hold them there."""

    def close(self, data: mujoco.MjData, share: float) -> None:
        """Move the fingers' targets together, `share` of the way from open (0) to closed with full force (1)."""

    def lag(self, data: mujoco.MjData) -> float:
        """How much higher the hand stands than it was sent, metres."""


@dataclass
class Gantry:
    """The gripper carried by three slides and a turntable: it reaches every pose above the table."""

    name: str = "gripper"
    gripper: Gripper = field(default_factory=Gripper)
    joints: tuple[str, ...] = ("robot/x", "robot/y", "robot/z", "robot/yaw")
    actuators: tuple[str, ...] = ("robot/x", "robot/y", "robot/z", "robot/yaw")
    fingers: tuple[str, str] = ("robot/left", "robot/right")

    def attach(self, spec: mujoco.MjSpec) -> None:
        body = spec.worldbody.add_body(name="robot/carriage", pos=[0, 0, PARK_HEIGHT], gravcomp=1.0)
        axes = {"robot/x": [1, 0, 0], "robot/y": [0, 1, 0], "robot/z": [0, 0, 1]}
        for name, axis in axes.items():
            start = PARK_HEIGHT if name == "robot/z" else 0.0
            body.add_joint(
                name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis, ref=start, armature=0.5, damping=[40, 0, 0]
            )
        body.add_joint(
            name="robot/yaw", type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1], armature=0.02, damping=[1, 0, 0]
        )
        # Half a turn about x: from here down the frame is the gripper's, z towards the table.
        hand = body.add_body(name="robot/hand", quat=[0, 1, 0, 0], gravcomp=1.0)
        palm = -self.gripper.finger_length
        self._block(hand, "palm", size=(0.032, 0.102, 0.033), pos=(0, 0, palm - 0.033), rgba=LIGHT, mass=0.6)
        self._block(hand, "wrist", size=(0.03, 0.03, 0.05), pos=(0, 0, palm - 0.116), rgba=DARK, mass=0.2)
        for name, side in (("left", 1), ("right", -1)):
            finger = hand.add_body(name=f"robot/{name}", gravcomp=1.0)
            finger.add_joint(
                name=f"robot/{name}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, side, 0],
                range=[0, self.gripper.max_opening / 2], armature=0.05, damping=[8, 0, 0],
                # Stiff, or the fingers close past each other.
                solref_limit=[0.004, 1.0],
            )  # fmt: skip
            self._block(finger, f"{name}/pad", size=PAD, pos=(0, side * PAD[1], -PAD[2]), rgba=DARK, mass=0.02)
            stem = (self.gripper.finger_length - 2 * PAD[2]) / 2
            self._block(
                finger, f"{name}/stem", size=(0.009, 0.005, stem), pos=(0, side * 0.007, -2 * PAD[2] - stem),
                rgba=LIGHT, mass=0.03,
            )  # fmt: skip
        for name in ("robot/x", "robot/y", "robot/z"):
            self._servo(spec, name, stiffness=GANTRY_STIFFNESS, force=80.0)
        self._servo(spec, "robot/yaw", stiffness=60.0, force=8.0)
        for name in ("robot/left", "robot/right"):
            self._servo(spec, name, stiffness=3000.0, force=FORCE)

    @staticmethod
    def _block(
        body: "mujoco.MjsBody",
        name: str,
        *,
        size: tuple[float, float, float],
        pos: tuple[float, float, float],
        rgba: list[float],
        mass: float,
    ) -> None:
        body.add_geom(
            name=f"robot/{name}", type=mujoco.mjtGeom.mjGEOM_BOX, size=list(size), pos=list(pos), rgba=rgba, mass=mass,
            friction=list(PAD_FRICTION), condim=4, group=GROUP_ROBOT,
        )  # fmt: skip

    @staticmethod
    def _servo(spec: mujoco.MjSpec, joint: str, *, stiffness: float, force: float) -> None:
        actuator = spec.add_actuator(
            name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT, forcerange=[-force, force],
            forcelimited=mujoco.mjtLimited.mjLIMITED_TRUE,
        )  # fmt: skip
        actuator.set_to_position(kp=stiffness, dampratio=1.0)

    def park(self, data: mujoco.MjData) -> None:
        data.actuator("robot/z").ctrl[0] = PARK_HEIGHT

    def solve(self, model: mujoco.MjModel, poses: np.ndarray) -> np.ndarray:
        places = poses[:, :3, 3]
        if np.abs(places[:, :2]).max() > REACH or places[:, 2].min() < 0:
            raise Unreachable(f"the gantry reaches {REACH} m to each side of the table's middle")
        # The gripper's x axis stays level, and its direction is the turntable's angle.
        yaws = np.unwrap([math.atan2(pose[1, 0], pose[0, 0]) for pose in poses])
        return np.column_stack([places, yaws])

    def open_to(self, data: mujoco.MjData, opening: float) -> None:
        for finger in self.fingers:
            data.joint(finger).qpos[0] = opening / 2
            data.actuator(finger).ctrl[0] = opening / 2

    def close(self, data: mujoco.MjData, share: float) -> None:
        for finger in self.fingers:
            now = float(data.joint(finger).qpos[0])
            # Past zero at the end, so that the force is full on thin things too.
            data.actuator(finger).ctrl[0] = now + share * (CLOSED - now)

    def lag(self, data: mujoco.MjData) -> float:
        return float(data.joint("robot/z").qpos[0] - data.actuator("robot/z").ctrl[0])
