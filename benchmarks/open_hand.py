"""Makes graspwise/hand/open_hand.npz, the default hand, from the body model Anny.

    python -m venv ANNY && ANNY/bin/pip install anny==0.6.2
    PYTHONPATH=. ANNY/bin/python benchmarks/open_hand.py

Anny's first start takes two minutes. Its right hand is cut at the wrist and closed, put into the hand's own frame, and
freed of the body: the shapes of adults drawn from Anny's own population become a mean and six principal components.
The same seed gives the same file, up to the last digits of the machine's linear algebra.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anny
import numpy as np
import torch
from anny.shape_distribution import SimpleShapeDistribution

from graspwise.files import replacing
from graspwise.hand.model import FINGERS, REGIONS, closed, hand_axes
from graspwise.hand.open_hand import ASSET

PEOPLE = 1000
AGES = (18.0, 75.0)
COMPONENTS = 6
# Anny's local changes of the right hand, which a body's build leaves open, with the spread they are drawn with.
LOCAL = {"r-hand-fingers-length-incr": 0.25, "r-hand-fingers-diameter-incr": 0.25, "r-hand-scale-incr": 0.1}
# Degrees. Of fingers: American Academy of Orthopaedic Surgeons, Joint Motion, 1965, with 30 for its 0 to 45 of
# hyperextension, and 5 at the last joint, where the resting pinky has some; adduction goes on to where neighbours
# touch. Metacarpals: El-shennawy et al., J Hand Surg 2001, whose range begins at rest here. Thumb's outer joints:
# Eaton's E-Hand. Its base: abduction as AAOS; flexion and pronation about the resting hand, 1.2 and 2 times as much as
# Cooney et al., JBJS 1981 (53 and 17 in all), since the rig's metacarpal is short and its knuckle has neither
# abduction nor rotation: with less, a pinch with the index finger bends the finger's last joint by 70.
MCP, PIP, DIP = (-30, 90), (0, 100), (-5, 90)
ABDUCTION = {"index": (-10, 25), "middle": (-20, 20), "ring": (-10, 20), "pinky": (-10, 30)}
METACARPAL = {"ring": (0, 20), "pinky": (0, 27)}
THUMB_FLEXION, THUMB_ABDUCTION, THUMB_PRONATION = (-20, 45), (5, 70), (-5, 30)
THUMB_MCP, THUMB_IP = (-10, 55), (-15, 80)
SOURCE = (
    "right hand of Anny 0.6.2 (NAVER Corp., code Apache-2.0, https://github.com/naver/anny), whose shapes and rig are "
    "MakeHuman's (assets of MPFB2, CC0 1.0); made by benchmarks/open_hand.py of Graspwise"
)


@dataclass(frozen=True)
class Bones:
    """The mean hand's bones at rest, in its own frame.

    Attributes:
        names: Of the wrist first.
        parents: -1 for the wrist.
        heads: (20, 3) metres.
        frames: (20, 3, 3); columns are the axis it bends about, its direction outwards, and out of its inner side.
    """

    names: list[str]
    parents: list[int]
    heads: np.ndarray
    frames: np.ndarray

    def first(self, finger: str) -> int:
        """The finger's first bone beyond the palm; of the thumb its metacarpal."""
        return self.names.index(f"finger{FINGERS.index(finger) + 1}-1")

    def bend(self, bone: int) -> float:
        """Angle that the bone is bent at rest, against its parent, radians."""
        parent = self.parents[bone]
        before = self.heads[bone] - self.heads[parent]
        return float(np.arctan2(-before @ self.frames[bone, :, 2], before @ self.frames[bone, :, 1]))


@dataclass(frozen=True)
class Angle:
    """One articulation parameter.

    Attributes:
        name: As "index_pip_flexion".
        bone: That it turns.
        axis: (3,) unit, at rest.
        rest: Radians.
        limits: Degrees.
    """

    name: str
    bone: int
    axis: np.ndarray
    rest: float
    limits: tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ASSET)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with replacing(options.out) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **make_asset(seed=options.seed))
    print(f"{options.out}: {options.out.stat().st_size / 1e3:.0f} kB")


def make_asset(*, seed: int) -> dict[str, Any]:
    """All arrays of the file."""
    torch.manual_seed(seed)
    model = anny.Anny(
        rig="anny-hand.R", topology="hand.R", local_changes="default", phenotypes="all", skinning_method="lbs"
    )
    labels, parents = list(model.bone_labels), list(model.bone_parents)
    # The root stands where the wrist does and never moves against it: one bone.
    assert labels[:2] == ["root", "wrist.R"] and parents[1] == 0, "another rig than Anny 0.6.2's"
    points, frames = hands_of_people(model, knuckles=[labels.index(f"finger{i}-1.R") for i in (2, 3, 4, 5)])
    mean, directions = principal_components(points)
    count = len(model.template_vertices)
    left, _, right = np.linalg.svd(frames)
    bones = Bones(
        names=[label.removesuffix(".R") for label in labels[1:]], parents=[-1, *(parent - 1 for parent in parents[2:])],
        heads=mean[count:], frames=left @ right,
    )  # fmt: skip
    weights = model.dense_vertex_bone_weights.numpy()
    weights = np.concatenate([weights[:, :2].sum(1, keepdims=True), weights[:, 2:]], axis=1)
    regions_of = np.full(len(bones.names), REGIONS.index("palm"))
    for i, finger in enumerate(FINGERS):
        # The thumb's metacarpal lies in the palm.
        regions_of[bones.first(finger) + (finger == "thumb") : bones.first(finger) + 3] = i
    angles = list(articulation(bones))
    inner = bones.frames[:, :, 2].copy()
    inner[bones.names.index("wrist")] = (0.0, 0.0, -1.0)
    measured = {
        "template": mean[:count], "shape_directions": directions[:, :count],
        "heads": bones.heads, "head_directions": directions[:, count:],
        "weights": weights, "inner": inner,
        "axes": [angle.axis for angle in angles], "rest": [angle.rest for angle in angles],
        "limits": np.radians([angle.limits for angle in angles]),
    }  # fmt: skip
    return {name: np.asarray(value, np.float32) for name, value in measured.items()} | {
        "articulation": np.array([angle.name for angle in angles]),
        "turns": np.array([turns_of(bone, angles) for bone in range(len(bones.names))]),
        "faces": closed(model.faces.numpy()),
        "bones": np.array(bones.names),
        "parents": np.array(bones.parents),
        "regions_of": regions_of,
        "tips": np.array([tip(bones.first(finger) + 2, mean[:count], weights, bones) for finger in FINGERS]),
        "source": np.array(SOURCE),
    }


