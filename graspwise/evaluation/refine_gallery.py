"""Pictures of the refinement report: requests with the grasp before and the grasp after."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from graspwise.draw import draw_answer
from graspwise.evaluation.document import Gallery, Tile
from graspwise.evaluation.gallery import FOLDER, SIDE, Photograph, write_tiles
from graspwise.evaluation.refine_talk import RefineRecord
from graspwise.grasp import Grasp

# Of misses and of hits.
MOST = 9


def picks(records: Sequence[RefineRecord], *, seed: int) -> list[dict[str, Any]]:
    """Up to 9 misses and 9 hits of the model, drawn by chance, of as many photographs as can be."""
    own = [r for r in records if r.method == "model" and r.satisfiable]
    shuffled = [own[i] for i in np.random.default_rng(seed).permutation(len(own))]
    chosen: list[RefineRecord] = []
    for right in (False, True):
        rows = [r for r in shuffled if r.both is right]
        first = list({r.image: r for r in reversed(rows)}.values())
        chosen += [*first, *(r for r in rows if all(r is not other for other in first))][:MOST]
    keys = ("image", "category", "turn", "kind", "asked", "obeyed", "valid", "both", "before", "after", "reasoning")
    return [{key: getattr(record, key) for key in keys} for record in chosen]


def gallery_of(report: dict[str, Any]) -> Gallery | None:
    """The section of pictures; None where nothing could be asked for."""
    shown = report["gallery"]
    if not shown:
        return None
    tiles = [Tile(tile_path(pick), tile_title(pick), tile_text(pick), pick["both"]) for pick in shown]
    text = (
        f"{report['model']}; up to {MOST} of each, drawn by chance, of as many photographs as can be. Pink: the grasp "
        "that was to change; amber and blue: the answer; thin green: the labels."
    )
    return Gallery("Requests, missed and met", text, tuple(tiles))


def tile_title(pick: dict[str, Any]) -> str:
    if pick["both"]:
        return f"{pick['category']}, {pick['kind']}: met"
    failed = [word for word, right in (("not obeyed", pick["obeyed"]), ("not valid", pick["valid"])) if not right]
    return f"{pick['category']}, {pick['kind']}: {' and '.join(failed)}"


def tile_text(pick: dict[str, Any]) -> str:
    return f"“{pick['asked']}” {pick['reasoning']}".strip()


def draw_gallery(report: dict[str, Any], folder: Path, photograph: Photograph) -> None:
    """Write the pictures of `gallery_of` under the report's folder; those of an earlier report go.

    Raises:
        InputError: a photograph is not there.
    """

    def tile(pick: dict[str, Any]) -> Image.Image:
        picture, labels = photograph(pick["image"])
        before, after = (None if values is None else Grasp(**values) for values in (pick["before"], pick["after"]))
        return draw_answer(picture, grasp=after, before=before, labels=labels, side=SIDE)

    write_tiles(folder, ((tile_path(pick), tile(pick)) for pick in report["gallery"]))


def tile_path(pick: dict[str, Any]) -> str:
    return f"{FOLDER}/{'met' if pick['both'] else 'missed'}-{pick['image']}-{pick['turn']}.jpg"
