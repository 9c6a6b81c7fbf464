"""Pictures of the wishes' report: misses and hits, each with its wish, its answer and the right grasps."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import grasps_of, read_scene
from graspwise.data.wishes import KINDS
from graspwise.draw import draw_answer
from graspwise.evaluation.document import Gallery, Tile
from graspwise.evaluation.gallery import FOLDER, write_tiles
from graspwise.evaluation.wish_questions import Question
from graspwise.evaluation.wish_score import WishRecord
from graspwise.grasp import Grasp
from graspwise.picture import open_picture

# Of misses and of hits.
MOST = 8
SIDE = 480


def picks(questions: Sequence[Question], records: Sequence[WishRecord], *, seed: int) -> list[dict[str, Any]]:
    """Up to 8 misses and 8 hits drawn by chance, of as many scenes as can be."""
    asked = {(q.place, q.kind, q.text): q for q in questions}
    shuffled = [records[i] for i in np.random.default_rng(seed).permutation(len(records))]
    chosen: list[WishRecord] = []
    for right in (False, True):
        rows = [r for r in shuffled if r.hit_first is right and r.kind in KINDS]
        first = list({r.place: r for r in reversed(rows)}.values())
        chosen += [*first, *(r for r in rows if all(r is not other for other in first))][:MOST]
    return [
        {
            "objects": r.objects, "scene": r.scene, "kind": r.kind, "wish": r.wish, "right": bool(r.hit_first),
            "later": bool(r.hit_three), "placed": bool(r.placed), "refused": r.refused, "target": r.target,
            "targets": [asdict(target) for target in asked[r.place, r.kind, r.wish].targets],
            "grasps": list(r.grasps[:3]), "reasoning": r.reasoning,
        }
        for r in chosen
    ]  # fmt: skip


def gallery_of(report: dict[str, Any]) -> Gallery | None:
    """The section of pictures; None where nothing was asked."""
    shown = report["gallery"]
    if not shown or not shown["picks"]:
        return None
    tiles = [Tile(tile_path(pick), tile_title(pick), tile_text(pick), pick["right"]) for pick in shown["picks"]]
    text = (
        f"{shown['model']}; up to {MOST} of each, drawn by chance, of as many scenes as can be. Amber and blue: its "
        "first grasp; pale: the next ones; thin green: the grasps of right targets."
    )
    return Gallery("Misses and hits", text, tuple(tiles))


def tile_title(pick: dict[str, Any]) -> str:
    later = ", a later one of its grasps is right" if pick["later"] else ", the right target" if pick["placed"] else ""
    return f"{pick['kind']}, {pick['objects']}: {'hit' if pick['right'] else f'miss{later}'}"


def tile_text(pick: dict[str, Any]) -> str:
    said = "refused" if pick["refused"] else f"meant: {pick['target']}" if pick["target"] else ""
    names = sorted({t["name"] + (f", {t['part']}" if t["part"] else "") for t in pick["targets"]})
    words = (f"“{pick['wish']}”", pick["reasoning"], f"({said})" if said else "", f"Right: {'; '.join(names)}.")
    return " ".join(word for word in words if word)


def draw_gallery(report: dict[str, Any], folder: Path, scenes: Path) -> None:
    """Write the pictures of `gallery_of`; those of an earlier report go."""

    def tile(pick: dict[str, Any]) -> Image.Image:
        scene = read_scene(scenes / pick["objects"] / pick["scene"])
        right = grasps_of(scene, [Target(**target) for target in pick["targets"]])
        grasp, *others = (Grasp(**values) for values in pick["grasps"]) if pick["grasps"] else (None,)
        return draw_answer(
            open_picture(scene.picture), grasp=grasp, others=[other for other in others if other is not None],
            labels=[one.grasp.rectangle(image_size=scene.image_size) for one in right], side=SIDE,
        )  # fmt: skip

    shown = report["gallery"]["picks"] if report["gallery"] else []
    write_tiles(folder, ((tile_path(pick), tile(pick)) for pick in shown))


def tile_path(pick: dict[str, Any]) -> str:
    kind = pick["kind"].replace(" ", "-")
    return f"{FOLDER}/{'hit' if pick['right'] else 'miss'}-{pick['objects']}-{pick['scene']}-{kind}.jpg"
