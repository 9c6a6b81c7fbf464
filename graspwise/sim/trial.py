"""One grasp carried out: approach, close, lift, shake, tilt; what happened, and why where it failed."""

import math
from copy import copy
from dataclasses import dataclass, replace
from typing import Literal

import mujoco
import numpy as np

from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.robot.pose import GripperPose, gripper_pose
from graspwise.sim.antipodal import TABLE_CLEARANCE
from graspwise.sim.film import Film
from graspwise.sim.gripper import Robot, Unreachable
from graspwise.sim.render import View
from graspwise.sim.scene import Scene

Cause = Literal["missed", "slipped", "collided", "too wide", "unreachable", "no grasp"]
CAUSES: tuple[Cause, ...] = ("missed", "slipped", "collided", "too wide", "unreachable", "no grasp")

LIFT = 0.15
# Raised by this share of the lift at the end, and held by both fingers: that is success.
RAISED = 0.6
SHAKE_REACH, SHAKE_HERTZ, SHAKE_SECONDS = 0.018, 4.0, 0.5
TILT, TILT_SECONDS = math.radians(25), 0.2
# The hand stands this much higher than it was sent: it sits on something.
BLOCKED = 0.006
DESCEND_SECONDS, CLOSE_SECONDS, LIFT_SECONDS, HOLD_SECONDS = 0.6, 0.4, 0.6, 0.1
WAYPOINTS = 8


@dataclass(frozen=True)
class Conditions:
    """What differs from trial to trial of the same scene and grasp.

    Attributes:
        friction: Factor on every object's friction.
        shift: Error of the gripper's place, metres (x, y, z).
        turn: Error of its yaw, radians.
    """

    friction: float = 1.0
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: float = 0.0

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Conditions":
        """Friction 0.8 to 1.2 times as high, 1.5 mm and 1.5 degrees off (standard deviations)."""
        x, y = rng.normal(0, 0.0015, 2).tolist()
        return cls(float(rng.uniform(0.8, 1.2)), (x, y, 0.0), float(rng.normal(0, math.radians(1.5))))


@dataclass(frozen=True)
class Outcome:
    """What became of a grasp.

    Attributes:
        lifted: Whether the target was lifted and still held after shake and tilt.
        cause: Why not; None where it was.
        parts: Names of the target's parts between the fingers after lifting, or at closing where it was not lifted.
        allowed: Whether it was lifted by no part that should be left alone.
    """

    lifted: bool
    cause: Cause | None
    parts: tuple[str, ...] = ()
    allowed: bool = False


def carry_out(
    scene: Scene,
    pose: GripperPose,
    *,
    target: int,
    robot: Robot,
    conditions: Conditions | None = None,
    film: Film | None = None,
) -> Outcome:
    """Execute one grasp in the scene, which was composed with this robot attached; see `Stage.carry_out`."""
    return Stage(scene, robot).carry_out(pose, target=target, conditions=conditions, film=film)


