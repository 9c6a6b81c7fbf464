"""Other people's grasps as a data set of hands: what all readers give, and how it is measured, put in words and kept.

Nobody's files come with Graspwise, and their licences are their own. Captions are made from what is measured, as those
of our own grasps are. Metres, in the frame of the object's file unless a reader says so.
"""

import pickle
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import torch

from graspwise.errors import InputError
from graspwise.files import empty_directory
from graspwise.hand.captions import Facts, captions_of, force_of
from graspwise.hand.grasps import HandGrasp, HandObject, keep_solid, write_hands
from graspwise.hand.mano import Mano
from graspwise.hand.mano_file import ArraysOnly
from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.metrics import contact_fingers
from graspwise.hand.model import HandModel

Kind = Literal["oakink", "grab", "dexgraspnet"]


@dataclass(frozen=True, eq=False)
class Imported:
    """An object of another data set and the hands on it.

    Attributes:
        object_id: Begins with the data set's name.
        name: Its category.
        solid: The object.
        parameters: (n, P) of the hand model that was asked for.
    """

    object_id: str
    name: str
    solid: Solid
    parameters: np.ndarray


@dataclass(frozen=True)
class Counts:
    """What became of an import.

    Attributes:
        objects: Kept.
        grasps: Kept.
        apart: Grasps that touch nothing within 3 mm, and are left out.
    """

    objects: int
    grasps: int
    apart: int


def import_hands(
    kind: Kind, things: Iterable[Imported], out: Path | str, *, hand: HandModel, seed: int = 0,
    progress: Callable[[Iterable[Imported]], Iterable[Imported]] = lambda stream: stream,
) -> Counts:  # fmt: skip
    """Write what a reader gives as a data set.

    Args:
        kind: Name of the data set they come from.
        things: Of a reader.
        out: New folder.
        hand: Whose parameters they are.
        seed: Decides the words, and the points of the objects' clouds.
        progress: Wraps the stream of objects.

    Raises:
        InputError: `out` holds files, a file of the reader's is damaged, or no grasp touches its object.
    """
    folder = empty_directory(out)
    objects: list[HandObject] = []
    grasps: list[HandGrasp] = []
    apart = 0
    for thing in progress(things):
        rng = np.random.default_rng([seed, len(objects)])
        distance, mine = Distance(thing.solid), []
        with torch.no_grad():
            posed = hand.pose(*hand.layout.split(torch.from_numpy(thing.parameters).float()))
        for row, vertices in zip(thing.parameters, posed.vertices.double().numpy(), strict=True):
            fingers = contact_fingers(vertices, distance, regions=hand.regions)
            if not fingers:
                apart += 1
                continue
            force = force_of(fingers)
            captions = captions_of(Facts(thing.name, thing.solid.parts, "", fingers, force), rng=rng)
            mine.append(HandGrasp(thing.object_id, row.astype(np.float32), fingers, force, captions))
        if mine:
            keep_solid(folder, thing.object_id, thing.solid)
            objects.append(
                HandObject.of(thing.solid, object_id=thing.object_id, name=thing.name, set_name=kind, rng=rng)
            )
            grasps += mine
    write_hands(folder, hand=hand.name, objects=objects, grasps=grasps, seed=seed)
    return Counts(len(objects), len(grasps), apart)


def read_imported(kind: Kind, source: Path | str, *, hand: HandModel) -> Iterable[Imported]:
    """The reader of a data set.

    Raises:
        InputError: the folder is not laid out as that data set, or its grasps are of another hand than is asked for.
    """
    if kind == "oakink":
        from graspwise.hand.import_oakink import read_oakink

        return read_oakink(Path(source), hand=hand)
    if kind == "grab":
        from graspwise.hand.import_grab import read_grab

        return read_grab(Path(source), hand=hand)
    from graspwise.hand.import_dexgraspnet import read_dexgraspnet

    return read_dexgraspnet(Path(source), hand=hand)


def as_mano(kind: Kind, hand: HandModel) -> Mano:
    """The hand, for a data set whose grasps are MANO's.

    Raises:
        InputError: it is another one.
    """
    if not isinstance(hand, Mano):
        raise InputError(f"--import {kind}: its grasps are MANO's; found --hand {hand.name}, valid is mano")
    return hand


def arrays_in(path: Path) -> Any:
    """What a pickle, an .npy or an .npz file of pickled arrays holds; nothing is run that it may name.

    Returns:
        Of .npz, a dictionary by name.

    Raises:
        InputError: it is missing, or holds other things than arrays, numbers, texts, lists and dictionaries.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as held:
                return {name.removesuffix(".npy"): _npy(held.open(name)) for name in held.namelist()}
        with path.open("rb") as file:
            return _npy(file) if path.suffix == ".npy" else ArraysOnly(file, encoding="latin1").load()
    except (OSError, EOFError, ValueError, TypeError, AttributeError, LookupError, pickle.UnpicklingError,
            zipfile.BadZipFile) as error:  # fmt: skip
        raise InputError(f"{path}: cannot be read ({error})") from error


def _npy(file: IO[bytes]) -> Any:
    """One array; of an array of objects what it holds, where it is a single one."""
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    shape, fortran, dtype = read_header[version](file)
    if dtype.hasobject:
        held = ArraysOnly(file, encoding="latin1").load()
        return held.item() if shape == () else held
    flat = np.frombuffer(file.read(), dtype=dtype)
    whole = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return whole.item() if shape == () else whole
