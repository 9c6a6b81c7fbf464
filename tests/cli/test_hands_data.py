"""`graspwise dataset build hands`: what is said when it cannot be done, and after it is done."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from graspwise.hand import build
from graspwise.hand.grasps import HandDataset

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--objects", "unicorn"], "--objects unicorn"),
        (["--each", "0"], "--each is 0"),
        (["--import", "dexgraspnet", "."], "give DexGraspNet's data folder"),
        (["--import", "grab", "."], "valid is mano"),
        (["--hand", "mano", "--mano", "nowhere"], "nowhere: no MANO_RIGHT.pkl"),
    ],
)
def test_one_line_says_what_is_wrong(run: Run, options: list[str], says: str) -> None:
    code, out, err = run("dataset", "build", "hands", "--out", "hands", *options)
    assert code == 2 and says in err and out == "" and "Traceback" not in err


def test_it_says_what_was_kept(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "BATCH", 2)
    monkeypatch.setattr(build, "grasps_on", partial(build.grasps_on, steps=50))
    code, out, _ = run(
        "dataset", "build", "hands", "--out", "hands", "--objects", "household:lemon", "--each", "1", "--workers", "1"
    )
    assert code == 0 and out.startswith("1 grasps on 1 of 1 objects in hands;")
    assert len(HandDataset(tmp_path / "hands").grasps) == 1
