"""What the scene's camera sees: colour, depth, masks of objects and of parts; and a scene as a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from PIL import Image

from graspwise.files import write_json, write_text
from graspwise.picture import open_picture
from graspwise.sim.bodies import GROUP_ROBOT
from graspwise.sim.facts import scene_facts
from graspwise.sim.scene import Scene


@dataclass(frozen=True)
class View:
    """One look at a scene, pixel by pixel aligned.

    Attributes:
        rgb: (height, width, 3) uint8.
        depth: (height, width) float32, metres along the optical axis.
        objects: (height, width) uint8, each object's index, 0 is the table.
        parts: (height, width) uint8, each part's index in the scene, 0 is the table.
    """

    rgb: np.ndarray
    depth: np.ndarray
    objects: np.ndarray
    parts: np.ndarray


def render(scene: Scene) -> View:
    """The settled scene without its robot."""
    options = mujoco.MjvOption()
    options.geomgroup[GROUP_ROBOT] = 0
    data = scene.data()
    with mujoco.Renderer(scene.model, scene.camera.height, scene.camera.width) as renderer:
        renderer.update_scene(data, "camera", options)
        rgb = renderer.render().copy()
        renderer.enable_depth_rendering()
        renderer.update_scene(data, "camera", options)
        depth = renderer.render().copy()
        renderer.disable_depth_rendering()
        renderer.enable_segmentation_rendering()
        renderer.update_scene(data, "camera", options)
        numbers, kinds = np.moveaxis(renderer.render(), 2, 0)
    geom = np.where(kinds == mujoco.mjtObj.mjOBJ_GEOM, numbers, -1)
    # The last entry stands for what is no geom.
    objects, parts = np.append(scene.object_of, 0), np.append(scene.part_of, 0)
    return View(rgb, depth, objects[geom].astype(np.uint8), parts[geom].astype(np.uint8))


def write_scene(folder: Path, scene: Scene, view: View) -> None:
    """`rgb.png`, `depth.png` (uint16, mm), `objects.png`, `parts.png`, `camera.yaml`, `scene.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(view.rgb).save(folder / "rgb.png")
    Image.fromarray(np.rint(view.depth * 1000).astype(np.uint16)).save(folder / "depth.png")
    Image.fromarray(view.objects).save(folder / "objects.png")
    Image.fromarray(view.parts).save(folder / "parts.png")
    write_text(folder / "camera.yaml", scene.camera.to_yaml(T_base_camera=scene.T_base_camera, depth_unit="mm"))
    write_json(folder / "scene.json", scene_json(scene, view))


def read_view(folder: Path) -> View:
    """The pictures of a scene's folder as a depth camera would give them: whole millimetres.

    Raises:
        InputError: one is missing or damaged.
    """
    picture = open_picture(folder / "rgb.png", depth_path=folder / "depth.png")
    assert picture.depth is not None
    masks = [np.asarray(Image.open(folder / f"{name}.png")) for name in ("objects", "parts")]
    return View(picture.rgb, picture.depth, *masks)


def scene_json(scene: Scene, view: View) -> dict[str, Any]:
    """What is where, and the facts about it in words."""
    data = scene.data()
    return {
        "seed": scene.seed,
        "objects": [
            {
                "name": placed.thing.name,
                "index": placed.index,
                "category": placed.thing.category,
                "description": placed.thing.description,
                "material": placed.thing.material,
                "use": placed.thing.use,
                "mass": placed.thing.mass,
                "friction": placed.thing.friction,
                "parts": [
                    {"name": part.name, "index": index, "avoid": part.avoid}
                    for part, index in zip(placed.thing.parts, placed.parts, strict=True)
                ],
                "position": np.round(data.xpos[placed.body], 5).tolist(),
                "quaternion_xyzw": np.round(np.roll(data.xquat[placed.body], -1), 6).tolist(),
                "visible_pixels": int((view.objects == placed.index).sum()),
            }
            for placed in scene.objects
        ],
        "facts": scene_facts([placed.thing for placed in scene.objects], middles(scene, view)),
    }


def middles(scene: Scene, view: View) -> Sequence[tuple[float, float] | None]:
    """Middle of each object's visible pixels (x, y); None where it is hidden."""
    found: list[tuple[float, float] | None] = []
    for placed in scene.objects:
        y, x = np.nonzero(view.objects == placed.index)
        found.append((float(x.mean()), float(y.mean())) if len(x) else None)
    return found
