"""Folders of scenes to wish about: simulation's and GraspNet-1Billion's, with drawn things whose labels are known."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from graspwise.files import write_json, write_text
from graspwise.grasp import Grasp
from graspwise.rectangle import GraspRectangle

SIZE = (160, 120)
# A thing is a block of 30 x 20 pixels; its first part is its left third.
PLACES = ((20, 20), (90, 20), (20, 80), (90, 80))
BLOCK = (30, 20)


@dataclass(frozen=True)
class Drawn:
    """A thing as scenes tell of it: its category, and its parts with whether they should be left alone."""

    category: str
    material: str = "plastic"
    parts: tuple[tuple[str, bool], ...] = (("handle", False), ("body", False))
    set: str = "train"


MUG = Drawn("mug", "ceramic")
SCISSORS = Drawn("scissors", "steel", (("handles", False), ("blades", True)))
HAMMER = Drawn("hammer", "steel", (("head", False), ("handle", False)))
BOWL = Drawn("bowl", "ceramic", (("rim", False), ("body", False)))


def write_sim_scene(folder: Path, things: Sequence[Drawn], *, rows: Sequence[dict[str, object]] | None = None) -> Path:
    """A scene of `dataset build sim`; every part has one right grasp, unless other label rows are given."""
    width, height = SIZE
    rgb = np.full((height, width, 3), 200, np.uint8)
    objects, parts = (np.zeros((height, width), np.uint8) for _ in range(2))
    entries, labels, number = [], [], 0
    for index, (thing, (x, y)) in enumerate(zip(things, PLACES, strict=False), start=1):
        told = []
        for place, (name, avoid) in enumerate(thing.parts):
            number += 1
            left, right = (x, x + 10) if place == 0 else (x + 10, x + BLOCK[0])
            parts[y : y + BLOCK[1], left:right] = number
            told.append({"name": name, "index": number, "avoid": avoid})
            grasp = Grasp(
                x=(left + right) / 2 / width, y=(y + BLOCK[1] / 2) / height, theta=math.pi / 2, opening=0.2, jaw=0.05
            )
            labels.append(label(index, grasp, parts=[name], allowed=not avoid))
        objects[y : y + BLOCK[1], x : x + BLOCK[0]] = index
        rgb[y : y + BLOCK[1], x : x + BLOCK[0]] = (40 * index, 60, 255 - 40 * index)
        entries.append(
            {
                "name": thing.category, "index": index, "category": thing.category,
                "description": f"red {thing.category}", "material": thing.material, "use": "", "parts": told,
                "visible_pixels": BLOCK[0] * BLOCK[1],
            }
        )  # fmt: skip
    write_json(folder / "scene.json", {"seed": 0, "objects": entries, "facts": []})
    ids = [f"{thing.set}/{thing.category}-{index:02d}" for index, thing in enumerate(things)]
    write_json(
        folder / "labels.json", {"object_ids": ids, "image_size": SIZE, "labels": labels if rows is None else rows}
    )
    Image.fromarray(rgb).save(folder / "rgb.png")
    Image.fromarray(objects).save(folder / "objects.png")
    Image.fromarray(parts).save(folder / "parts.png")
    Image.fromarray(np.full((height, width), 700, np.uint16)).save(folder / "depth.png")
    write_text(folder / "camera.yaml", "width: 160\n")
    return folder


def label(index: int, grasp: Grasp, **changes: object) -> dict[str, object]:
    """A row of labels.json."""
    return {
        "index": index, "grasp": asdict(grasp), "width": 0.03, "rate": 1.0, "trials": 4, "parts": ["handle"],
        "allowed": True, "causes": [], **changes,
    }  # fmt: skip


def rect_row(rectangle: GraspRectangle, *, score: float, object_id: int) -> list[float]:
    """A row of GraspNet's `rect`: centre, middle of the jaw plate 1-2, plate length, score, object id."""
    open_point = rectangle.corners[1:3].mean(axis=0)
    return [*rectangle.center, *open_point, rectangle.jaw, score, object_id]


def write_graspnet_frame(
    root: Path,
    *,
    scene: int = 0,
    camera: str = "kinect",
    frame: int = 0,
    meshes: Sequence[tuple[int, str]] = ((0, "003_cracker_box"), (7, "025_mug")),
    rows: Sequence[Sequence[float]] | None = None,
) -> Path:
    """A frame in GraspNet-1Billion's layout, of 160 x 120 pixels; two rectangles a thing unless rows are given."""
    folder = root / "scenes" / f"scene_{scene:04d}" / camera
    for name in ("rgb", "depth", "label", "annotations", "rect", "meta"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    width, height = SIZE
    rgb, mask = np.full((height, width, 3), 90, np.uint8), np.zeros((height, width), np.uint8)
    made: list[Sequence[float]] = []
    xml = []
    for (object_id, mesh), (x, y) in zip(meshes, PLACES, strict=False):
        mask[y : y + BLOCK[1], x : x + BLOCK[0]] = object_id + 1
        rgb[y : y + BLOCK[1], x : x + BLOCK[0]] = (200, 20 * object_id % 255, 80)
        for shift in (8, 22):
            rectangle = GraspRectangle.from_pose(
                center=(x + shift, y + BLOCK[1] / 2), theta=math.pi / 2, opening=30, jaw=8
            )
            made.append(rect_row(rectangle, score=0.9, object_id=object_id))
        xml.append(
            f"<obj><obj_id>{object_id}</obj_id><obj_name>{mesh}.ply</obj_name><obj_path>models/{mesh}.ply</obj_path>"
            "<pos_in_world>0.1 0.0 0.5</pos_in_world><ori_in_world>1.0 0.0 0.0 0.0</ori_in_world></obj>"
        )
    number = f"{frame:04d}"
    Image.fromarray(rgb).save(folder / "rgb" / f"{number}.png")
    Image.fromarray(np.full((height, width), 500, np.uint16)).save(folder / "depth" / f"{number}.png")
    Image.fromarray(mask).save(folder / "label" / f"{number}.png")
    write_text(folder / "annotations" / f"{number}.xml", f"<?xml version='1.0' ?>\n<scene>{''.join(xml)}</scene>\n")
    np.save(folder / "rect" / f"{number}.npy", np.array(made if rows is None else rows, np.float32).reshape(-1, 7))
    np.save(folder / "camK.npy", np.array([[631.5, 0, 80], [0, 631.2, 60], [0, 0, 1]]))
    ids = "\n".join(str(object_id) for object_id, _ in meshes)
    write_text(root / "scenes" / f"scene_{scene:04d}" / "object_id_list.txt", ids + "\n")
    return folder
