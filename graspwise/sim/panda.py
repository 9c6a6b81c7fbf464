"""`panda`: the 7-DoF Franka Emika Panda with its hand, from an installed MJCF model, moved by inverse kinematics.

Its base stands on the table and faces the table's middle. The frame it is sent to is the gripper frame of
`graspwise.robot.pose`, its origin at the very ends of the fingertips, so that a clearance above the table is one.
Franka's own TCP, 0.1034 m from the hand's frame, lies 9 mm further back, between the pads.

The model gives links, joints, masses and shapes. Its actuators are replaced: those of mujoco_menagerie follow a tenth
of a second late and grip with 2 N a finger.
"""

import importlib.util
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import mujoco
import numpy as np

from graspwise.errors import InputError
from graspwise.robot.pose import Gripper
from graspwise.sim.bodies import GROUP_ROBOT
from graspwise.sim.gripper import CLOSED, FORCE, Unreachable

VARIABLE = "GRASPWISE_PANDA"
# Packages that carry the model, clones of it, and where in them or in a folder given it may lie.
PACKAGES = ("mujoco_menagerie", "genesis")
CLONES = ("~/.cache/robot_descriptions/mujoco_menagerie", "~/mujoco_menagerie")
PLACES = ("panda.xml", "franka_emika_panda/panda.xml", "assets/xml/franka_emika_panda/panda.xml")

PREFIX = "robot/"
BASE = (-0.50, 0.0, 0.0)
JOINTS = tuple(f"joint{number}" for number in range(1, 8))
FINGERS = {"finger_joint1": "left_finger", "finger_joint2": "right_finger"}
HAND, TABLE = PREFIX + "hand", "table"
FINGER_BODIES = (PREFIX + "left_finger", PREFIX + "right_finger")
FAR = "out of reach"
# Franka's ready pose, the hand straight down; and the same turned aside, where nothing falls on it.
READY = np.array([0.0, -0.785398, 0.0, -2.356194, 0.0, 1.570796, 0.785398])
PARKED = READY + np.array([1.5, 0, 0, 0, 0, 0, 0])
# N m/rad as in mujoco_menagerie, damping critical with the arm over the table; N m, Franka's largest less what its own
# weight needs: the fingers push down with 80 N or so.
STIFFNESS = (4500.0, 4500.0, 3500.0, 3500.0, 2000.0, 2000.0, 2000.0)
DAMPING = (170.0, 190.0, 140.0, 125.0, 32.0, 35.0, 29.0)
TORQUE = (40.0, 40.0, 40.0, 40.0, 12.0, 12.0, 12.0)
FINGER_STIFFNESS = 3000.0
GROUP_HIDDEN = 5

# Inverse kinematics starts from the ready pose with these added, the base joint turned to the target.
STARTS = tuple(np.array(start) for start in ((0.0,) * 7, (0.4, 0, -0.8, 0, 0, 0, 0), (-0.4, 0, 0.8, 0, 0, 0, 0)))
NEAR, ALIGNED = 1e-4, 1e-3
STEPS = 60
# Between two poses no joint turns further, or the arm flips over; distance kept from the joints' limits; radians.
SWING, MARGIN = 0.25, 0.02
# Fingertips may press this far into the table, metres: pads are soft.
TOUCH = 0.001


def panda_model(path: Path | None = None) -> Path:
    """The MJCF file of the arm; no package is imported to find it.

    Args:
        path: The file, or a folder that holds it; else the variable GRASPWISE_PANDA, installed packages, and clones.

    Raises:
        InputError: it is not there, or nowhere.
    """
    given = path or os.environ.get(VARIABLE)
    if given:
        found = _within(Path(given).expanduser())
        if found is None:
            raise InputError(f"{given}: no model of the Panda there; valid is its MJCF file or a folder with panda.xml")
        return found
    specs = [importlib.util.find_spec(name) for name in PACKAGES]
    folders = [folder for spec in specs if spec for folder in spec.submodule_search_locations or ()]
    for folder in [*folders, *CLONES]:
        found = _within(Path(folder).expanduser())
        if found is not None:
            return found
    raise InputError(
        "panda: no model of the arm is installed; `pip install --no-deps genesis-world` brings one, or clone "
        f"github.com/google-deepmind/mujoco_menagerie and name its franka_emika_panda folder as path or in {VARIABLE}"
    )


