"""A small data set of hands on boxes, written without looking for grasps; and its boxes as mesh files."""

from pathlib import Path

import numpy as np
import torch
import trimesh

from graspwise.hand.grasps import Caption, HandGrasp, HandObject, keep_solid, write_hands
from graspwise.hand.mesh import Solid
from graspwise.hand.open_hand import load_open_hand

PARTS = ("handle", "head")


def club(width: float) -> Solid:
    """A handle along z, `width` wide, with a head twice as wide on top; metres."""
    handle = trimesh.creation.box(bounds=[(-width / 2, -width / 2, -0.08), (width / 2, width / 2, 0.04)])
    head = trimesh.creation.box(bounds=[(-width, -width, 0.0401), (width, width, 0.08)])
    both = trimesh.util.concatenate([handle, head])
    return Solid(
        "club", np.asarray(both.vertices), np.asarray(both.faces), PARTS,
        np.repeat([0, 1], [len(handle.faces), len(head.faces)]),
    )  # fmt: skip


def holding(height: float) -> np.ndarray:
    """Parameters (P,) of a resting hand that comes along -x with the club's axis in its grip, at a height, metres."""
    hand = load_open_hand()
    transform = torch.eye(4)[None]
    # The palm looks along -x, the fingers point along y.
    transform[0, :3, :3] = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    transform[0, :3, 3] = torch.tensor([0.045, -0.09, height])
    return hand.layout.join(transform, hand.rest[None], torch.zeros(1, hand.layout.shape))[0].numpy()


def write_drawn_hands(folder: Path, *, objects: int = 6) -> Path:
    """A data set of clubs, each held by its handle and by its head."""
    rng, things, grasps = np.random.default_rng(0), [], []
    for number in range(objects):
        solid, name = club(0.02 + 0.003 * number), f"drawn/club-{number}"
        keep_solid(folder, name, solid)
        things.append(HandObject.of(solid, object_id=name, name="club", set_name="drawn", rng=rng))
        for part, height in (("handle", -0.03), ("head", 0.06)):
            grasps.append(
                HandGrasp(name, holding(height), {"thumb": (part,), "index": (part,)}, "firm", captions(part))
            )
    write_hands(folder, hand="open", objects=things, grasps=grasps, seed=0)
    return folder


def captions(part: str) -> tuple[Caption, ...]:
    other = PARTS[1 - PARTS.index(part)]
    return (
        Caption("low", f"Put the thumb and the index finger on the {part}.", (("thumb", part), ("index", part))),
        Caption("high", f"Hold it by the {part}.", ((None, part),)),
        Caption("talk", f"Take the {part}, and leave the {other} free.", ((None, part),), (other,)),
    )


def write_club(path: Path, *, width: float = 0.03, scale: float = 1.0) -> Path:
    """The club as an OBJ file of two named objects; with a scale of 1,000 in millimetres."""
    solid, lines = club(width), []
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in solid.vertices * scale]
    for number, part in enumerate(PARTS):
        lines.append(f"o {part}")
        lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in solid.faces[solid.face_parts == number]]
    path.write_text("\n".join(lines) + "\n")
    return path
