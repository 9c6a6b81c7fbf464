"""Reads GRAB (Taheri et al. 2020): people's whole-body motions; of each, one moment of the right hand on the object.

The folder is the one that holds `grab/sN/OBJECT_ACTION_N.npz` and `tools/`, with the objects' meshes and the subjects'
hands as each sequence names them. The moment taken is the one in which the right hand touches most of the object.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.hand.imports import Imported, arrays_in, as_mano
from graspwise.hand.mano import Mano
from graspwise.hand.mesh import read_solid
from graspwise.hand.model import HandModel
from graspwise.hand.surface import library

# Of the parts of the body by which GRAB marks what touches an object: the right hand and its fingers.
RIGHT_HAND = (22, *range(41, 56))
# The hand touches at least so many of an object's vertices, or it only passes by.
FEWEST = 20


def read_grab(source: Path, *, hand: HandModel) -> Iterator[Imported]:
    """Objects in the order of their names.

    Args:
        source: The folder.
        hand: MANO.

    Raises:
        InputError: another hand is asked for, the folder is laid out otherwise, or a file is damaged.
    """
    mano = as_mano("grab", hand)
    found: dict[str, list[Path]] = {}
    for path in sorted((source / "grab").glob("s*/*.npz")):
        found.setdefault(path.name.split("_")[0], []).append(path)
    if not found:
        raise InputError(f"{source}: no grab/sN/OBJECT_ACTION_N.npz there; give the folder that GRAB was unpacked in")
    for name, paths in sorted(found.items()):
        rows, mesh = [], None
        for path in paths:
            sequence = arrays_in(path)
            try:
                mesh = source / sequence["object"]["object_mesh"]
                row = parameters(sequence, source, mano)
            except (KeyError, TypeError, IndexError) as error:
                raise InputError(f"{path}: is no sequence of GRAB (found no {error})") from error
            if row is not None:
                rows.append(row)
        if rows and mesh is not None:
            yield Imported(f"grab/{name}", name, read_solid(mesh, unit="m"), np.concatenate(rows))


def parameters(sequence: dict[str, Any], source: Path, hand: Mano) -> np.ndarray | None:
    """(1, P) of the moment in which most is touched, in the object's frame; None where the right hand holds nothing."""
    touched = np.isin(sequence["contact"]["object"], RIGHT_HAND).sum(axis=1)
    frame = int(touched.argmax())
    if touched[frame] < FEWEST:
        return None
    moved, held = sequence["object"]["params"], sequence["rhand"]["params"]
    shape = shape_of(source / sequence["rhand"]["vtemp"], hand)
    orientation, translation, fullpose = (
        torch.from_numpy(np.asarray(held[name][frame], np.float32))[None]
        for name in ("global_orient", "transl", "fullpose")
    )
    in_world = hand.transform_of(orientation=orientation, translation=translation, shape=shape)
    object_in_world = np.eye(4)
    # GRAB multiplies an object's points from the left of its rotation, so that it turns the other way.
    object_in_world[:3, :3] = Rotation.from_rotvec(np.asarray(moved["global_orient"][frame], float)).as_matrix().T
    object_in_world[:3, 3] = moved["transl"][frame]
    transform = torch.from_numpy(np.linalg.inv(object_in_world)).float() @ in_world
    return hand.layout.join(transform, fullpose, shape).numpy()


def shape_of(path: Path, hand: Mano) -> torch.Tensor:
    """MANO's betas (1, 10) that come nearest to a subject's own hand."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; unpack GRAB's subject meshes, too")
    template = np.asarray(library("trimesh").load(path, process=False).vertices)
    directions = hand.body.shapedirs.numpy().reshape(-1, hand.layout.shape)
    mean = hand.body.v_template.numpy()
    if template.shape != mean.shape:
        raise InputError(f"{path}: found {len(template)} vertices; valid are {len(mean)}, MANO's right hand")
    difference = template - mean
    # Where a template lies says nothing of its shape.
    constant = np.tile(np.eye(3), (len(mean), 1))
    betas = np.linalg.lstsq(np.c_[directions, constant], difference.reshape(-1), rcond=None)[0]
    return torch.from_numpy(betas[: hand.layout.shape]).float()[None]