def _within(place: Path) -> Path | None:
    if place.is_file():
        return place
    return next((place / inner for inner in PLACES if (place / inner).is_file()), None)


@dataclass
class Panda:
    """The arm, a robot for trials in place of the gantry.

    Attributes:
        model: Its MJCF file, or a folder that holds it; looked for by `panda_model` where not given.

    Raises:
        InputError: there is no such file, or it is not a model of the arm with its hand.
    """

    model: Path | None = None
    name: str = "panda"
    gripper: Gripper = field(default_factory=Gripper)
    joints: tuple[str, ...] = tuple(PREFIX + name for name in JOINTS)
    actuators: tuple[str, ...] = tuple(PREFIX + name for name in JOINTS)
    fingers: tuple[str, str] = FINGER_BODIES

    def __post_init__(self) -> None:
        self.model = panda_model(self.model)
        # Compiled now, so that a model that does not fit is one line before anything starts.
        _ = self._alone

    @cached_property
    def _alone(self) -> "_Alone":
        """The same arm above a bare table, for kinematics."""
        world = mujoco.MjSpec()
        world.worldbody.add_geom(name=TABLE, type=mujoco.mjtGeom.mjGEOM_PLANE, size=[2, 2, 0.1])
        world.attach(self._spec(world), prefix=PREFIX, frame=world.worldbody.add_frame(pos=list(BASE)))
        try:
            model = world.compile()
        except ValueError as error:
            raise InputError(f"{self.model}: MuJoCo cannot build it ({error}); are all its files there?") from error
        return _Alone(model, opening=self.gripper.max_opening)

    def attach(self, spec: mujoco.MjSpec) -> None:
        arm = self._spec(spec)
        for first, second in self._alone.overlaps:
            arm.add_exclude(bodyname1=first.removeprefix(PREFIX), bodyname2=second.removeprefix(PREFIX))
        spec.attach(arm, prefix=PREFIX, frame=spec.worldbody.add_frame(pos=list(BASE)))

    def _spec(self, scene: mujoco.MjSpec) -> mujoco.MjSpec:
        """The model's file with our actuators, weightless as a compensated arm is, to go into a scene."""
        try:
            spec = mujoco.MjSpec.from_file(str(self.model))
        except ValueError as error:
            raise InputError(f"{self.model}: not an MJCF file MuJoCo can read ({error})") from error
        joints, bodies = {joint.name for joint in spec.joints}, {body.name for body in spec.bodies}
        missing = sorted({*JOINTS, *FINGERS} - joints) + sorted({"hand", *FINGERS.values()} - bodies)
        if missing or spec.worldbody.geoms:
            found = f"has no {', '.join(missing)}" if missing else "is a scene, not the arm alone"
            raise InputError(
                f"{self.model}: {found}; valid is the Panda with its hand as in mujoco_menagerie's panda.xml"
            )
        # The scene has its own lamps and cameras, and its physics holds.
        for element in [*spec.lights, *spec.cameras, *spec.keys, *spec.sensors, *spec.actuators]:
            spec.delete(element)
        spec.option = scene.option
        for body in spec.bodies:
            body.gravcomp = 1.0
            seen = [geom for geom in body.geoms if not (geom.contype or geom.conaffinity)]
            for geom in body.geoms:
                geom.group = GROUP_ROBOT if geom in seen or not seen else GROUP_HIDDEN
        for site in spec.sites:
            site.group = GROUP_HIDDEN
        for name, stiffness, damping, torque in zip(JOINTS, STIFFNESS, DAMPING, TORQUE, strict=True):
            _servo(spec, name, force=torque).set_to_position(kp=stiffness, kv=damping)
        for name in FINGERS:
            # Stiff, or the fingers close past one another.
            spec.joint(name).solref_limit = [0.004, 1.0]
            _servo(spec, name, force=FORCE).set_to_position(kp=FINGER_STIFFNESS, dampratio=1.0)
        return spec

    def park(self, data: mujoco.MjData) -> None:
        for name, angle in zip(self.joints, PARKED, strict=True):
            data.joint(name).qpos[0] = data.actuator(name).ctrl[0] = angle
        self.open_to(data, self.gripper.max_opening)

    def solve(self, model: mujoco.MjModel, poses: np.ndarray) -> np.ndarray:
        """Joint angles (n, 7) for poses (n, 4, 4), a few centimetres apart, in the base frame.

        Raises:
            Unreachable: one is out of reach, or from one to the next the arm would flip over, or on the way from
                where it waits the arm would run into the table or itself.
        """
        # The half-turn about the approach is the same grasp.
        paths = [poses, poses @ np.diag([-1.0, -1.0, 1.0, 1.0])]
        found = [(self._alone.first(path[0], start), path) for path in paths for start in STARTS]
        starts = [(self._alone.margin(angles), angles, path) for angles, path in found if angles is not None]
        fault = FAR
        for _, angles, path in sorted(starts, key=lambda entry: -entry[0]):
            rows = self._alone.follow(angles, path)
            fault = FAR if rows is None else self._alone.fault(rows)
            if rows is not None and not fault:
                return rows
        x, y, z = poses[0, :3, 3]
        raise Unreachable(f"panda: from ({x:.3f}, {y:.3f}, {z:.3f}) m on, {fault}")

    def open_to(self, data: mujoco.MjData, opening: float) -> None:
        for name in FINGERS:
            data.joint(PREFIX + name).qpos[0] = data.actuator(PREFIX + name).ctrl[0] = opening / 2

    def close(self, data: mujoco.MjData, share: float) -> None:
        for name in FINGERS:
            now = float(data.joint(PREFIX + name).qpos[0])
            # Past zero at the end, so that the force is full on thin things too.
            data.actuator(PREFIX + name).ctrl[0] = now + share * (CLOSED - now)

    def lag(self, data: mujoco.MjData) -> float:
        sent = np.array([data.actuator(name).ctrl[0] for name in self.actuators])
        return float(data.body(HAND).xpos[2]) - self._alone.hand_height(sent)


