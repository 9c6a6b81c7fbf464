"""A data set of hands on boxes, balls and rods: palms on the surface, fingers closed as far as the thing lets them."""

from pathlib import Path

import numpy as np
import torch
import trimesh

from graspwise.hand.cloud import Cloud, nearest_points
from graspwise.hand.grasps import HandGrasp, HandObject, write_hands
from graspwise.hand.mesh import Solid
from graspwise.hand.model import HandModel, place_points, unit
from graspwise.hand.open_hand import load_open_hand

# Ways to close a hand that are tried.
CLOSED = 6


def draw_hands(folder: Path, *, objects: int = 6, each: int = 8, seed: int = 0) -> Path:
    """A data set of hands; of each three objects the last is of the set `household`."""
    hand, things, grasps = load_open_hand(), [], []
    for number in range(objects):
        rng = np.random.default_rng([seed, number])
        kind = ("box", "ball", "rod")[number % 3]
        owner = "household" if number % 3 == 2 else "train"
        thing = HandObject.of(
            draw_solid(kind, rng=rng), object_id=f"{owner}/{kind}-{number}", name=kind, set_name=owner, rng=rng
        )
        things.append(thing)
        rows = draw_grasps(thing, hand=hand, count=each, rng=rng)
        grasps += [HandGrasp(thing.object_id, row, {}, "firm") for row in rows]
    write_hands(folder, hand=hand.name, objects=things, grasps=grasps, seed=seed)
    return folder


def draw_solid(kind: str, *, rng: np.random.Generator) -> Solid:
    """A solid of 4 to 16 cm, its middle a few centimetres from the origin."""
    mesh = {
        "box": lambda: trimesh.creation.box(extents=rng.uniform(0.04, 0.16, 3)),
        "ball": lambda: trimesh.creation.icosphere(subdivisions=3, radius=rng.uniform(0.025, 0.06)),
        "rod": lambda: trimesh.creation.cylinder(radius=rng.uniform(0.01, 0.04), height=rng.uniform(0.1, 0.16)),
    }[kind]()
    vertices = np.asarray(mesh.vertices) + rng.uniform(-0.05, 0.05, 3)
    return Solid(kind, vertices, np.asarray(mesh.faces), (), np.full(len(mesh.faces), -1))


def draw_grasps(thing: HandObject, *, hand: HandModel, count: int, rng: np.random.Generator) -> np.ndarray:
    """Parameters (count, P)."""
    chosen = rng.choice(len(thing.cloud), count)
    # The back of the hand looks where the surface does, fingers any way along it.
    back = unit(thing.normals[chosen] + rng.normal(scale=0.1, size=(count, 3)))
    side = unit(np.cross(back, rng.normal(size=(count, 3))))
    turn = torch.from_numpy(np.stack([np.cross(side, back), side, back], axis=-1)).float()
    still = torch.eye(4)[None]
    rest = hand.pose(still, hand.rest[None], torch.zeros(1, hand.layout.shape)).vertices[0]
    palm = rest[torch.as_tensor(hand.regions["palm"])].mean(0)
    place = still.repeat(count, 1, 1)
    place[:, :3, :3] = turn
    place[:, :3, 3] = torch.from_numpy(thing.cloud[chosen]) - turn @ palm + 0.012 * turn[:, :, 2]
    flexes = torch.tensor([float("flexion" in name and "cmc" not in name) for name in hand.articulation])
    low, high = hand.limits.T
    closed = hand.rest + torch.linspace(0, 0.9, CLOSED)[:, None] * flexes * (high - hand.rest)
    shape = torch.from_numpy(rng.normal(scale=0.7, size=(count, hand.layout.shape))).float().clamp(-2, 2)
    pads = torch.cat([torch.as_tensor(pad) for name, pad in hand.pads.items() if name != "palm"])
    # How far a hand closes is chosen with the mean hand's fingers.
    fingers = hand.pose(still.repeat(CLOSED, 1, 1), closed, torch.zeros(CLOSED, hand.layout.shape))
    own, cloud = fingers.vertices[:, pads[::8]], Cloud.of(thing.cloud, thing.normals)
    rows = []
    for transform, size in zip(place, shape, strict=True):
        probes = place_points(transform[None], own.flatten(0, 1)[None])
        points, normals = nearest_points(probes, cloud)
        away = ((probes - points) * normals).sum(-1).reshape(CLOSED, -1).abs().mean(1)
        bent = closed[away.argmin()] + torch.from_numpy(rng.normal(scale=0.05, size=len(low))).float()
        rows.append(hand.layout.join(transform[None], bent.clamp(low, high)[None], size[None])[0].numpy())
    return np.stack(rows)
