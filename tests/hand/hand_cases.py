"""What the tests of hands share: placed hands, and a file in MANO's layout that is nobody's hand."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.sparse import csc_matrix
from torch import Tensor

from graspwise.hand.model import FINGERS
from graspwise.hand.open_hand import OpenHand

HERE = torch.eye(4)[None]


def articulated(hand: OpenHand, **degrees: float) -> Tensor:
    """(1, 23) the resting hand with other angles, by their whole name or, of all fingers, without the finger's."""
    values = hand.rest.clone()
    for number, name in enumerate(hand.articulation):
        finger, joint = name.split("_", 1)
        value = degrees.get(name, degrees.get(joint) if finger != "thumb" else None)
        if value is not None:
            values[number] = np.radians(value)
    return values[None]


def mano_arrays(*, seed: int = 0) -> dict[str, Any]:
    """The arrays of MANO's right hand by name and shape: five straight rods on a plate, fingers along -x, palm down."""
    rng = np.random.default_rng(seed)
    heads = np.zeros((16, 3))
    weights = np.zeros((778, 16))
    vertices = rng.normal(scale=0.004, size=(778, 3))
    weights[:278, 0] = 1
    vertices[:278] *= (5, 6, 1)
    for number, finger in enumerate(("index", "middle", "pinky", "ring", "thumb")):
        side = {"thumb": -0.05, "index": -0.03, "middle": -0.01, "ring": 0.01, "pinky": 0.03}[finger]
        for joint in range(3):
            bone, begin = 1 + 3 * number + joint, 278 + 100 * number + 33 * joint
            heads[bone] = (-0.09 - 0.03 * joint + 0.05 * (finger == "thumb"), -0.005, -side)
            own = slice(begin, begin + (34 if joint == 2 else 33))
            vertices[own] += heads[bone] + (-0.015, 0, 0)
            weights[own, bone] = 1
    tips = {"thumb": 744, "index": 320, "middle": 443, "ring": 554, "pinky": 671}
    for finger in FINGERS:
        bone = 3 * (1 + ("index", "middle", "pinky", "ring", "thumb").index(finger))
        vertices[tips[finger]] = heads[bone] + (-0.03, 0, 0)
        weights[tips[finger]] = np.eye(16)[bone]
    # A joint is where it is by the vertices alone, whatever the shape.
    regressor = np.linalg.lstsq(np.c_[vertices, np.ones(778)].T, np.c_[heads, np.ones(16)].T, rcond=None)[0].T
    parents = [2**32 - 1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14]
    return {
        "v_template": vertices, "shapedirs": rng.normal(scale=1e-3, size=(778, 3, 10)),
        "posedirs": rng.normal(scale=1e-4, size=(778, 3, 135)), "J_regressor": csc_matrix(regressor),
        "weights": weights, "f": wound_sheet(), "kintree_table": np.array([parents, range(16)], dtype=np.uint32),
        "hands_mean": rng.normal(size=45), "hands_components": np.eye(45), "hands_coeffs": np.zeros((1554, 45)),
        "bs_style": "lbs", "bs_type": "lrotmin", "J": heads,
    }  # fmt: skip


def wound_sheet() -> np.ndarray:
    """(1538, 3) faces over 778 vertices that leave one hole, with a rim of 16, as MANO's do."""
    # A fan, then vertex after vertex put into a triangle, keeps the number of holes.
    faces = [(0, i, i + 1) for i in range(1, 15)]
    for vertex in range(16, 778):
        a, b, c = faces.pop(0)
        faces += [(a, b, vertex), (b, c, vertex), (c, a, vertex)]
    return np.array(faces, dtype=np.uint32)


def write_mano(path: Path, arrays: dict[str, Any]) -> Path:
    path.write_bytes(pickle.dumps(arrays, protocol=2))
    return path
