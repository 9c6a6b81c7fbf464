"""`benchmark wishes` through the real command line on drawn scenes, and a refusal through `predict`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wish_drawn import Says, draw_scene

import graspwise
from graspwise.grasp import Grasp
from graspwise.model.responder import Response
from graspwise.predict import Model

Run = Callable[..., tuple[int, str, str]]
WISHES = ["benchmark", "wishes"]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    from graspwise.evaluation import wish_benchmark

    def make(config, folder, *, sets, workers, ray, progress):
        for number in range(config.scenes):
            if not (folder / f"{number:06d}").is_dir():
                draw_scene(folder / f"{number:06d}", "mug", "screwdriver", "banana", owner=sets[0])

    monkeypatch.setattr(wish_benchmark, "make_scenes", make)


def test_benchmark_asks_reports_and_goes_on(run: Run, drawn: None, tmp_path: Path) -> None:
    code, out, err = run(*WISHES, "--models", "blob,centre,grconvnet", "--count", 1, "--seed", 2, "--out", "report")
    assert code == 0 and "model blob" in err and "grconvnet: left out" in err
    report = tmp_path / "report"
    assert (report / "report.md").read_text() == out
    assert {path.name for path in report.iterdir()} == {
        "config.json", "questions.json", "scenes", "cells", "report.json", "report.md", "report.html", "plots",
        "gallery",
    }  # fmt: skip
    found = json.loads((report / "report.json").read_text())
    assert list(found["models"]) == ["blob", "centre"] and found["blank"] == ["grconvnet"]
    assert found["command"].startswith("graspwise benchmark wishes --models blob,centre,grconvnet --count 1")
    written = (report / "cells" / "wishes-2-blob.json").stat().st_mtime_ns
    code, out, err = run(
        *WISHES, "--models", "blob,random", "--count", 1, "--seed", 2, "--out", "report",
    )  # fmt: skip
    assert code == 0 and "model random" in err and "model blob" not in err and "| random |" in out
    assert (report / "cells" / "wishes-2-blob.json").stat().st_mtime_ns == written
    code, _, err = run(*WISHES, "--models", "blob", "--count", 1, "--out", "report")
    assert code == 2 and "begun with another seed" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", ""], "--models is empty"),
        (["--models", "blob,blob"], "stands there twice"),
        (["--clutter", "few"], "--clutter is 'few'; valid is a number"),
        (["--clutter", "0-3"], "--clutter is 0-3; valid is 1-1 to 1-12"),
        (["--count", "0"], "--count is 0; valid is 1 or more"),
        (["--trials", "-1"], "--trials is -1; valid is 0 or more"),
        (["--seed", "-1"], "--seed is -1; valid is 0 or more"),
        (["--candidates", "0"], "--candidates is 0; valid is 1 or more"),
        (["--grconvnet", "nowhere"], "--grconvnet nowhere: holds no GR-ConvNet"),
    ],
)
def test_bad_options_are_one_line(run: Run, tmp_path: Path, options: list[str], message: str) -> None:
    code, out, err = run(*WISHES, *options, "--out", "report")
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1
    assert not (tmp_path / "report").exists()


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    Image.fromarray(np.full((120, 160, 3), 180, np.uint8)).save(tmp_path / "table.png")
    return tmp_path / "table.png"


def test_a_refusal_is_printed_with_its_reason(run: Run, photograph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuses = Says(refused=True, text="Nothing here serves to drink from.")
    monkeypatch.setattr(graspwise, "load", lambda name, *, say: Model(refuses))
    code, out, err = run("predict", photograph, "--ask", "I am thirsty", "--out", "answer.png")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Nothing here serves to drink from.", "No grasp: nothing in view serves this.", "drawn in answer.png",
    ]  # fmt: skip
    with Image.open("answer.png") as drawn:
        plain = 480 * 120 / 160
        # The picture as it is, and two lines below it.
        assert drawn.height > plain + 30
        assert np.asarray(drawn)[: int(plain)].std() < 1
    code, out, _ = run("predict", photograph, "--ask", "I am thirsty", "--json")
    answer = json.loads(out)
    assert (code, answer["refused"], answer["grasp"], answer["grasps"], answer["target"]) == (0, True, None, None, None)
    assert answer["reasoning"] == answer["text"] == "Nothing here serves to drink from."


def test_a_target_is_printed_below_the_answer(run: Run, photograph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Says(Grasp(x=0.5, y=0.5, theta=0.0), target="mug")
    monkeypatch.setattr(graspwise, "load", lambda name, *, say: Model(names))
    code, out, _ = run("predict", photograph, "--ask", "I am thirsty")
    assert code == 0 and out.splitlines()[-1] == "Target: mug"
    code, out, _ = run("predict", photograph, "--ask", "I am thirsty", "--json")
    assert (json.loads(out)["target"], json.loads(out)["refused"]) == ("mug", False)


def test_a_refusal_with_a_grasp_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="a refusal holds no grasp"):
        Response("No.", "No.", Grasp(x=0.5, y=0.5, theta=0.0), refused=True)
    with pytest.raises(ValueError, match="a refusal holds no grasp"):
        Response("No.", "No.", None, (Grasp(x=0.5, y=0.5, theta=0.0),), refused=True)
