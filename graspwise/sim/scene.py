"""A table with things on it under a camera and lamps: composed from a seed, dropped, and left to settle.

World frame: the table's top is z = 0, its middle the origin, z up, x to the camera picture's right, y to its top. The
robot's base frame is this frame.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.robot.camera import Camera
from graspwise.sim.bodies import GROUP_TABLE, add_material, add_object
from graspwise.sim.paint import varied
from graspwise.sim.shapes import Paint, Pattern, SimObject

if TYPE_CHECKING:
    from graspwise.sim.gripper import Robot

SIDE = 400
CAMERA_HEIGHT = 0.75
# Side of the square of table that the camera sees, metres.
VIEW = 0.44
# Objects' middles stay this far inside the view.
MARGIN = 0.075
TIMESTEP = 0.002
SETTLE_SECONDS = 2.5
STILL = 0.02
ATTEMPTS = 30
TABLES: tuple[tuple[Pattern, tuple[float, float, float], tuple[float, float, float]], ...] = (
    ("plain", (0.86, 0.85, 0.82), (1, 1, 1)),
    ("speckle", (0.80, 0.79, 0.77), (0.70, 0.69, 0.67)),
    ("wood", (0.72, 0.56, 0.40), (0.62, 0.46, 0.31)),
    ("wood", (0.83, 0.72, 0.56), (0.76, 0.63, 0.46)),
    ("weave", (0.62, 0.66, 0.70), (0.55, 0.59, 0.64)),
    ("plain", (0.45, 0.48, 0.50), (1, 1, 1)),
    ("plain", (0.93, 0.93, 0.95), (1, 1, 1)),
)


class Unsettled(Exception):
    """The things did not come to rest in view on the table."""


@dataclass(frozen=True)
class Placed:
    """An object in a scene.

    Attributes:
        thing: What it is.
        index: Its value in the mask of objects, 1 and up.
        body: Its body in the model.
        parts: Value in the mask of parts -> name of the part, for its parts.
    """

    thing: SimObject
    index: int
    body: int
    parts: dict[int, str]


@dataclass(frozen=True)
class Scene:
    """A settled scene; simulations start from `state` and never change it.

    Attributes:
        model: MuJoCo model, robot included.
        state: Positions (nq,) of the settled scene.
        objects: In the order they were asked for.
        camera: Intrinsics.
        T_base_camera: Array (4, 4).
        object_of: Array (ngeom,), value in the mask of objects, 0 elsewhere.
        part_of: Array (ngeom,), value in the mask of parts, 0 elsewhere.
        seed: What everything random came from.
    """

    model: mujoco.MjModel
    state: np.ndarray
    objects: tuple[Placed, ...]
    camera: Camera
    T_base_camera: np.ndarray
    object_of: np.ndarray
    part_of: np.ndarray
    seed: int

    def data(self) -> mujoco.MjData:
        """A fresh simulation at the settled state."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = self.state
        mujoco.mj_forward(self.model, data)
        return data

    def placed(self, index: int) -> Placed:
        """The object of that value in the mask of objects."""
        return self.objects[index - 1]


