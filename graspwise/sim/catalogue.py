"""The object sets by name: `household` is for testing only, for ever; `train` is where training scenes come from.

`meshes` holds real things from other packages, as far as they are installed; it is no source of training data either.
A name may carry its set: `train:mug`, `household:mug`. Without it, the first set that has the name is taken, in the
order household, train, meshes.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graspwise.errors import InputError
from graspwise.sim import (
    household_home,
    household_kitchen,
    household_tools,
    train_bath,
    train_food,
    train_home,
    train_kitchen,
    train_office,
    train_tools,
    train_workbench,
)
from graspwise.sim.meshes import MESHES, installed, mesh_folder, mesh_object
from graspwise.sim.shapes import SimObject

SetName = Literal["household", "train", "meshes"]
SETS: tuple[SetName, ...] = ("household", "train", "meshes")
# Different things of a training family: more would be new, but then no split by object could hold one back.
INSTANCES = 60

HOUSEHOLD: dict[str, SimObject] = {
    **household_kitchen.OBJECTS, **household_tools.OBJECTS, **household_home.OBJECTS,
}  # fmt: skip
FAMILIES: dict[str, Callable[[np.random.Generator], SimObject]] = {
    **train_kitchen.FAMILIES, **train_food.FAMILIES, **train_tools.FAMILIES, **train_office.FAMILIES,
    **train_home.FAMILIES, **train_bath.FAMILIES, **train_workbench.FAMILIES,
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A name that scenes can be made with.

    Attributes:
        set: Which set it is of.
        name: Its name there: of an object in household or meshes, of a family in train.
    """

    set: SetName
    name: str

    def draw(self, rng: np.random.Generator) -> tuple[str, SimObject]:
        """Object id and object: the object itself, or one of the family's instances."""
        instance = f"-{rng.integers(INSTANCES):02d}" if self.set == "train" else ""
        object_id = f"{self.set}/{self.name}{instance}"
        return object_id, thing_of(object_id)


def thing_of(object_id: str) -> SimObject:
    """The object of an id as `Entry.draw` gives it: `household/mug`, `train/mug-07`, `meshes/duck`.

    Raises:
        InputError: a mesh is not installed, or its file is damaged.
    """
    set_name, _, name = object_id.partition("/")
    if set_name == "household":
        return HOUSEHOLD[name]
    if set_name == "meshes":
        return mesh_object(name)
    family, _, instance = name.rpartition("-")
    return FAMILIES[family](np.random.default_rng([zlib.crc32(family.encode()), int(instance)]))


def entries(names: Iterable[str], *, sets: Sequence[SetName] = SETS) -> list[Entry]:
    """Entries of names of sets or objects, in order.

    Args:
        names: "household", "train", "meshes", an object's or family's name, or `SET:NAME`.
        sets: Sets that may be used.

    Raises:
        InputError: there is none of that name in those sets, or the mesh is not installed.
    """
    found = [entry for name in names for entry in _entries(name.strip(), sets)]
    if not found:
        raise InputError(
            "--objects is empty; valid are a set (household, train, meshes) or object names, e.g. mug,hammer"
        )
    return found


def _entries(name: str, sets: Sequence[SetName]) -> list[Entry]:
    members: dict[SetName, Iterable[str]] = {"household": HOUSEHOLD, "train": FAMILIES, "meshes": MESHES}
    given, _, own = name.rpartition(":")
    if (given or own) in members and (given or own) not in sets:
        raise InputError(f"--objects {name}: the set {given or own} is not for this; valid: {', '.join(sets)}")
    for set_name in sets:
        if name == set_name:
            return [Entry(set_name, member) for member in (installed() if name == "meshes" else members[set_name])]
        if given in ("", set_name) and own in members[set_name]:
            if set_name == "meshes":
                mesh_folder(own)
            return [Entry(set_name, own)]
    valid = "; ".join(f"{s}: {', '.join(members[s])}" for s in sets)
    held = " (a household object: those are for testing only)" if own in HOUSEHOLD and "household" not in sets else ""
    raise InputError(f"--objects {name}: there is none of that name{held}; valid are {', '.join(sets)}, or {valid}")
