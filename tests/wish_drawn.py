"""Scenes of coloured blocks in the layout of simulated ones, each thing with a right grasp on each of its parts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from graspwise.conversation import text_of
from graspwise.files import write_json
from graspwise.grasp import Grasp
from graspwise.model.responder import Response
from graspwise.predict import grasp_json

SIDE = 96
# Two parts a thing, left and right half of its block.
PARTS = ("handle", "body")
PLACES = ((20, 20), (70, 22), (22, 70), (72, 72))


def draw_scene(folder: Path, *categories: str, owner: str = "train", labelled: bool = True) -> Path:
    """A scene of up to four things, indices from 1 in the order of their names."""
    rgb = np.full((SIDE, SIDE, 3), 200, np.uint8)
    objects, parts = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    entries, labels = [], []
    for index, category in enumerate(categories, start=1):
        x, y = PLACES[index - 1]
        rgb[y - 6 : y + 6, x - 12 : x + 12] = (40 * index, 30, 90)
        objects[y - 6 : y + 6, x - 12 : x + 12] = index
        numbers = [2 * index - 1, 2 * index]
        for left, number in zip((x - 12, x), numbers, strict=True):
            parts[y - 6 : y + 6, left : left + 12] = number
        entries.append(
            {
                "name": category, "index": index, "category": category, "description": f"red {category}",
                "material": "plastic", "use": "",
                "parts": [{"name": n, "index": i, "avoid": False} for n, i in zip(PARTS, numbers, strict=True)],
            }
        )  # fmt: skip
        for part in PARTS if labelled else ():
            row = {"index": index, "grasp": grasp_json(grasp_on(index, part)), "width": 0.02, "rate": 1.0, "trials": 4}
            labels.append({**row, "parts": [part], "allowed": True, "causes": []})
    folder.mkdir(parents=True)
    Image.fromarray(rgb).save(folder / "rgb.png")
    Image.fromarray(np.full((SIDE, SIDE), 700, np.uint16)).save(folder / "depth.png")
    Image.fromarray(objects).save(folder / "objects.png")
    Image.fromarray(parts).save(folder / "parts.png")
    write_json(folder / "scene.json", {"seed": 1, "objects": entries, "facts": []})
    ids = [f"{owner}/{category}-00" for category in categories]
    write_json(
        folder / "labels.json",
        {
            "made": {
                "name": folder.name, "objects": len(ids), "labels": len(labels), "right": len(labels), "thrown_away": 0
            },
            "object_ids": ids, "image_size": [SIDE, SIDE], "labels": labels,
        },
    )  # fmt: skip
    return folder


def grasp_on(index: int, part: str = "handle", *, theta: float = 1.57) -> Grasp:
    """A grasp across a part of the thing, jaws above and below it."""
    x, y = PLACES[index - 1]
    across = x - 6 if part == "handle" else x + 6
    return Grasp(x=(across + 0.5) / SIDE, y=(y + 0.5) / SIDE, theta=theta, opening=16 / SIDE, jaw=8 / SIDE, quality=1.0)


class Says:
    """A responder that always answers the same, and keeps what it was asked."""

    name, image_size, answer_format, mode, takes_depth = "says", SIDE, "bare", "plain", False

    def __init__(self, *grasps: Grasp, target: str | None = None, refused: bool = False, text: str = "Why.") -> None:
        first, *others = grasps or (None,)
        self.response = Response(text, text, first, tuple(others), target=target, refused=refused)
        self.asked: list[str] = []
        self.seen: list[np.ndarray] = []

    def respond(self, pictures: Sequence, conversations: Sequence) -> list[Response]:
        self.asked += [text_of(conversation[-1]) for conversation in conversations]
        self.seen += [picture.rgb for picture in pictures]
        return [self.response for _ in pictures]