class Stage:
    """A scene made ready for any number of trials, which all start from the same state and know nothing of each other.

    Attributes:
        scene: Composed with the robot attached; it never changes.
        robot: Carries the grasps out.
    """

    def __init__(self, scene: Scene, robot: Robot) -> None:
        self.scene, self.robot = scene, robot
        # A copy, because friction and gravity are changed.
        self.model = copy(scene.model)
        self.data = mujoco.MjData(self.model)
        fingers = [self.model.body(name).id for name in robot.fingers]
        # 0 or 1 for a geom of a finger, -1 for any other.
        self.finger_of = np.array([fingers.index(body) if body in fingers else -1 for body in self.model.geom_bodyid])
        self.arm = np.array([self.model.actuator(name).id for name in robot.actuators])
        self.joints = np.array([self.model.joint(name).qposadr[0] for name in robot.joints])

    def reset(self, friction: float) -> None:
        """The settled scene again, at rest, with this factor on every object's friction."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:] = self.scene.state
        objects = self.scene.object_of > 0
        self.model.geom_friction[objects, 0] = self.scene.model.geom_friction[objects, 0] * friction
        self.model.opt.gravity[:] = self.scene.model.opt.gravity

    def carry_out(
        self, pose: GripperPose, *, target: int, conditions: Conditions | None = None, film: Film | None = None
    ) -> Outcome:
        """Execute a grasp.

        Args:
            pose: Where to, in the base frame, and how far to open.
            target: Index of the object to lift.
            conditions: Friction and errors of this trial; none by default.
            film: Takes pictures on the way.
        """
        conditions = conditions or Conditions()
        try:
            controls = self.robot.solve(self.scene.model, waypoints(pose, conditions))
        except Unreachable:
            return Outcome(False, "unreachable")
        self.reset(conditions.friction)
        self.robot.open_to(self.data, pose.opening)
        run = _Run(self, target, film)
        collided = run.descend(controls[:WAYPOINTS])
        run.close()
        touched = run.parts_between()
        if not collided:
            run.lift(controls[WAYPOINTS - 1 : 2 * WAYPOINTS - 1])
            lifted = run.parts_between()
            touched = lifted or touched
            if lifted:
                run.shake(controls[2 * WAYPOINTS - 2 :])
                run.tilt()
        held = run.parts_between()
        if not collided and held and run.raised() > RAISED * LIFT:
            avoided = {part.name for part in self.scene.placed(target).thing.parts if part.avoid}
            return Outcome(True, None, held, avoided.isdisjoint(held))
        return Outcome(False, cause_of(pose, collided=collided, touched=bool(touched)), touched)


def cause_of(pose: GripperPose, *, collided: bool, touched: bool) -> Cause:
    """Why a grasp that did not lift its target failed."""
    if collided:
        return "too wide" if pose.clamped else "collided"
    return "slipped" if touched else "missed"


def pose_of(grasp: Grasp, scene: Scene, view: View, robot: Robot, *, max_opening: float | None = None) -> GripperPose:
    """Where a grasp in the scene's picture sends the gripper, opened no wider than `max_opening` metres.

    Raises:
        InputError: the picture gives no pose there.
    """
    gripper = replace(robot.gripper, max_opening=max_opening) if max_opening else robot.gripper
    return gripper_pose(
        grasp, picture_size=(scene.camera.width, scene.camera.height), depth=view.depth, camera=scene.camera,
        T_base_camera=scene.T_base_camera, gripper=gripper, clearance=TABLE_CLEARANCE,
    )  # fmt: skip


def try_grasp(
    scene: Scene, view: View, grasp: Grasp | None, *, target: int, robot: Robot, conditions: Conditions,
    max_opening: float | None = None, film: Film | None = None,
) -> Outcome:  # fmt: skip
    """A grasp in the scene's picture, carried out; where it leads nowhere, unreachable; without one, not lifted."""
    if grasp is None:
        return Outcome(False, "no grasp")
    try:
        pose = pose_of(grasp, scene, view, robot, max_opening=max_opening)
    except InputError:
        return Outcome(False, "unreachable")
    return carry_out(scene, pose, target=target, robot=robot, conditions=conditions, film=film)