def compose(things: Sequence[SimObject], *, seed: int, robot: "Robot | None" = None) -> Scene:
    """Drop things onto a table and let them settle.

    Args:
        things: One to a dozen; several of a name are allowed.
        seed: Decides places, poses, table, lamps and the camera's last millimetres.
        robot: Put into the model, away from the table.

    Raises:
        Unsettled: something still moves, fell off the table or left the view.
    """
    rng = np.random.default_rng([seed, 71])
    spec = mujoco.MjSpec()
    spec.option.timestep = TIMESTEP
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    # What lies still costs nothing until it is touched: a trial among four things is five times as fast.
    spec.option.enableflags = int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    spec.visual.global_.offwidth = spec.visual.global_.offheight = 800
    spec.visual.quality.shadowsize = 2048
    spec.visual.quality.offsamples = 8
    spec.visual.map.znear, spec.visual.map.zfar = 0.05, 20.0
    spec.stat.extent, spec.stat.center = 1.0, [0, 0, 0]
    add_surroundings(spec, rng)
    camera, T_base_camera = add_camera(spec, rng)
    placed = place(things, rng)
    for index, (thing, position, turn) in enumerate(placed, start=1):
        add_object(spec, thing, name=f"{index}", position=position, turn=turn, rng=rng)
    if robot is not None:
        robot.attach(spec)
    model = spec.compile()
    object_of, part_of = np.zeros(model.ngeom, int), np.zeros(model.ngeom, int)
    objects, part_index = [], 0
    for index, thing in enumerate(things, start=1):
        names = {}
        for number, piece_part in enumerate(thing.parts):
            part_index += 1
            names[part_index] = piece_part.name
            for count in (*range(len(piece_part.pieces)), *(["look"] if piece_part.look else [])):
                geom = model.geom(f"{index}/{number}/{count}").id
                object_of[geom], part_of[geom] = index, part_index
        objects.append(Placed(thing, index, model.body(f"{index}").id, names))
    state = settle(model, objects, robot)
    return Scene(model, state, tuple(objects), camera, T_base_camera, object_of, part_of, seed)


def settled_scene(
    draw: Callable[[], tuple[list[str], list[SimObject]]], *, seed: int, robot: "Robot | None" = None
) -> tuple[list[str], Scene, int]:
    """The first scene that settles: ids as drawn, the scene, and how many were thrown away before it.

    Args:
        draw: Draws ids and things, anew for each attempt.
        seed: Of the first attempt; the next ones count up from it.
        robot: Put into the scene.

    Raises:
        InputError: none of `ATTEMPTS` settles.
    """
    for attempt in range(ATTEMPTS):
        ids, things = draw()
        try:
            return ids, compose(things, seed=seed + attempt, robot=robot), attempt
        except Unsettled as error:
            last = error
    raise InputError(f"--objects: {ATTEMPTS} scenes did not settle, the last because {last}; valid are fewer objects")


def add_surroundings(spec: mujoco.MjSpec, rng: np.random.Generator) -> None:
    """Table, lamps and a pale sky, which the scene's own camera never sees."""
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.93, 0.95, 0.97], rgb2=[0.75, 0.78, 0.82], width=64, height=384,
    )  # fmt: skip
    pattern, first, second = TABLES[rng.integers(len(TABLES))]
    paint = Paint(varied(first, rng), pattern, varied(second, rng))
    material = add_material(spec, paint, name="table", rng=rng, flat=True)
    spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.6, 0.6, 0.05], pos=[0, 0, -0.05], material=material,
        friction=[0.8, 0.01, 0.0005], group=GROUP_TABLE,
    )  # fmt: skip
    ambient, head = rng.uniform(0.32, 0.45), rng.uniform(0.12, 0.25)
    spec.visual.headlight.ambient = [ambient] * 3
    spec.visual.headlight.diffuse = [head] * 3
    spec.visual.headlight.specular = [0.05] * 3
    for number in range(2):
        around, tilt = rng.uniform(0, 2 * math.pi), rng.uniform(0.3, 0.9)
        away = np.array([math.cos(around) * math.sin(tilt), math.sin(around) * math.sin(tilt), math.cos(tilt)])
        warmth = rng.uniform(-0.04, 0.04)
        strength = rng.uniform(0.3, 0.45) if number == 0 else rng.uniform(0.08, 0.2)
        spec.worldbody.add_light(
            pos=(away * 2.0).tolist(), dir=(-away).tolist(), castshadow=number == 0,
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            diffuse=[strength * (1 + warmth), strength, strength * (1 - warmth)], specular=[0.25] * 3,
        )  # fmt: skip


