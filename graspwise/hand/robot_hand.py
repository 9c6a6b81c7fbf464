"""A robot's hand with fingers, as a tree of joints from a YAML file: joint angles in, fingertips out.

Metres and radians; a turn in the file is in degrees about fixed x, y, z. The palm's frame is the maker's own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from graspwise.data.yaml_file import read_yaml
from graspwise.errors import InputError
from graspwise.hand.model import FINGERS

ALLEGRO = Path(__file__).with_name("allegro.yaml")
SECTIONS = ("name", "along", "back", "joints", "tips")
JOINT, TIP = ("name", "parent", "at", "turn", "axis", "limits"), ("joint", "at", "radius")
PALM = "palm"


@dataclass(frozen=True, eq=False)
class RobotHand:
    """A hand whose joints all turn.

    Attributes:
        name: In the file.
        axes: (3, 3) rotation from the frame that all hand models have to the palm's.
        joints: Names of the J joints; a parent stands before its children.
        parents: (J,) each joint's parent, -1 for the palm.
        frames: (J, 4, 4) each joint's frame in its parent's, at angle 0.
        turns: (J, 3) unit axes in the joints' own frames.
        limits: (J, 2) radians.
        tips: Of each finger it has: the last joint, the ball's middle (3,) in its frame, and its radius.
    """

    name: str
    axes: np.ndarray
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    frames: np.ndarray
    turns: np.ndarray
    limits: np.ndarray
    tips: dict[str, tuple[int, np.ndarray, float]]

    def fingertips(self, angles: np.ndarray) -> np.ndarray:
        """Middles (F, 3) of the balls at the fingers' ends in the palm's frame, in the order of `tips`.

        Args:
            angles: (J,) radians.
        """
        turns = np.tile(np.eye(4), (len(angles), 1, 1))
        turns[:, :3, :3] = Rotation.from_rotvec(self.turns * angles[:, None]).as_matrix()
        placed: list[np.ndarray] = []
        for own, parent in zip(self.frames @ turns, self.parents, strict=True):
            placed.append(own if parent < 0 else placed[parent] @ own)
        return np.stack([placed[joint][:3, :3] @ at + placed[joint][:3, 3] for joint, at, _ in self.tips.values()])


def read_robot_hand(path: Path | str = ALLEGRO) -> RobotHand:
    """A robot hand from its YAML file; without one the Allegro Hand.

    Raises:
        InputError: the file is missing or does not describe a hand.
    """
    path = Path(path)
    found = read_yaml(path, sections=SECTIONS)
    along, back = (_unit(path, name, found[name]) for name in ("along", "back"))
    if abs(along @ back) > 1e-3:
        raise InputError(f"{path}: back: found a direction not at right angles to along; valid is one that is")
    joints = [_entry(path, f"joints, number {i}", entry, JOINT) for i, entry in enumerate(_list(path, found["joints"]))]
    names = [str(joint["name"]) for joint in joints]
    parents, frames, limits, turns = [], np.tile(np.eye(4), (len(joints), 1, 1)), [], []
    for number, joint in enumerate(joints):
        place = f"joints, {names[number]}"
        before = names[:number]
        if joint["parent"] not in (PALM, *before) or names[number] in (PALM, *before):
            raise InputError(f"{path}: {place}: found parent {joint['parent']}; valid is {PALM} or a joint before it")
        parents.append(-1 if joint["parent"] == PALM else before.index(joint["parent"]))
        frames[number, :3, 3] = _numbers(path, f"{place}, at", joint["at"], 3)
        turn = _numbers(path, f"{place}, turn", joint["turn"], 3)
        frames[number, :3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
        turns.append(_unit(path, f"{place}, axis", joint["axis"]))
        low, high = _numbers(path, f"{place}, limits", joint["limits"], 2)
        if not low < high:
            raise InputError(
                f"{path}: {place}, limits: found {low:g} to {high:g}; valid is a lower, then a higher angle"
            )
        limits.append((low, high))
    tips = {}
    for finger, value in _mapping(path, "tips", found["tips"]).items():
        if finger not in FINGERS:
            raise InputError(f"{path}: tips: found {finger}; valid are {', '.join(FINGERS)}")
        tip = _entry(path, f"tips, {finger}", value, TIP)
        if tip["joint"] not in names:
            raise InputError(f"{path}: tips, {finger}: found joint {tip['joint']}; valid is one of its joints")
        [radius] = _numbers(path, f"tips, {finger}, radius", [tip["radius"]], 1)
        tips[finger] = names.index(tip["joint"]), _numbers(path, f"tips, {finger}, at", tip["at"], 3), float(radius)
    if "thumb" not in tips or len(tips) < 2:
        raise InputError(f"{path}: tips: found {', '.join(tips) or 'none'}; valid are the thumb and at least one more")
    axes = np.stack([along, np.cross(back, along), back], axis=1)
    return RobotHand(
        str(found["name"]), axes, tuple(names), tuple(parents), frames, np.array(turns), np.array(limits), tips
    )


def _list(path: Path, found: Any) -> list[Any]:
    if not isinstance(found, list) or not found:
        raise InputError(f"{path}: joints: found {found!r:.60}; valid is a list of one or more joints")
    return found


def _mapping(path: Path, place: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise InputError(f"{path}: {place}: found {found!r:.60}; valid is a mapping")
    return found


def _entry(path: Path, place: str, found: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    if sorted(_mapping(path, place, found)) != sorted(keys):
        raise InputError(f"{path}: {place}: found {', '.join(map(str, found))}; valid are exactly {', '.join(keys)}")
    return dict(found)


def _numbers(path: Path, place: str, found: Any, count: int) -> np.ndarray:
    try:
        value = np.array(found, np.float64)
    except (TypeError, ValueError):
        value = np.empty(0)
    if value.shape != (count,) or not np.isfinite(value).all():
        raise InputError(f"{path}: {place}: found {found!r:.60}; valid are {count} finite numbers")
    return value


def _unit(path: Path, place: str, found: Any) -> np.ndarray:
    value = _numbers(path, place, found, 3)
    if np.linalg.norm(value) < 1e-6:
        raise InputError(f"{path}: {place}: found no direction; valid are three numbers, not all 0")
    return value / np.linalg.norm(value)