def waypoints(pose: GripperPose, conditions: Conditions) -> np.ndarray:
    """Poses (n, 4, 4) in the base frame: down to the grasp, up again, `WAYPOINTS` each, and the shake's four ends."""
    grasp = pose.T_base_gripper.copy()
    cosine, sine = math.cos(conditions.turn), math.sin(conditions.turn)
    grasp[:3, :3] = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ grasp[:3, :3]
    grasp[:3, 3] += conditions.shift
    back = pose.approach[:3, 3] - pose.T_base_gripper[:3, 3]
    steps = [(back * share) for share in np.linspace(1, 0, WAYPOINTS)]
    steps += [np.array([0, 0, LIFT * share]) for share in np.linspace(0, 1, WAYPOINTS)[1:]]
    top = np.array([0, 0, LIFT])
    steps += [top + np.array([SHAKE_REACH * x, SHAKE_REACH * y, 0]) for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    poses = np.repeat(grasp[None], len(steps), axis=0)
    poses[:, :3, 3] += np.array(steps)
    return poses


class _Run:
    """The simulation of one trial; its steps are its methods, in the order they are called."""

    def __init__(self, stage: Stage, target: int, film: Film | None) -> None:
        self.stage, self.film, self.target = stage, film, stage.scene.placed(target)
        self.model, self.data, self.robot, self.arm = stage.model, stage.data, stage.robot, stage.arm
        self.start_height = 0.0

    def descend(self, controls: np.ndarray) -> bool:
        """From the approach pose down to the grasp; whether something was in the way."""
        self.data.qpos[self.stage.joints] = self.data.ctrl[self.arm] = controls[0]
        mujoco.mj_forward(self.model, self.data)
        self.start_height = self.height()
        self.photograph("approach")
        self.follow(controls, DESCEND_SECONDS)
        self.follow(controls[-1:], HOLD_SECONDS)
        self.photograph("at the grasp")
        return self.lag() > BLOCKED

    def close(self) -> None:
        for share in np.linspace(0, 1, 10):
            self.robot.close(self.data, float(share))
            self.step(CLOSE_SECONDS / 10)
        self.step(HOLD_SECONDS)
        self.photograph("closed")

    def lift(self, controls: np.ndarray) -> None:
        self.follow(controls, LIFT_SECONDS)
        self.follow(controls[-1:], HOLD_SECONDS)
        self.photograph("lifted")

    def shake(self, controls: np.ndarray) -> None:
        """To and fro along x, then along y; `controls` is the middle and the ends +x, -x, +y, -y."""
        middle, pause = controls[0], self.model.opt.timestep
        steps = range(round(SHAKE_SECONDS / pause))
        swing = np.array([math.sin(2 * math.pi * SHAKE_HERTZ * step * pause) for step in steps])
        for ends in (controls[1:3], controls[3:5]):
            self.drive(middle + (ends[0] - ends[1]) / 2 * swing[:, None])
            self.data.ctrl[self.arm] = middle
            self.step(HOLD_SECONDS)
        self.photograph("shaken")

    def tilt(self) -> None:
        """Gravity leans to four sides: the same as leaning the hand, for any robot."""
        down = -float(np.linalg.norm(self.model.opt.gravity))
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            self.model.opt.gravity[:] = [
                -down * math.sin(TILT) * x, -down * math.sin(TILT) * y, down * math.cos(TILT),
            ]  # fmt: skip
            self.step(TILT_SECONDS)
        self.model.opt.gravity[:] = [0, 0, down]
        self.photograph("held")

    def follow(self, controls: np.ndarray, seconds: float) -> None:
        """Move the arm's targets through rows of controls at an even pace: jumps would knock things over."""
        steps = round(seconds / self.model.opt.timestep)
        at = np.arange(1, steps + 1) / steps * (len(controls) - 1)
        self.drive(np.column_stack([np.interp(at, np.arange(len(controls)), column) for column in controls.T]))

    def drive(self, targets: np.ndarray) -> None:
        """One step for each row of the arm's targets."""
        ctrl, arm, model, data, film = self.data.ctrl, self.arm, self.model, self.data, self.film
        for row in targets:
            ctrl[arm] = row
            mujoco.mj_step(model, data)
            if film is not None:
                film.watch(model, data)

    def step(self, seconds: float) -> None:
        steps = round(seconds / self.model.opt.timestep)
        if self.film is None:
            mujoco.mj_step(self.model, self.data, steps)
            return
        for _ in range(steps):
            mujoco.mj_step(self.model, self.data)
            self.film.watch(self.model, self.data)

    def height(self) -> float:
        return float(self.data.xipos[self.target.body][2])

    def raised(self) -> float:
        return self.height() - self.start_height

    def lag(self) -> float:
        """How much higher the hand stands than its target, metres."""
        return self.robot.lag(self.data)

    def parts_between(self) -> tuple[str, ...]:
        """Names of the target's parts that either finger touches; none unless both touch the target."""
        touched: list[set[int]] = [set(), set()]
        scene, geoms = self.stage.scene, self.data.contact.geom.T
        for own, other in (geoms, geoms[::-1]):
            fingers = np.where(scene.object_of[other] == self.target.index, self.stage.finger_of[own], -1)
            for finger, parts in enumerate(touched):
                parts.update(scene.part_of[other[fingers == finger]].tolist())
        return tuple(sorted({self.target.parts[part] for part in touched[0] | touched[1]})) if all(touched) else ()

    def photograph(self, phase: str) -> None:
        if self.film is not None:
            self.film.mark(self.model, self.data, phase)