def hands_of_people(model: Any, *, knuckles: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and then heads (people, V + 20, 3) of drawn adults, metres; mean frames (20, 3, 3) of their bones."""
    ages = torch.distributions.Uniform(*(torch.tensor(age, dtype=torch.float64) for age in AGES))
    _, people = SimpleShapeDistribution(model, morphological_age_distribution=ages).sample(PEOPLE)
    changes = {name: spread * torch.randn(PEOPLE, dtype=torch.float64) for name, spread in LOCAL.items()}
    points, frames = [], []
    for begin in range(0, PEOPLE, 100):
        part = slice(begin, begin + 100)
        with torch.no_grad():
            hands = model(
                phenotype_kwargs={name: value[part] for name, value in people.items()},
                local_changes_kwargs={name: value[part] for name, value in changes.items()},
            )
        found = (hands[f"rest_{name}"].numpy() for name in ("vertices", "bone_heads", "bone_poses"))
        for vertices, heads, poses in zip(*found, strict=True):
            axes = hand_axes(wrist=heads[1], knuckles=heads[knuckles])
            points.append((np.concatenate([vertices, heads[1:]]) - heads[1]) @ axes.T)
            frames.append(axes @ poses[1:, :3, :3])
    return np.array(points), np.mean(frames, axis=0)


def principal_components(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (N, 3) and directions (6, N, 3), each one standard deviation long; more of a direction is a larger hand."""
    mean = points.mean(0)
    spread = (points - mean).reshape(len(points), -1)
    _, singular, directions = np.linalg.svd(spread, full_matrices=False)
    kept = (singular**2 / (singular**2).sum())[:COMPONENTS]
    print("variance of the components:", kept.round(3), "in all", kept.sum().round(4))
    directions = (directions[:COMPONENTS] * singular[:COMPONENTS, None] / np.sqrt(len(points) - 1)).reshape(
        -1, *mean.shape
    )
    signs = np.sign((directions * mean).sum((1, 2)))
    return mean, directions * signs[:, None, None]


def articulation(bones: Bones) -> Iterator[Angle]:
    """All angles; of one bone the outermost first."""
    bend, side, twist = bones.frames[:, :, 0], -bones.frames[:, :, 2], -bones.frames[:, :, 1]
    thumb, index = bones.first("thumb"), bones.first("index")
    # Abducted by the angle to the index finger's metacarpal, as seen along the thumb's own abduction axis.
    beside = (bones.heads[index] - bones.heads[bones.parents[index]]) @ bones.frames[thumb]
    yield Angle("thumb_cmc_flexion", thumb, bend[thumb], 0.0, THUMB_FLEXION)
    yield Angle("thumb_cmc_abduction", thumb, side[thumb], float(np.arctan2(-beside[0], beside[1])), THUMB_ABDUCTION)
    yield Angle("thumb_cmc_pronation", thumb, twist[thumb], 0.0, THUMB_PRONATION)
    yield Angle("thumb_mcp_flexion", thumb + 1, bend[thumb + 1], bones.bend(thumb + 1), THUMB_MCP)
    yield Angle("thumb_ip_flexion", thumb + 2, bend[thumb + 2], bones.bend(thumb + 2), THUMB_IP)
    directions = {finger: bones.frames[bones.first(finger), :2, 1] for finger in FINGERS}
    middle = np.arctan2(*directions["middle"][::-1])
    for finger in FINGERS[1:]:
        first = bones.first(finger)
        if finger in METACARPAL:
            metacarpal = bones.parents[first]
            yield Angle(f"{finger}_cmc_flexion", metacarpal, bend[metacarpal], 0.0, METACARPAL[finger])
        away = 1.0 if finger in ("index", "middle") else -1.0
        spread = float(away * (np.arctan2(*directions[finger][::-1]) - middle))
        yield Angle(f"{finger}_mcp_flexion", first, bend[first], bones.bend(first), MCP)
        yield Angle(f"{finger}_mcp_abduction", first, away * side[first], spread, ABDUCTION[finger])
        yield Angle(f"{finger}_pip_flexion", first + 1, bend[first + 1], bones.bend(first + 1), PIP)
        yield Angle(f"{finger}_dip_flexion", first + 2, bend[first + 2], bones.bend(first + 2), DIP)


def turns_of(bone: int, angles: list[Angle]) -> list[int]:
    """Numbers of the three angles that turn the bone, filled up with the number of angles."""
    found = [number for number, angle in enumerate(angles) if angle.bone == bone]
    return found + [len(angles)] * (3 - len(found))


def tip(bone: int, template: np.ndarray, weights: np.ndarray, bones: Bones) -> int:
    """The vertex farthest out along the bone, of those that it moves most."""
    own = np.flatnonzero(weights.argmax(1) == bone)
    return int(own[(template[own] @ bones.frames[bone, :, 1]).argmax()])


if __name__ == "__main__":
    main()
