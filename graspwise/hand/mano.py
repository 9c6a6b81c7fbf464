"""The hand MANO (Romero et al. 2017), for those who have its files: the package has no part of it.

The files come from https://mano.is.tue.mpg.de after registration; like the library `smplx`, which poses them, they are
for research that is not commercial. What is posed is the right hand with all 45 numbers of its articulation, 0 being
the flat hand, as GRAB and OakInk keep it.
"""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graspwise.errors import InputError
from graspwise.hand.mano_file import GET, SHAPES, find_mano, read_mano
from graspwise.hand.model import (
    FINGERS,
    REGIONS,
    Anatomy,
    Layout,
    Posed,
    closed,
    contact_regions,
    cross_matrix,
    hand_axes,
    place_points,
    unit,
)

VARIABLE = "GRASPWISE_MANO"
INSTALL = "pip install --no-deps smplx"
# MANO's own order of bones, and of each finger its first one.
ORDER = ("index", "middle", "pinky", "ring", "thumb")
FIRST = {finger: 1 + 3 * ORDER.index(finger) for finger in FINGERS}
# The vertices that smplx, too, takes for the fingertips.
TIPS = {"thumb": 744, "index": 320, "middle": 443, "ring": 554, "pinky": 671}
# Degrees of flexion, abduction to either side and turn about itself of a finger's three joints; sources as the default
# hand's. A thumb's first joint has its flexion, abduction and pronation.
FINGER = (((-30, 90), (-25, 25), (-10, 10)), ((0, 100), (-5, 5), (-5, 5)), ((-5, 90), (-5, 5), (-5, 5)))
THUMB = (((-20, 45), (-45, 45), (-30, 30)), ((-10, 55), (-10, 10), (-10, 10)), ((-15, 80), (-5, 5), (-5, 5)))


@dataclass(frozen=True, eq=False)
class Mano(Anatomy):
    """MANO's right hand in the frame that all hands have; a `HandModel`.

    Attributes:
        name: "mano"; `bones` has 16 names and `bone_of` 778.
        articulation: 45 names, as "index_1_x": the rotation vector of a finger's first joint, in MANO's own axes.
        limits: (45, 2) radians, the box around what each joint can do; of a rotation vector, so wider than that.
        rest: (45,) radians: zeros, the flat hand.
        axes: (3, 3) rotation from MANO's own frame to the hand's.
        body: The model of smplx.
    """

    axes: Tensor
    body: Any

    @property
    def layout(self) -> Layout:
        return Layout(len(self.articulation), SHAPES)

    def pose(self, transform: Tensor, articulation: Tensor, shape: Tensor) -> Posed:
        """The hands of these parameters, float32.

        Args:
            transform: (B, 4, 4) rigid, `T_object_hand`.
            articulation: (B, 45) rotation vectors, radians.
            shape: (B, 10) MANO's betas.
        """
        body = self.body.to(articulation.device)
        still = articulation.new_zeros(len(articulation), 3)
        hand = body(betas=shape, global_orient=still, hand_pose=articulation, transl=still)
        axes = self.axes.to(articulation).T
        # Turning about the wrist leaves the wrist where it is, so its joint is the origin of every pose.
        vertices, joints = ((points - hand.joints[:, :1]) @ axes for points in (hand.vertices, hand.joints))
        ordered = [joints[:, :1]]
        for finger in FINGERS:
            first = FIRST[finger]
            ordered += [joints[:, first : first + 3], vertices[:, TIPS[finger], None]]
        return Posed(place_points(transform, vertices), place_points(transform, torch.cat(ordered, dim=1)))

    def transform_of(self, *, orientation: Tensor, translation: Tensor, shape: Tensor) -> Tensor:
        """`T_object_hand` (B, 4, 4) of a data set's MANO parameters.

        Args:
            orientation: (B, 3) rotation vector of the wrist, `global_orient`.
            translation: (B, 3) metres, `transl`.
            shape: (B, 10) betas.
        """
        still = orientation.new_zeros(len(orientation), 48)
        wrist = self.body(betas=shape, global_orient=still[:, :3], hand_pose=still[:, 3:], transl=still[:, :3]).joints
        transform = torch.eye(4).to(orientation).repeat(len(orientation), 1, 1)
        transform[:, :3, :3] = torch.linalg.matrix_exp(cross_matrix(orientation)) @ self.axes.to(orientation).T
        transform[:, :3, 3] = wrist[:, 0] + translation
        return transform


