"""MANO's file as it is given out: chumpy's objects, SciPy's matrices, and nothing that may run."""

import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hand_cases import mano_arrays, write_mano

from graspwise.errors import InputError
from graspwise.hand.mano_file import FILE, NEEDED, SHAPES, find_mano, read_mano


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return mano_arrays()


@pytest.fixture(scope="module")
def folder(arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mano")
    write_mano(folder / FILE, arrays)
    return folder


def test_the_file_is_found_below_the_folder_that_was_unpacked(folder: Path, tmp_path: Path) -> None:
    assert find_mano(folder) == find_mano(folder / FILE) == folder / FILE
    (tmp_path / "models").symlink_to(folder)
    assert find_mano(tmp_path) == tmp_path / "models" / FILE
    with pytest.raises(InputError, match=r"no MANO_RIGHT\.pkl there"):
        find_mano(tmp_path / "elsewhere")


def test_chumpys_arrays_are_read_where_chumpy_is_not_installed(
    arrays: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Pickled:
        """As chumpy pickles itself: by its state, a dictionary."""

        def __init__(self, **state: Any) -> None:
            self.__dict__ = state

    # Pickled under chumpy's names, which are gone when it is read. In MANO's file twenty shapes, of which ten are used.
    ch, select = type("Ch", (Pickled,), {"__module__": "chumpy.ch"}), type("Select", (Pickled,), {})
    select.__module__ = "chumpy.reordering"
    every = np.concatenate([arrays["shapedirs"], arrays["shapedirs"] + 1], axis=2)
    chosen = np.arange(every.size).reshape(every.shape)[:, :, :SHAPES].ravel()
    shapes = select(a=ch(x=every), idxs=chosen, preferred_shape=(778, 3, SHAPES), _caches={"seen": set()})
    with monkeypatch.context() as during:
        for module, kind in (("chumpy", ch), ("chumpy.ch", ch), ("chumpy.reordering", select)):
            during.setitem(sys.modules, module, ModuleType(module))
            during.setattr(sys.modules[module], kind.__name__, kind, raising=False)
        changed = {"shapedirs": shapes, "v_template": ch(x=arrays["v_template"])}
        path = write_mano(tmp_path / FILE, arrays | changed)
    data = read_mano(path)
    assert all(np.array_equal(data[name], arrays[name]) for name in changed)
    assert np.allclose(data["J_regressor"], arrays["J_regressor"].toarray()) and data["f"].dtype == np.int64
    assert set(data) == set(NEEDED)


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Bad:
        def __reduce__(self) -> Any:
            return exec, ("raise SystemExit('was run')",)

    (tmp_path / FILE).write_bytes(pickle.dumps({"f": Bad()}, protocol=2))
    with pytest.raises(InputError, match=r"it names .*exec"):
        read_mano(tmp_path / FILE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not MANO's pickle"),
        (b"PK\x03\x04 a zip", "not MANO's pickle"),
        (pickle.dumps([1, 2], protocol=2), r"v_template: found None; valid is \(778, 3\)"),
        (pickle.dumps({"v_template": np.zeros((6890, 3))}, protocol=2), r"v_template: found \(6890, 3\)"),
    ],
)
def test_what_is_not_manos_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_mano(tmp_path / FILE)
    assert "\n" not in str(caught.value)
