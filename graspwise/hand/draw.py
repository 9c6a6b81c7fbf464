"""What a person sees of a grasp: a picture of the hand on the object, and a glb file to turn round."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import graspwise.sim  # noqa: F401, before MuJoCo, which draws without a screen by it

# isort: split
import mujoco
import numpy as np
from PIL import Image
from scipy.sparse import csr_array

from graspwise.files import replacing
from graspwise.hand.mesh import Solid
from graspwise.hand.model import Posed
from graspwise.hand.surface import library

BACKGROUND = (0.95, 0.95, 0.96)
SKIN = (0.87, 0.66, 0.55, 1.0)
# Of an object's parts, in turn; the last is of faces that are of none.
PARTS = np.array([
    (92, 132, 178), (204, 148, 64), (116, 160, 108), (158, 120, 168), (178, 108, 102), (102, 158, 158), (158, 158, 163)
], np.uint8)  # fmt: skip
# The camera's field of view from top to bottom; faces at a sharper angle than EDGE meet in an edge.
FIELD, EDGE = math.radians(35), math.radians(40)
# Directions among which the view that hides least is looked for, and the size of picture it is looked for in.
TURNS, LIFTS, LOOK = range(0, 360, 45), (25, -20), 96


@dataclass(frozen=True)
class View:
    """Where a picture is taken from, in the object's frame with z up; from so far that all is in it.

    Attributes:
        azimuth: Direction looked in, radians, counter-clockwise from above; 0 is along x.
        elevation: Of the camera above the horizon, radians.
    """

    azimuth: float
    elevation: float


def picture(
    solid: Solid, posed: Posed, faces: np.ndarray, *, view: View | None = None, size: tuple[int, int] = (640, 480)
) -> Image.Image:
    """The hand on the object, each of its parts in a colour of its own.

    Args:
        solid: The object.
        posed: One hand, in the object's frame.
        faces: (F, 3) of the hand.
        view: None takes, of sixteen, the one that shows most of hand and object.
        size: Width and height, pixels.
    """
    vertices = one_hand(posed)
    points = np.concatenate([vertices, solid.vertices])
    model = scene_of(solid, vertices, faces, extent=float(np.ptp(points, axis=0).max()), size=size)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    camera = camera_at(view or best_view(model, data, points), points, size=size)
    with mujoco.Renderer(model, size[1], size[0]) as renderer:
        renderer.update_scene(data, camera)
        return Image.fromarray(renderer.render().copy())


def write_glb(path: Path | str, solid: Solid, posed: Posed, faces: np.ndarray) -> None:
    """A glTF binary file of the two nodes `object` and `hand`, metres, in the frame of the object's own file.

    Args:
        path: Ends in .glb.
        solid: The object; its vertices are written as they are.
        posed: One hand, in the object's frame.
        faces: (F, 3) of the hand.

    Raises:
        InputError: trimesh is not installed.
    """
    trimesh = library("trimesh")

    def mesh(vertices: np.ndarray, triangles: np.ndarray, colour: tuple[float, ...]) -> Any:
        material = trimesh.visual.material.PBRMaterial(
            baseColorFactor=colour, metallicFactor=0.0, roughnessFactor=0.8, doubleSided=True
        )
        look = trimesh.visual.TextureVisuals(material=material)
        return trimesh.Trimesh(vertices, triangles, visual=look, process=False)

    scene = trimesh.Scene()
    parts = {
        "object": mesh(solid.vertices, solid.faces, (*(PARTS[0] / 255).tolist(), 1.0)),
        "hand": mesh(one_hand(posed), faces, SKIN),
    }
    for name, part in parts.items():
        scene.add_geometry(part, node_name=name, geom_name=name)
    with replacing(path) as temporary:
        temporary.write_bytes(scene.export(file_type="glb"))


def one_hand(posed: Posed) -> np.ndarray:
    """Vertices (V, 3) of the only hand there is."""
    (vertices,) = posed.vertices.detach().cpu().double().numpy()
    return np.asarray(vertices)


def scene_of(
    solid: Solid, vertices: np.ndarray, faces: np.ndarray, *, extent: float, size: tuple[int, int]
) -> mujoco.MjModel:
    """Both meshes and a light; nothing moves in it."""
    spec = mujoco.MjSpec()
    spec.visual.global_.offwidth, spec.visual.global_.offheight = max(size[0], LOOK), max(size[1], LOOK)
    spec.visual.global_.fovy = math.degrees(FIELD)
    spec.visual.map.znear = 0.01
    spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.35] * 3, [0.45] * 3
    spec.visual.headlight.specular = [0.1] * 3
    spec.stat.extent = extent
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=BACKGROUND, rgb2=BACKGROUND, width=8, height=48,
    )  # fmt: skip
    # No shadows: on things of this size they are as rough as the things.
    sun = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    spec.worldbody.add_light(type=sun, dir=[-0.3, -0.4, -1.0], diffuse=[0.45] * 3, castshadow=False)
    # A texel a part, since MuJoCo knows no colours of faces.
    palette = spec.add_texture(
        name="parts", type=mujoco.mjtTexture.mjTEXTURE_2D, width=len(PARTS), height=1, nchannel=3
    )
    palette.data = PARTS.tobytes()
    spec.add_material(name="parts").textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "parts"
    texels = np.where(solid.face_parts < 0, len(PARTS) - 1, solid.face_parts % (len(PARTS) - 1))
    middles = np.stack([(texels + 0.5) / len(PARTS), np.full(len(texels), 0.5)], axis=1)
    shell = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
    # Each corner is a vertex of its own, since a vertex has one normal and one texel.
    spec.add_mesh(
        name="object", uservert=solid.vertices[solid.faces].ravel().tolist(), inertia=shell,
        userface=np.arange(solid.faces.size).tolist(),
        usernormal=corner_normals(solid.vertices, solid.faces).ravel().tolist(),
        usertexcoord=np.repeat(middles, 3, axis=0).ravel().tolist(),
    )  # fmt: skip
    spec.add_mesh(name="hand", uservert=vertices.ravel().tolist(), userface=faces.ravel().tolist(), inertia=shell)
    spec.worldbody.add_geom(name="object", type=mujoco.mjtGeom.mjGEOM_MESH, meshname="object", material="parts")
    spec.worldbody.add_geom(name="hand", type=mujoco.mjtGeom.mjGEOM_MESH, meshname="hand", rgba=SKIN)
    return spec.compile()


def corner_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Normal (3 F, 3) of each corner of each face, of the faces around it that bend away by less than an edge does."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    across = np.cross(b - a, c - a)
    flat = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-18)
    numbers = np.repeat(np.arange(len(faces)), 3)
    around = csr_array((np.ones(faces.size), (faces.ravel(), numbers)), shape=(len(vertices), len(faces)))
    corner, face = around[faces.ravel()].nonzero()
    smooth = (flat[numbers[corner]] * flat[face]).sum(1) > math.cos(EDGE)
    kept = (np.ones(smooth.sum()), (corner[smooth], face[smooth]))
    normals = csr_array(kept, shape=(faces.size, len(faces))) @ across
    # A face without area has no normal of its own.
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(lengths > 0, normals / np.maximum(lengths, 1e-18), (0.0, 0.0, 1.0))


def best_view(model: mujoco.MjModel, data: mujoco.MjData, points: np.ndarray) -> View:
    """The direction from which most is seen of that one, hand or object, of which less is seen."""
    views = [View(math.radians(turn), math.radians(lift)) for lift in LIFTS for turn in TURNS]
    shown = []
    with mujoco.Renderer(model, LOOK, LOOK) as renderer:
        renderer.enable_segmentation_rendering()
        for view in views:
            renderer.update_scene(data, camera_at(view, points, size=(LOOK, LOOK)))
            geoms = renderer.render()[:, :, 0]
            shown.append(min(np.count_nonzero(geoms == model.geom(name).id) for name in ("object", "hand")))
    return views[int(np.argmax(shown))]


def camera_at(view: View, points: np.ndarray, *, size: tuple[int, int]) -> mujoco.MjvCamera:
    """The camera as near as lets it see all the points (N, 3), with a little room around."""
    middle = (points.min(0) + points.max(0)) / 2
    turn, lift = view.azimuth, -view.elevation
    forward = np.array([math.cos(turn) * math.cos(lift), math.sin(turn) * math.cos(lift), math.sin(lift)])
    right = np.array([math.sin(turn), -math.cos(turn), 0.0])
    tall = math.tan(FIELD / 2)
    aside = [
        np.abs((points - middle) @ axis) / half
        for axis, half in ((right, tall * size[0] / size[1]), (np.cross(right, forward), tall))
    ]
    camera = mujoco.MjvCamera()
    camera.lookat[:] = middle
    camera.distance = float((1.08 * np.maximum(*aside) - (points - middle) @ forward).max())
    camera.azimuth, camera.elevation = math.degrees(turn), math.degrees(lift)
    return camera