def load_mano(path: Path | str | None = None) -> Mano:
    """MANO's right hand.

    Args:
        path: `MANO_RIGHT.pkl` or a folder with it (or with `models/` or `mano/` that holds it); without it the
            environment variable GRASPWISE_MANO is read.

    Raises:
        InputError: no path is given, there is no such file, it is not MANO's, or smplx is not installed.
    """
    given = path or os.environ.get(VARIABLE)
    if not given:
        raise InputError(
            f"--hand mano: its licensed files are needed and no path is given; {GET} as --mano or {VARIABLE}"
        )
    data = read_mano(find_mano(Path(given)))
    try:
        smplx = importlib.import_module("smplx")
    except ImportError as error:
        raise InputError(f"--hand mano: needs smplx ({error}); valid after: {INSTALL}, for research only") from error
    body = smplx.MANO(
        model_path=str(given), data_struct=SimpleNamespace(**data), use_pca=False, flat_hand_mean=True,
        create_betas=False, create_global_orient=False, create_hand_pose=False, create_transl=False,
    )  # fmt: skip
    body.requires_grad_(False)
    template, joints = data["v_template"], data["J_regressor"] @ data["v_template"]
    axes = hand_axes(wrist=joints[0], knuckles=joints[[FIRST[finger] for finger in FINGERS[1:]]])
    joints = (joints - joints[0]) @ axes.T
    template = (template - data["J_regressor"][0] @ template) @ axes.T
    frames = bone_frames(joints=joints, tips=template[list(TIPS.values())])
    regions_of = np.full(16, REGIONS.index("palm"))
    for number, finger in enumerate(FINGERS):
        # The thumb's metacarpal lies in the palm.
        regions_of[FIRST[finger] + (finger == "thumb") : FIRST[finger] + 3] = number
    faces, bone_of = closed(data["f"]), data["weights"].argmax(1)
    regions, pads = contact_regions(
        vertices=template, faces=faces, bone_of=bone_of, regions_of=regions_of, inner=frames[:, :, 2]
    )
    return Mano(
        name="mano",
        articulation=tuple(f"{finger}_{joint}_{axis}" for finger in ORDER for joint in (1, 2, 3) for axis in "xyz"),
        limits=torch.from_numpy(rotation_limits(frames=axes.T @ frames)).float(),
        rest=torch.zeros(45),
        faces=faces,
        bones=("wrist", *(f"{finger}_{joint}" for finger in ORDER for joint in (1, 2, 3))),
        bone_of=bone_of,
        regions=regions,
        pads=pads,
        axes=torch.from_numpy(axes).float(),
        body=body,
    )


def bone_frames(*, joints: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """Frames (16, 3, 3) of the bones of the flat hand; columns: bends about, points along, has its inner side to.

    Args:
        joints: (16, 3) in the hand's own frame, MANO's order.
        tips: (5, 3) of the fingers, in the order of `FINGERS`.
    """
    down = np.array([0.0, 0.0, -1.0])
    frames = np.tile(np.stack([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], down], axis=1), (16, 1, 1))
    for finger, tip in zip(FINGERS, tips, strict=True):
        first = FIRST[finger]
        ends = [joints[first + 1], joints[first + 2], tip]
        for bone, end in zip(range(first, first + 3), ends, strict=True):
            along = unit(end - joints[bone])
            inner = unit(down - (down @ along) * along)
            if finger == "thumb":
                # A thumb's inner side looks half down and half to the middle finger's knuckle.
                across = joints[FIRST["middle"]] - joints[bone]
                inner = unit(inner + unit(across - (across @ along) * along))
            frames[bone] = np.stack([np.cross(along, inner), along, inner], axis=1)
    return frames


def rotation_limits(*, frames: np.ndarray) -> np.ndarray:
    """Limits (45, 2), radians, of rotation vectors in the frame that the bones' frames (16, 3, 3) are given in."""
    limits = []
    for bone in range(1, 16):
        finger, joint = ORDER[(bone - 1) // 3], (bone - 1) % 3
        flexion, abduction, turn = np.radians((THUMB if finger == "thumb" else FINGER)[joint])
        # Of each coordinate the sum of what the three turns about bend, inner and along can add to it.
        spans = [np.sort(np.outer(frames[bone, :, column], span), axis=1)
                 for column, span in ((0, flexion), (2, abduction), (1, turn))]  # fmt: skip
        limits.append(np.sum(spans, axis=0))
    return np.concatenate(limits)