def _servo(spec: mujoco.MjSpec, joint: str, *, force: float) -> "mujoco.MjsActuator":
    return spec.add_actuator(
        name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT, forcerange=[-force, force],
        forcelimited=mujoco.mjtLimited.mjLIMITED_TRUE,
    )  # fmt: skip


class _Alone:
    """The arm above a bare table: forward and inverse kinematics, and what touches what.

    Attributes:
        tip: From the hand's frame to the ends of the fingertips, metres.
        overlaps: Names of two bodies whose shapes overlap in the ready pose already, as neighbours' hulls do.
    """

    def __init__(self, model: mujoco.MjModel, *, opening: float) -> None:
        self.model, self.data = model, mujoco.MjData(model)
        self.columns = [int(model.joint(PREFIX + name).qposadr[0]) for name in JOINTS]
        self.limits = np.array([model.joint(PREFIX + name).range for name in JOINTS])
        for name in FINGERS:
            self.data.joint(PREFIX + name).qpos[0] = opening / 2
        self.overlaps: set[tuple[str, str]] = set()
        self.overlaps = {(first, second) for first, second, _ in self._touching(READY)}
        table = model.geom(TABLE).id
        fingers = {model.body(name).id for name in FINGER_BODIES}
        geoms = [geom for geom, body in enumerate(model.geom_bodyid) if body in fingers and model.geom_contype[geom]]
        lowest = min(mujoco.mj_geomDistance(model, self.data, table, geom, 2.0, None) for geom in geoms)
        self.tip = float(self.data.body(HAND).xpos[2]) - lowest

    def first(self, pose: np.ndarray, start: np.ndarray) -> np.ndarray | None:
        """Joint angles (7,) that bring the tips to a pose, near the ready pose with `start` added; None if none do."""
        x, y = pose[:2, 3] - BASE[:2]
        ready = READY + start
        ready[0] += math.atan2(y, x)
        return self._reach(pose, np.clip(ready, *(self.limits.T + np.array([[MARGIN], [-MARGIN]]))))

    def follow(self, angles: np.ndarray, poses: np.ndarray) -> np.ndarray | None:
        """Joint angles (n, 7) for poses one after the other, each near the one before; None if that breaks off."""
        rows = [angles]
        for pose in poses[1:]:
            following = self._reach(pose, rows[-1])
            if following is None or np.abs(following - rows[-1]).max() > SWING:
                return None
            rows.append(following)
        return np.array(rows)

    def _reach(self, pose: np.ndarray, near: np.ndarray) -> np.ndarray | None:
        import mink

        target = pose.copy()
        target[:3, 3] -= self.tip * pose[:3, 2]
        q = self.data.qpos.copy()
        q[self.columns] = near
        configuration = mink.Configuration(self.model, q)
        hand = mink.FrameTask(HAND, "body", position_cost=1.0, orientation_cost=0.3, lm_damping=0.01)
        hand.set_target(mink.SE3.from_matrix(target))
        posture = mink.PostureTask(self.model, cost=1e-3)
        posture.set_target(q)
        limits = [mink.ConfigurationLimit(self.model, min_distance_from_limits=MARGIN)]
        for _ in range(STEPS):
            error = hand.compute_error(configuration)
            if np.linalg.norm(error[:3]) < NEAR and np.linalg.norm(error[3:]) < ALIGNED:
                return configuration.q[self.columns].copy()
            try:
                speed = mink.solve_ik(configuration, [hand, posture], 1.0, "daqp", limits=limits)
            except mink.NoSolutionFound:
                return None
            configuration.integrate_inplace(speed, 1.0)
        return None

    def margin(self, angles: np.ndarray) -> float:
        """Share of its range that the joint nearest to a limit has left."""
        low, high = self.limits.T
        return float((np.minimum(angles - low, high - angles) / (high - low)).min())

    def fault(self, rows: np.ndarray) -> str:
        """What is in the way from where the arm waits to the first row and on through all; empty if nothing is."""
        between = np.stack([rows[:-1], (rows[:-1] + rows[1:]) / 2], axis=1).reshape(-1, len(JOINTS))
        for angles in np.concatenate([np.linspace(PARKED, rows[0], 12), between, rows[-1:]]):
            for first, second, depth in self._touching(angles):
                if not (second == TABLE and first in FINGER_BODIES and depth < TOUCH):
                    return f"{first} would run into {second}".replace(PREFIX, "")
        return ""

    def hand_height(self, angles: np.ndarray) -> float:
        """Height of the hand's frame above the table, metres."""
        self._set(angles)
        return float(self.data.body(HAND).xpos[2])

    def _set(self, angles: np.ndarray) -> None:
        self.data.qpos[self.columns] = angles
        mujoco.mj_fwdPosition(self.model, self.data)

    def _touching(self, angles: np.ndarray) -> Iterator[tuple[str, str, float]]:
        """Names of two bodies that touch, the table's last, and how deep, metres; `overlaps` left out."""
        self._set(angles)
        for contact in self.data.contact:
            bodies = [self.model.body(self.model.geom_bodyid[geom]).name for geom in contact.geom]
            first, second = sorted((TABLE if name == "world" else name for name in bodies), key=TABLE.__eq__)
            if (first, second) not in self.overlaps and (second, first) not in self.overlaps:
                yield first, second, -float(contact.dist)
