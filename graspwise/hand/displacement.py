"""Does the object stay in the hand: a hand that cannot move, an object that is free, gravity, MuJoCo.

Metres, kilograms, seconds. The object is convex pieces. The hand is small balls right under its skin: convex hulls of
its bones would fill the palm and the web of the thumb by several millimetres.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import graspwise.sim  # noqa: F401, before MuJoCo, which draws without a screen by it

# isort: split
import mujoco
import numpy as np
from scipy.spatial import ConvexHull, QhullError

from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.surface import library
from graspwise.sim.convex import MOST_HULLS
from graspwise.sim.mesh_files import hulls_of

# What OakInk's evaluation simulates: 35 steps of 1/240 s, a body of 1 kg, friction 3.
PUBLISHED_SECONDS = 35 / 240
MASS, FRICTION = 1.0, 3.0
SECONDS = 2.0
GRAVITY = 9.8
TIMESTEP = 0.002
# Farther away than this, metres, it is gone, and the simulation ends.
GONE = 0.5
LOOKS = 10
# Radii of the balls under the skin, metres: the largest that fits, and how far it may stand out.
BALLS = (0.004, 0.003, 0.002, 0.0015, 0.001, 0.0005)
STANDS_OUT = 0.0002
# Pieces thinner than this are no bodies, metres.
THIN = 1e-4


@dataclass(frozen=True)
class Displacement:
    """How far the object's centre of mass has moved from where it was, metres.

    Attributes:
        published: After `PUBLISHED_SECONDS`, which is what papers print; a free fall is 0.104 m.
        held: After `SECONDS`, at most `GONE`: report how many stay within a limit, and no mean.
    """

    published: float
    held: float


def object_pieces(solid: Solid, *, most: int = MOST_HULLS) -> list[np.ndarray]:
    """Corners (k, 3) of convex bodies that fill a solid, in its frame; some seconds, so keep them for all its grasps.

    Of a thing of the simulator, `[piece.cloud() for part in thing.parts for piece in part.pieces]` is exact.

    Raises:
        ValueError: it has no volume.
    """
    return hulls_of(library("trimesh").Trimesh(solid.vertices, solid.faces), most=most)


def skin_balls(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (n, 3) and radii (n,), metres, of balls that touch a hand's skin (V, 3), (F, 3) from within.

    One under every vertex, as large as there is room. Between vertices that are 5 mm apart the skin then sinks in by
    up to 0.9 mm.
    """
    vertices = np.asarray(vertices, np.float64)
    a, b, c = vertices[faces].transpose(1, 0, 2)
    normals = np.zeros_like(vertices)
    np.add.at(normals, faces, np.cross(b - a, c - a)[:, None])
    length = np.linalg.norm(normals, axis=1)
    points, normals = vertices[length > 0], normals[length > 0] / length[length > 0, None]
    skin = Distance(Solid("hand", vertices, faces, (), np.full(len(faces), -1)))
    radii = np.full(len(points), BALLS[-1])
    for radius in BALLS[-2::-1]:
        radii[skin.signed(points - radius * normals) < STANDS_OUT - radius] = radius
    return points - radii[:, None] * normals, radii


def simulation_displacement(
    hand_vertices: np.ndarray, hand_faces: np.ndarray, pieces: Sequence[np.ndarray], *, mass: float = MASS,
    friction: float = FRICTION, down: Sequence[float] = (0.0, 0.0, -1.0), seconds: float = SECONDS,
) -> Displacement:  # fmt: skip
    """SIM.D, metres: how far gravity moves an object that a stiff hand holds.

    Hasson et al. 2019 with Bullet; here with MuJoCo, whose contacts do not bounce. What overlaps at the start is
    pushed apart, and what is pushed from several sides is held the firmer: read it together with the penetration. An
    object that the simulator cannot solve for has fallen.

    Args:
        hand_vertices: Array (V, 3) of the posed hand, metres.
        hand_faces: Array (F, 3), outward.
        pieces: Of `object_pieces`, in the same frame.
        mass: Of the object, kilograms, spread evenly over the pieces.
        friction: Sliding friction coefficient between hand and object.
        down: Where gravity pulls, (3,) in the same frame.
        seconds: After which `held` is measured; not less than `PUBLISHED_SECONDS`.

    Raises:
        ValueError: no piece of the object is a body.
    """
    model = _model(skin_balls(hand_vertices, hand_faces), pieces, mass=mass, friction=friction)
    model.opt.gravity[:] = GRAVITY * np.asarray(down) / np.linalg.norm(down)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    body = model.body("object").id
    start = data.xipos[body].copy()
    moved, steps = [], 0
    later = np.linspace(0, seconds, LOOKS + 1)
    for time in (PUBLISHED_SECONDS, *later[later > PUBLISHED_SECONDS]):
        mujoco.mj_step(model, data, round(time / TIMESTEP) - steps)
        steps = round(time / TIMESTEP)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        far = float(np.linalg.norm(data.xipos[body] - start))
        lost = data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number or not np.isfinite(far)
        moved.append(GRAVITY * time**2 / 2 if lost else far)
        if lost or far > GONE:
            return Displacement(moved[0], GONE)
    return Displacement(moved[0], moved[-1])


def _model(
    balls: tuple[np.ndarray, np.ndarray], pieces: Sequence[np.ndarray], *, mass: float, friction: float
) -> mujoco.MjModel:
    solid = [piece for piece in pieces if _is_body(piece)]
    if not solid:
        raise ValueError("no piece of the object has a volume")
    spec = mujoco.MjSpec()
    spec.option.timestep = TIMESTEP
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    # Stiff friction, or what is held creeps out of the hand.
    spec.option.impratio = 100
    # A simulation that fails must not start again from the grasp.
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    contact = {"condim": 4, "friction": [friction, 0.01, 0.0001], "solref": [0.01, 1.0]}
    volume = sum(ConvexHull(piece).volume for piece in solid)
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint()
    for number, piece in enumerate(solid):
        spec.add_mesh(
            name=f"{number}", uservert=np.ascontiguousarray(piece, np.float64).ravel().tolist(),
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX,
        )  # fmt: skip
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=f"{number}", density=mass / volume, contype=1, conaffinity=2,
            **contact,
        )  # fmt: skip
    for centre, radius in zip(*balls, strict=True):
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_SPHERE, pos=centre.tolist(), size=[radius, 0, 0], contype=2, conaffinity=1,
            **contact,
        )  # fmt: skip
    return spec.compile()


def _is_body(corners: np.ndarray) -> bool:
    """Whether the corners' hull is thick enough to collide."""
    if len(corners) < 4 or np.linalg.svd(corners - corners.mean(axis=0), compute_uv=False)[2] < THIN:
        return False
    try:
        return ConvexHull(corners).volume > 0
    except QhullError:
        return False
