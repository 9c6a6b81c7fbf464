"""Reads OakInk-Shape (Yang et al. 2022): hands on real and virtual objects, MANO's numbers in the object's frame.

The folder is the one that holds `shape/`, or that one itself. `oakink_shape_v2/CATEGORY/OBJECT/HASH/hand_param.pkl`
are the grasps, `.../HASH/VIRTUAL/hand_param.pkl` those carried over to virtual objects; `metaV2/object_id.json` and
`virtual_object_id.json` name the objects, which lie in `OakInkObjectsV2/NAME/align/` and `OakInkVirtualObjectsV2/`.
An object's frame is its mesh file's, moved to the middle of its box.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graspwise.errors import InputError
from graspwise.files import read_json
from graspwise.hand.imports import Imported, arrays_in, as_mano
from graspwise.hand.mano import Mano
from graspwise.hand.mesh import Solid, read_solid
from graspwise.hand.model import HandModel

GRASPS, NAMES = "oakink_shape_v2", "metaV2"
OBJECTS = {"object_id.json": "OakInkObjectsV2", "virtual_object_id.json": "OakInkVirtualObjectsV2"}
NUMBERS = {"pose": 48, "shape": 10, "tsl": 3}


def read_oakink(source: Path, *, hand: HandModel) -> Iterator[Imported]:
    """Objects in the order of their ids.

    Args:
        source: The folder.
        hand: MANO.

    Raises:
        InputError: another hand is asked for, the folder is laid out otherwise, or a file is damaged.
    """
    mano = as_mano("oakink", hand)
    root = source / "shape" if (source / "shape").is_dir() else source
    found: dict[tuple[str, str], list[Path]] = {}
    for path in sorted((root / GRASPS).glob("*/*/**/hand_param.pkl")):
        category, owner, *deeper = path.relative_to(root / GRASPS).parts[:-1]
        # HASH, or HASH and the virtual object that the grasp was carried over to.
        if len(deeper) in (1, 2):
            found.setdefault((category, deeper[1] if len(deeper) == 2 else owner), []).append(path)
    if not found:
        raise InputError(f"{root}: no {GRASPS}/CATEGORY/OBJECT/HASH/hand_param.pkl there; give OakInk's folder")
    meshes = mesh_folders(root)
    for (category, own), paths in sorted(found.items()):
        if own not in meshes:
            raise InputError(f"{root / NAMES}: found no object {own}; valid is one that its files name")
        yield Imported(
            f"oakink/{own}", category.replace("_", " "), centred(mesh_in(meshes[own])),
            np.concatenate([parameters(path, mano) for path in paths]),
        )  # fmt: skip


def mesh_folders(root: Path) -> dict[str, Path]:
    """Where each object's meshes lie, by its id."""
    folders = {}
    for file, place in OBJECTS.items():
        names = read_json(root / NAMES / file)
        for own, entry in names.items():
            folders[own] = root / place / entry["name"] / "align"
    return folders


def mesh_in(folder: Path) -> Solid:
    """The mesh of an object; of several files the one that is aligned."""
    files = sorted(path for path in folder.glob("*") if path.suffix in (".obj", ".ply"))
    chosen = [path for path in files if "align" in path.name] if len(files) > 1 else files
    if len(chosen) != 1:
        raise InputError(f"{folder}: found {len(files)} meshes; valid is one .obj or .ply, or one of them aligned")
    return read_solid(chosen[0], unit="m")


def centred(solid: Solid) -> Solid:
    """The solid with the middle of its box in the origin."""
    middle = (solid.vertices.max(axis=0) + solid.vertices.min(axis=0)) / 2
    return replace(solid, vertices=solid.vertices - middle)


def parameters(path: Path, hand: Mano) -> np.ndarray:
    """(1, P) of a file: 48 rotation vectors with the wrist's first, the shape, and where the wrist joint is."""
    held: Any = arrays_in(path)
    row = {}
    for name, count in NUMBERS.items():
        value = np.asarray(held.get(name) if isinstance(held, dict) else None, dtype=object).reshape(-1)
        if len(value) != count:
            raise InputError(f"{path}: {name}: found {len(value)} numbers; valid are {count}")
        row[name] = torch.from_numpy(value.astype(np.float32))[None]
    transform = hand.transform_of(
        orientation=row["pose"][:, :3], translation=torch.zeros(1, 3), shape=row["shape"]
    )  # fmt: skip
    # Their model moves the wrist joint, not MANO's origin, to `tsl`.
    transform[:, :3, 3] = row["tsl"]
    return hand.layout.join(transform, row["pose"][:, 3:], row["shape"]).numpy()
