"""Things as bodies of a MuJoCo model: their pieces, masses, materials and looks."""

import math

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from graspwise.sim.paint import texture
from graspwise.sim.shapes import Look, Paint, Piece, SimObject

# Pieces whose part has a look of its own only collide: MuJoCo draws no group above 2 unless told to.
GROUP_TABLE, GROUP_OBJECTS, GROUP_UNSEEN, GROUP_ROBOT = 0, 1, 3, 4
GEOM_TYPES = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
    "ellipsoid": mujoco.mjtGeom.mjGEOM_ELLIPSOID,
}


def add_object(
    spec: mujoco.MjSpec, thing: SimObject, *, name: str, position: np.ndarray, turn: Rotation, rng: np.random.Generator
) -> None:
    """A free body made of the thing's pieces, its mass spread by their volume."""
    body = spec.worldbody.add_body(name=name, pos=position.tolist(), quat=turn.as_quat(scalar_first=True).tolist())
    body.add_freejoint()
    volume = sum(volume_of(piece) for part in thing.parts for piece in part.pieces)
    materials: dict[Paint, str] = {}
    for number, part in enumerate(thing.parts):
        if part.look is not None:
            add_look(spec, body, part.look, name=f"{name}/{number}/look")
        for count, piece in enumerate(part.pieces):
            if piece.paint not in materials:
                materials[piece.paint] = add_material(spec, piece.paint, name=f"{name}/{len(materials)}", rng=rng)
            geom = {
                "name": f"{name}/{number}/{count}", "pos": [*piece.position], "quat": np.roll(piece.turn, 1).tolist(),
                "material": materials[piece.paint], "density": thing.mass / volume, "condim": 4, "priority": 1,
                "friction": [thing.friction, 0.01, 0.0005], "group": GROUP_UNSEEN if part.look else GROUP_OBJECTS,
                "solref": [0.005, 1.0],  # Stiff, or pads sink millimetres into thin things.
            }  # fmt: skip
            if piece.kind == "hull":
                spec.add_mesh(name=geom["name"], uservert=np.array(piece.points).ravel().tolist(),
                              inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX)  # fmt: skip
                body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=geom["name"], **geom)
            else:
                body.add_geom(type=GEOM_TYPES[piece.kind], size=[*piece.size, 0, 0][:3], **geom)


def add_look(spec: mujoco.MjSpec, body: mujoco.MjsBody, look: Look, *, name: str) -> None:
    """A surface with a picture on it that nothing bumps into and that weighs nothing."""
    height, width, _ = look.picture.shape
    texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height, nchannel=3)
    texture.data = look.picture.tobytes()
    material = spec.add_material(name=name, specular=0.2, shininess=0.4)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    uv = look.uv * (1, -1) + (0, 1)  # MuJoCo counts v from the picture's top.
    spec.add_mesh(name=name, uservert=look.vertices.ravel().tolist(), userface=look.faces.ravel().tolist(),
                  usertexcoord=uv.ravel().tolist(), inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)  # fmt: skip
    body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, material=name, group=GROUP_OBJECTS,
                  mass=0.0, contype=0, conaffinity=0)  # fmt: skip


def volume_of(piece: Piece) -> float:
    """Cubic metres."""
    if piece.kind == "hull":
        from scipy.spatial import ConvexHull

        return float(ConvexHull(np.array(piece.points)).volume)
    a, b, c = [*piece.size, 0.0, 0.0][:3]
    if piece.kind == "box":
        return 8 * a * b * c
    if piece.kind == "ellipsoid":
        return 4 / 3 * math.pi * a * b * c
    ends = 4 / 3 * math.pi * a**3 if piece.kind == "capsule" else 0.0
    return 2 * math.pi * a**2 * b + ends


def add_material(spec: mujoco.MjSpec, paint: Paint, *, name: str, rng: np.random.Generator, flat: bool = False) -> str:
    """A material with a picture of its own; `flat` lays the picture over the x-y plane, else it wraps around."""
    side = 512 if flat else 128
    picture = texture(paint, rng=rng, side=side)
    kind = mujoco.mjtTexture.mjTEXTURE_2D if flat else mujoco.mjtTexture.mjTEXTURE_CUBE
    faces = picture if flat else np.concatenate([picture] * 6)
    added = spec.add_texture(name=name, type=kind, width=side, height=faces.shape[0], nchannel=3)
    added.data = faces.tobytes()
    material = spec.add_material(name=name, specular=paint.shine, shininess=0.3 + 0.5 * paint.shine,
                                 rgba=[1, 1, 1, paint.opacity], texrepeat=[2, 2] if flat else [1, 1])  # fmt: skip
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    return name
