"""MANO's file of the right hand as plain arrays."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from graspwise.errors import InputError

FILE = "MANO_RIGHT.pkl"
GET = f"register at https://mano.is.tue.mpg.de, download mano_v1_2.zip and give the folder with {FILE}"
SHAPES = 10
NEEDED = {
    "v_template": (778, 3), "shapedirs": (778, 3, SHAPES), "posedirs": (778, 3, 135), "J_regressor": (16, 778),
    "weights": (778, 16), "f": (1538, 3), "kintree_table": (2, 16), "hands_mean": (45,), "hands_components": (45, 45),
}  # fmt: skip
# Of each package, what arrays are pickled with, in Python 2 and 3.
HARMLESS = {
    "numpy": ("dtype", "ndarray", "scalar", "_reconstruct", "_frombuffer"),
    "builtins": ("object", "set"), "__builtin__": ("object", "set"),
    "copyreg": ("_reconstructor",), "copy_reg": ("_reconstructor",),
    "_codecs": ("encode",),
}  # fmt: skip


def find_mano(path: Path) -> Path:
    """The right hand's file at or below the path.

    Raises:
        InputError: there is none.
    """
    places = [path, path / FILE, path / "models" / FILE, path / "mano" / FILE]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise InputError(f"{path}: no {FILE} there; {GET}")
    return found


def read_mano(path: Path) -> dict[str, np.ndarray]:
    """The arrays of MANO's pickle, float64 and int64.

    Nothing is run that a pickle may name, and chumpy, which wrote it and no longer installs, is not needed.

    Raises:
        InputError: not a pickle of arrays, or not those of MANO.
    """
    data = {}
    try:
        with path.open("rb") as file:
            held = ArraysOnly(file, encoding="latin1").load()
        for name, shape in NEEDED.items():
            value: Any = held.get(name) if isinstance(held, dict) else None
            if isinstance(value, Chumpy):
                value = value.numbers()
            value = value.toarray() if hasattr(value, "toarray") else value
            if not isinstance(value, np.ndarray) or value.shape != shape:
                raise InputError(
                    f"{path}: {name}: found {getattr(value, 'shape', None)}; valid is {shape}, as in MANO 1.2"
                )
            data[name] = value.astype(np.int64 if value.dtype.kind in "iu" else np.float64)
    except InputError:
        raise
    except (pickle.UnpicklingError, EOFError, AttributeError, ValueError, TypeError, LookupError) as error:
        raise InputError(f"{path}: not MANO's pickle ({error}); {GET}") from error
    return data


class Chumpy:
    """Stands for chumpy's `Ch`, which keeps its numbers as x, and for `Select`, which takes some of another one's."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    def numbers(self) -> np.ndarray:
        """What chumpy would make of it; KeyError where it is another of its operations."""
        if "x" in self.state:
            return np.asarray(self.state["x"])
        chosen: np.ndarray = self.state["a"].numbers().ravel()[self.state["idxs"]]
        return chosen.reshape(self.state["preferred_shape"])


class ArraysOnly(pickle.Unpickler):
    """Reads NumPy's and SciPy's arrays and chumpy's as `Chumpy`."""

    def find_class(self, module: str, name: str) -> Any:
        root = module.split(".")[0]
        if root == "chumpy":
            return Chumpy
        if root == "scipy" and name in ("csc_matrix", "csr_matrix"):
            # Its module had another name when the file was written.
            return super().find_class("scipy.sparse", name)
        if name in HARMLESS.get(root, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}")
