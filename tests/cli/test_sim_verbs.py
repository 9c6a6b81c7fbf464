"""`sim render`, `dataset build sim` and `benchmark sim` through the real command line, small; bad input in one line."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.data.store import Dataset
from graspwise.sim import antipodal, film

Run = Callable[..., tuple[int, str, str]]
RENDER, BUILD, BENCHMARK = ["sim", "render"], ["dataset", "build", "sim"], ["benchmark", "sim"]
BRIEF = shlex.split("--objects eraser --scenes 1 --candidates 3 --trials 2 --size 96 --workers 1")
SHORT = shlex.split("--objects household:marker --poses 1 --workers 1")


@pytest.fixture(scope="module", autouse=True)
def few_samples_and_frames() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(antipodal, "SAMPLES", 300)
        patch.setattr(film, "EVERY", 2.0)
        yield


@pytest.mark.parametrize("verb", ["sim", "sim render", "dataset build sim", "benchmark sim"])
def test_help(verb: str, run: Run) -> None:
    code, out, _ = run(*verb.split(), "--help")
    assert code == 0 and "Usage" in out


def test_render(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("sim", "render", "--objects", "marker,train:eraser", "--seed", 4, "--out", "scenes")
    assert (code, out.splitlines()[0][:18]) == (0, "1 scenes in scenes")
    folder = tmp_path / "scenes" / "000000"
    names = [thing["category"] for thing in json.loads((folder / "scene.json").read_text())["objects"]]
    assert names == ["marker", "eraser"]
    assert set(np.unique(np.asarray(Image.open(folder / "objects.png")))) == {0, 1, 2}
    code, _, err = run("sim", "render", "--objects", "marker", "--out", "scenes")
    assert code == 2 and "not an empty folder" in err and err.count("\n") == 1


def test_without_mujoco_it_says_how_to_get_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['mujoco'] = None; from graspwise.cli import main; main()"
    arguments = [*RENDER, "--objects", "mug", "--out", str(tmp_path / "o")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "pip install 'graspwise[sim]'" in done.stderr
    assert not (tmp_path / "o").exists()


def test_build_goes_on_where_it_stopped(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(*BUILD, *BRIEF, "--out", "data")
    assert code == 0
    assert "1 scenes, " in out and " grasps tried, " in out and "1 samples in data" in out
    dataset = Dataset(tmp_path / "data")
    (sample,) = dataset
    assert sample.object_id.startswith("train/eraser-")
    assert dataset.picture(sample).size == (96, 96) and len(sample.rectangles) >= 1
    # The scenes made and nothing else yet: as after a stop.
    scenes = tmp_path / "data" / "scenes" / "000000"
    before = {path: path.stat().st_mtime_ns for path in scenes.iterdir()}
    for path in (tmp_path / "data").iterdir():
        if path.name not in ("scenes", "scenes.json"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert run(*BUILD, *BRIEF, "--out", "data")[0] == 0
    assert {path: path.stat().st_mtime_ns for path in scenes.iterdir()} == before
    assert [again.to_json() for again in Dataset(tmp_path / "data")] == [sample.to_json()]
    code, out, err = run(*BUILD, *BRIEF, "--seed", 5, "--out", "data")
    assert code == 2 and "begun with another seed" in err and err.count("\n") == 1


def test_benchmark(run: Run, tmp_path: Path) -> None:
    code, out, err = run(*BENCHMARK, *SHORT, "--models", "oracle,centre", "--out", "report")
    assert code == 0
    assert "| oracle |" in out and "| centre |" in out and "model centre" in err
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    for name in ("oracle", "centre"):
        assert {"lifted", "trials", "rate", "ci95", "allowed_part"} <= set(report["models"][name])
        assert report["models"][name]["trials"] == 1
    assert report["command"].startswith("graspwise benchmark sim --models oracle,centre --objects household:marker")
    assert (tmp_path / "report" / "report.md").read_text() == out
    answered = (tmp_path / "report" / "answers" / "centre.json").stat().st_mtime_ns
    code, out, err = run(*BENCHMARK, *SHORT, "--models", "oracle,centre,random", "--video", "--out", "report")
    assert code == 0 and "| random |" in out and "model centre" not in err
    assert (tmp_path / "report" / "answers" / "centre.json").stat().st_mtime_ns == answered
    films = {path.name for path in (tmp_path / "report" / "films").rglob("*.*")}
    assert films == {"household-marker-0.png", "household-marker-0.webp"}
    code, _, err = run(*BENCHMARK, *SHORT, "--models", "oracle", "--seed", 1, "--out", "report")
    assert code == 2 and "begun with another seed" in err and err.count("\n") == 1


REFUSED = [
    (RENDER, "--objects unicorn", "--objects unicorn: there is none of that name"),
    (RENDER, "--objects ''", "--objects"),
    (RENDER, "", "--objects"),
    (RENDER, "--objects mug --clutter few", "--clutter is 'few'; valid is a number such as 3, or a range such as 1-8"),
    (RENDER, "--objects mug --clutter 2-3", "2-3 things from 1 names"),
    (RENDER, "--objects mug --clutter 0", "--clutter is 0; valid is 1 or more"),
    (RENDER, "--objects mug --clutter 2-", "--clutter is '2-'"),
    (RENDER, "--objects mug --scenes 0", "--scenes is 0; valid is 1 or more"),
    (RENDER, "--objects mug --seed -1", "--seed is -1; valid is 0 or more"),
    (BUILD, "--objects household", "the set household is not for this; valid: train"),
    (BUILD, "--objects household:mug", "the set household is not for this; valid: train"),
    (BUILD, "--objects whisk", "those are for testing only"),
    (BUILD, "--clutter 8-1", "--clutter is 8-1"),
    (BUILD, "--clutter x", "--clutter is 'x'"),
    (BUILD, "--clutter 0", "--clutter is 0-0"),
    (BUILD, "--scenes 0", "--scenes is 0"),
    (BUILD, "--trials 0", "--trials is 0"),
    (BUILD, "--candidates 0", "--candidates is 0"),
    (BUILD, "--seed -1", "--seed is -1"),
    (BUILD, "--workers -1", "--workers"),
    (BUILD, "--size 8", "--size is 8"),
    (BUILD, "--samples -1", "--samples is -1"),
    (BENCHMARK, "--objects unicorn", "--objects unicorn: there is none of that name"),
    (BENCHMARK, "--objects ''", "--objects is empty"),
    (BENCHMARK, "--models ''", "--models is empty"),
    (BENCHMARK, "--models oracle,oracle", "oracle stands there twice"),
    (BENCHMARK, "--poses 0", "--poses is 0; valid is 1 or more"),
    (BENCHMARK, "--seed -1", "--seed is -1"),
    (BENCHMARK, "--workers -1", "--workers"),
    (BENCHMARK, "--robot spot", "'spot' is not one of 'gripper', 'panda'"),
    (BENCHMARK, "--robot panda --panda-model no.xml", "no.xml"),
]


@pytest.mark.parametrize(
    ("command", "options", "message"), REFUSED, ids=[f"{command[-1]} {options}" for command, options, _ in REFUSED]
)
def test_bad_input_is_one_line_and_exit_code_2(
    command: list[str], options: str, message: str, run: Run, tmp_path: Path
) -> None:
    settings = BRIEF if command is BUILD else ["--workers", "1"] if command is BENCHMARK else []
    arguments = [*command, *settings, *shlex.split(options), "--out", "o"]
    code, out, err = run(*arguments)
    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1 and err.startswith("graspwise: ")
    assert message in err, err
    # Nothing is begun that the command put right would stumble over.
    assert not (tmp_path / "o").exists() or not any((tmp_path / "o").iterdir())
