"""The default hand: free of any licence, cut from the body model Anny, 1,609 vertices, 20 bones.

Its articulation are 23 angles as an anatomist names them, 0 being the straight finger beside the middle one: flexion
bends to the palm, abduction leads away from the middle finger (of the middle finger: to the thumb), a thumb's away
from the palm; pronation turns the thumb's inner side to the fingers. Its 6 shape parameters are the principal
components of adult hands, in standard deviations. docs/hands.md says where all of it is from.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from graspwise.hand.model import Anatomy, Layout, Posed, contact_regions, cross_matrix, place_points

ASSET = Path(__file__).with_name("open_hand.npz")


@dataclass(frozen=True, eq=False)
class OpenHand(Anatomy):
    """Linear blend skinning; a `HandModel`.

    Attributes:
        name: "open"; `articulation` has 23 names, as "index_mcp_flexion", and `bones` 20.
        rest: (23,) radians, what the template is made with.
        parents: (20,) each bone's parent, the wrist's is -1; a parent stands before its children.
        template: (V, 3) metres, the mean hand at rest.
        shape_directions: (S, V, 3) metres a standard deviation.
        heads: (20, 3) metres, where each bone turns.
        head_directions: (S, 20, 3).
        weights: (V, 20) skinning weights.
        axes: (23, 3) unit axes of the angles, at rest.
        turns: (20, 3) which angles turn a bone, the outermost first; 23 for none.
        tips: (5,) the fingers' outermost vertices.
        source: What it was made from, by whom, under which licence.
    """

    parents: tuple[int, ...]
    template: Tensor
    shape_directions: Tensor
    heads: Tensor
    head_directions: Tensor
    weights: Tensor
    axes: Tensor
    turns: Tensor
    tips: np.ndarray
    source: str

    @property
    def layout(self) -> Layout:
        return Layout(len(self.articulation), len(self.shape_directions))

    @cached_property
    def _levels(self) -> list[list[int]]:
        """Bones by their distance to the wrist, so that all of a distance are placed at once."""
        depth: list[int] = []
        for parent in self.parents:
            depth.append(0 if parent < 0 else depth[parent] + 1)
        return [[bone for bone, at in enumerate(depth) if at == level] for level in range(max(depth) + 1)]

    def pose(self, transform: Tensor, articulation: Tensor, shape: Tensor) -> Posed:
        """The hands of these parameters, in the articulation's precision and on its device.

        Args:
            transform: (B, 4, 4) rigid, `T_object_hand`.
            articulation: (B, 23) radians; values beyond the limits are taken as they are.
            shape: (B, 6) standard deviations.
        """
        vertices = self.template.to(articulation) + torch.einsum(
            "bs,svc->bvc", shape, self.shape_directions.to(articulation)
        )
        heads = self.heads.to(articulation) + torch.einsum("bs,sjc->bjc", shape, self.head_directions.to(articulation))
        rotations, places = self._bones(self._turned(articulation), heads)
        # A bone takes a point x to R (x - head) + place; all twelve numbers of it are blended by one product.
        moves = torch.cat([rotations, places[..., None] - rotations @ heads[..., None]], dim=-1).flatten(2)
        blended = (moves.mT @ self.weights.to(articulation).mT).unflatten(1, (3, 4))
        vertices = (blended[:, :, :3] * vertices.mT[:, None]).sum(2).mT + blended[:, :, 3].mT
        joints = [places[:, :1]]
        for finger, tip in enumerate(self.tips):
            last = self._finger_bones[finger]
            joints += [places[:, last], vertices[:, tip : tip + 1]]
        return Posed(place_points(transform, vertices), place_points(transform, torch.cat(joints, dim=1)))

    @cached_property
    def _finger_bones(self) -> list[list[int]]:
        """The three bones of each finger from the palm outwards; each bone's outer end is the next one's head."""
        chains = []
        for tip in self.tips:
            bone = int(self.bone_of[tip])
            chains.append([self.parents[self.parents[bone]], self.parents[bone], bone])
        return chains

    def _turned(self, articulation: Tensor) -> Tensor:
        """Rotation (B, 20, 3, 3) of each bone against its parent."""
        angles = (articulation - self.rest.to(articulation))[..., None, None]
        cross = cross_matrix(self.axes.to(articulation))
        identity = torch.eye(3).to(articulation)
        # Rodrigues' formula.
        turns = identity + angles.sin() * cross + (1 - angles.cos()) * (cross @ cross)
        turns = torch.cat([turns, identity.expand(len(turns), 1, 3, 3)], dim=1)
        first, second, third = (turns[:, self.turns[:, i].to(articulation.device)] for i in range(3))
        return first @ second @ third

    def _bones(self, turned: Tensor, heads: Tensor) -> tuple[Tensor, Tensor]:
        """Rotation (B, 20, 3, 3) and head (B, 20, 3) of each bone in the hand's frame."""
        rotations, places = {0: turned[:, 0]}, {0: heads[:, 0]}
        for level in self._levels[1:]:
            parents = [self.parents[bone] for bone in level]
            before = torch.stack([rotations[parent] for parent in parents], dim=1)
            offset = (before @ (heads[:, level] - heads[:, parents])[..., None])[..., 0]
            rotation = before @ turned[:, level]
            for i, (bone, parent) in enumerate(zip(level, parents, strict=True)):
                rotations[bone], places[bone] = rotation[:, i], places[parent] + offset[:, i]
        order = range(len(self.bones))
        return torch.stack([rotations[i] for i in order], dim=1), torch.stack([places[i] for i in order], dim=1)


def load_open_hand() -> OpenHand:
    """The hand that comes with this package."""
    with np.load(ASSET) as asset:
        held = {key: asset[key] for key in asset.files}
    bone_of = held["weights"].argmax(1)
    regions, pads = contact_regions(
        vertices=held["template"], faces=held["faces"], bone_of=bone_of, regions_of=held["regions_of"],
        inner=held["inner"],
    )  # fmt: skip
    tensors = (
        "limits", "rest", "template", "shape_directions", "heads", "head_directions", "weights", "axes", "turns"
    )  # fmt: skip
    return OpenHand(
        name="open",
        articulation=tuple(held["articulation"].tolist()),
        faces=held["faces"],
        bones=tuple(held["bones"].tolist()),
        bone_of=bone_of,
        regions=regions,
        pads=pads,
        parents=tuple(held["parents"].tolist()),
        tips=held["tips"],
        source=str(held["source"]),
        **{name: torch.from_numpy(held[name]) for name in tensors},
    )