def add_camera(spec: mujoco.MjSpec, rng: np.random.Generator) -> tuple[Camera, np.ndarray]:
    """A camera that looks straight down but for a degree or two, as a mounted one does."""
    tilt = Rotation.from_euler("xyz", rng.normal(0, math.radians(0.7), 3))
    position = np.array([0.0, 0.0, CAMERA_HEIGHT]) + rng.normal(0, 0.004, 3)
    # MuJoCo's camera looks along its -z with y up in the picture; OpenCV's looks along z with y down.
    quaternion = tilt.as_quat(scalar_first=True)
    focal = SIDE * CAMERA_HEIGHT / VIEW
    spec.worldbody.add_camera(
        name="camera", pos=position.tolist(), quat=quaternion.tolist(),
        fovy=math.degrees(2 * math.atan(SIDE / 2 / focal)),
    )  # fmt: skip
    T_base_camera = np.eye(4)
    T_base_camera[:3, :3] = tilt.as_matrix() @ np.diag([1.0, -1.0, -1.0])
    T_base_camera[:3, 3] = position
    middle = (SIDE - 1) / 2
    return Camera(width=SIDE, height=SIDE, fx=focal, fy=focal, cx=middle, cy=middle), T_base_camera


def place(things: Sequence[SimObject], rng: np.random.Generator) -> list[tuple[SimObject, np.ndarray, Rotation]]:
    """A free place, a pose and a heading for each thing; those that find no free place are dropped from above."""
    reach = VIEW / 2 - MARGIN
    taken: list[tuple[np.ndarray, float]] = []
    placed = []
    for count, thing in enumerate(things):
        pose = thing.poses[rng.integers(len(thing.poses))]
        turn = Rotation.from_euler("z", rng.uniform(0, 2 * math.pi)) * Rotation.from_euler("xyz", pose)
        cloud = turn.apply(thing.cloud())
        low, high = cloud.min(axis=0), cloud.max(axis=0)
        radius = float(np.linalg.norm((high - low)[:2])) / 2
        # What stands tall is nearer to the camera, which sees less of its height.
        seen = VIEW / 2 * (1 - float(high[2] - low[2]) / CAMERA_HEIGHT)
        inside = max(seen - 0.01 - float(max((high - low)[:2])) / 2, 0.0)
        best, gap = np.zeros(2), -math.inf
        for _ in range(60):
            spot = rng.uniform(-1, 1, 2) * min(reach, inside)
            room = min((float(np.linalg.norm(spot - other)) - radius - size for other, size in taken), default=1.0)
            if room > gap:
                best, gap = spot, room
            if gap > 0.015:
                break
        taken.append((best, radius))
        # What overlaps another thing in plan waits above it.
        lift = 0.004 if gap > -0.02 else 0.03 + 0.05 * count
        middle = (low + high) / 2
        placed.append((thing, np.array([best[0] - middle[0], best[1] - middle[1], lift - low[2]]), turn))
    return placed


def settle(model: mujoco.MjModel, objects: Sequence[Placed], robot: "Robot | None") -> np.ndarray:
    """Positions (nq,) after the things have come to rest.

    Raises:
        Unsettled: they have not, or one is off the table or out of view.
    """
    data = mujoco.MjData(model)
    if robot is not None:
        robot.park(data)
    # Damped at first, so that what is dropped does not roll away.
    free = np.concatenate([range(model.body_dofadr[p.body], model.body_dofadr[p.body] + 6) for p in objects])
    for step in range(round(SETTLE_SECONDS / model.opt.timestep)):
        mujoco.mj_step(model, data)
        if step * model.opt.timestep < 0.6 * SETTLE_SECONDS:
            data.qvel[free] *= 0.98
    for placed in objects:
        x, y, z = data.xipos[placed.body]
        speed = float(np.abs(data.cvel[placed.body][3:]).max())
        spin = float(np.abs(data.cvel[placed.body][:3]).max())
        if speed > STILL or spin > 10 * STILL or z < -0.01 or max(abs(x), abs(y)) > VIEW / 2:
            raise Unsettled(f"{placed.thing.name} moves or is out of view")
    return data.qpos.copy()
