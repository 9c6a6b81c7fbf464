"""Reads DexGraspNet (Wang et al. 2023): the Shadow Hand on scaled objects, carried over to a human hand.

The folder holds `dataset/CODE.npy` (or `dexgraspnet/`), a list of grasps each, and
`meshdata/CODE/coacd/decomposed.obj`. A human hand has other fingers than the robot's, so it is not its pose that is
taken over but where its palm is and where its fingertips touch; then the human hand is closed on the object from there.
Kept are those that hold it as our own do.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from graspwise.errors import InputError
from graspwise.hand.displacement import object_pieces
from graspwise.hand.field import Field
from graspwise.hand.imports import Imported, arrays_in
from graspwise.hand.keep import Tried, measured
from graspwise.hand.mesh import MOST_FACES, Solid
from graspwise.hand.model import FINGERS, HandModel
from graspwise.hand.optimise import Hold, Wanted, closed_on
from graspwise.hand.robot_hand import RobotHand, read_robot_hand
from graspwise.hand.surface import Surface, library, merged, thinned
from graspwise.hand.union import outer_surface

SHADOW = Path(__file__).with_name("shadow.yaml")
FOLDERS = ("dataset", "dexgraspnet")
# Of each object and scale at most so many grasps are carried over; it has more than 200 of each object.
MOST = 16
STEPS, CLOSING = 120, 60
RATES = (0.02, 0.002, 0.03)
# In the fit, radians of a joint away from rest count as so many metres of a fingertip.
EASE = 0.002


def read_dexgraspnet(source: Path, *, hand: HandModel) -> Iterator[Imported]:
    """Objects of one size each, in the order of their codes.

    Args:
        source: The folder.
        hand: Which hand to carry the grasps over to.

    Raises:
        InputError: the folder is laid out otherwise, or a file is damaged.
    """
    files = sorted(path for name in FOLDERS for path in (source / name).glob("*.npy"))
    if not files:
        raise InputError(f"{source}: no dataset/CODE.npy there; give DexGraspNet's data folder")
    return carried_over(source, files, hand)


def carried_over(source: Path, files: list[Path], hand: HandModel) -> Iterator[Imported]:
    """The objects of some files."""
    robot, hold = read_robot_hand(SHADOW), Hold.of(hand)
    for path in files:
        mesh = source / "meshdata" / path.stem / "coacd" / "decomposed.obj"
        scales: dict[float, list[tuple[Tensor, np.ndarray]]] = {}
        for number, entry in enumerate(list(arrays_in(path))):
            try:
                scale, target = round(float(entry["scale"]), 6), fingertips(entry["qpos"], robot)
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"{path}: grasp {number} is none of the Shadow Hand's (found no {error})") from error
            scales.setdefault(scale, []).append(target)
        for scale, targets in sorted(scales.items()):
            solid = scaled(mesh, scale)
            palms, tips = zip(*targets[:MOST], strict=True)
            begun = fitted(hold, torch.stack(palms), torch.from_numpy(np.stack(tips)).float())
            rows = closed_on(hold, Wanted.of(hold, Field.of(solid), None, FINGERS), begun, steps=CLOSING)
            tried = Tried.of(solid, hand, object_pieces(solid))
            with torch.no_grad():
                vertices = hand.pose(*hand.layout.split(rows)).vertices.double().numpy()
            kept = [not isinstance(measured(tried, own), str) for own in vertices]
            if any(kept):
                name = path.stem.split("-")[1] if path.stem.count("-") else path.stem
                yield Imported(f"dexgraspnet/{path.stem}-{scale:g}", name.lower(), solid, rows.numpy()[kept])


def scaled(path: Path, scale: float) -> Solid:
    """The object in one of its sizes; the file's own unit is the object's radius.

    Raises:
        InputError: there is no such file, or it is no mesh.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; unpack meshdata, too")
    mesh = library("trimesh").load(path, force="mesh", process=False)
    faces = np.asarray(mesh.faces, np.int64)
    surface = Surface(np.asarray(mesh.vertices, np.float64) * scale, faces, np.full(len(faces), -1))
    try:
        surface = outer_surface([thinned(merged(surface), most=MOST_FACES)])
    except ValueError as error:
        raise InputError(f"{path}: is no solid ({error}); valid is a mesh with a volume") from error
    return Solid(path.parents[1].name, surface.vertices, surface.faces, (), np.full(len(surface.faces), -1))


def fingertips(pose: dict[str, Any], robot: RobotHand) -> tuple[Tensor, np.ndarray]:
    """`T_object_hand` (4, 4) of a human hand whose palm is where the robot's is, and the robot's fingertips (5, 3)."""
    place = np.eye(4)
    place[:3, :3] = Rotation.from_euler("xyz", [pose[f"WRJR{axis}"] for axis in "xyz"]).as_matrix()
    place[:3, 3] = [pose[f"WRJT{axis}"] for axis in "xyz"]
    angles = np.array([pose[f"robot0:{joint}"] for joint in robot.joints])
    tips = dict(zip(robot.tips, robot.fingertips(angles) @ place[:3, :3].T + place[:3, 3], strict=True))
    transform = place.copy()
    transform[:3, :3] = place[:3, :3] @ robot.axes
    return torch.from_numpy(transform).float(), np.stack([tips[finger] for finger in FINGERS])


def fitted(hold: Hold, palms: Tensor, tips: Tensor) -> Tensor:
    """Mean hands (n, P) near places (n, 4, 4), their fingertips' middles as near to points (n, 5, 3) as can be."""
    hand = hold.hand
    shape = torch.zeros(len(palms), hand.layout.shape)
    begun = hand.layout.join(palms, hand.rest.expand(len(palms), -1), shape)
    moving = [x.clone().requires_grad_() for x in begun.split([6, 3, hand.layout.articulation, hand.layout.shape], 1)]
    optimiser = torch.optim.Adam([{"params": [x], "lr": r} for x, r in zip(moving[:3], RATES, strict=True)])
    ends = torch.nonzero(hold.tips)[:, 0]
    around = torch.cat([hold.pads[ends], hold.backs[ends]], dim=1)
    for _ in range(STEPS):
        optimiser.zero_grad()
        transform, articulation, _ = hand.layout.split(torch.cat([*moving[:3], shape], dim=1))
        vertices = hand.pose(transform, articulation, shape).vertices
        off = (vertices[:, around].mean(2) - tips).square().sum((1, 2))
        (off + EASE**2 * (articulation - hand.rest).square().sum(1)).sum().backward()
        optimiser.step()
        with torch.no_grad():
            moving[2].clamp_(*hand.limits.T)
    with torch.no_grad():
        return hand.layout.join(*hand.layout.split(torch.cat([*moving[:3], shape], dim=1)))
