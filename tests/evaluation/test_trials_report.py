"""The table of trials, counted by hand on made-up ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.evaluation import trials_report as module
from graspwise.evaluation.trials import Trial, TrialConfig
from graspwise.evaluation.trials_report import figures, rate, trials_lines, trials_report, with_interval
from graspwise.files import write_json

CONFIG = TrialConfig(objects=("household",), poses=2)
TRIAL = Trial("household-mug-0", "household/mug", "mug", "any", True, True, None, ("handle",), None)
MISSED = replace(TRIAL, lifted=False, allowed=False, cause="missed", parts=())
KNIFE = replace(TRIAL, scene="household-knife-0", object_id="household/knife", category="kitchen knife")
ROWS = [
    TRIAL,
    replace(MISSED, scene="household-mug-1"),
    replace(TRIAL, setting="narrow"),
    replace(MISSED, setting="narrow"),
    replace(KNIFE, allowed=False),
    replace(KNIFE, scene="household-knife-1", lifted=False, allowed=False, cause="slipped"),
    replace(KNIFE, setting="narrow"),
    replace(KNIFE, setting="narrow"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    write_json(out / "answers" / "centre.json", [{"seconds": second} for second in (0.1, 0.3, 0.2)])
    write_json(out / "answers" / "oracle.json", [{"scene": "household-mug-0"}])
    for scene in {row.scene for row in ROWS}:
        (out / "scenes" / scene).mkdir(parents=True)
        Image.new("RGB", (64, 64), "white").save(out / "scenes" / scene / "rgb.png")
    always = [replace(row, lifted=True, allowed=True, cause=None) for row in ROWS]
    trials_report(
        out, {"centre": ROWS, "oracle": always}, config=CONFIG, command="graspwise benchmark sim --out REPORT"
    )
    return out


def test_failures_are_shown_of_models_and_not_of_controls(folder: Path) -> None:
    # Three grasps were not lifted, or by a part that should be left alone: one row of three tiles.
    with Image.open(folder / "plots" / "failures-centre.png") as sheet:
        assert sheet.width > 3 * 240 and sheet.height < 2 * 400
    assert not (folder / "plots" / "failures-oracle.png").exists()


def test_figures_are_counted_by_hand() -> None:
    found = figures(ROWS, {"mug"}, 0.25)
    assert (found["lifted"], found["trials"], found["rate"]) == (2, 4, 0.5)
    # One of each object's two scenes: however objects are drawn it is half.
    assert found["ci95"] == [0.5, 0.5]
    assert (found["allowed_part"]["lifted"], found["allowed_part"]["rate"]) == (1, 0.25)
    assert (found["narrow_gripper"]["lifted"], found["narrow_gripper"]["trials"]) == (3, 4)
    assert (found["seen_categories"]["lifted"], found["seen_categories"]["trials"]) == (1, 2)
    assert (found["unseen_categories"]["lifted"], found["unseen_categories"]["trials"]) == (1, 2)
    assert found["causes"] == {"missed": 1, "slipped": 1}
    assert found["by_object"] == {"mug": {"lifted": 1, "trials": 2}, "knife": {"lifted": 1, "trials": 2}}
    assert found["seconds_median"] == 0.25


def test_an_interval_is_over_objects_and_holds_the_rate() -> None:
    rows = [replace(TRIAL, object_id=f"household/{number}", lifted=number < 6) for number in range(10)]
    found = rate(rows, "lifted")
    low, high = found["ci95"]
    assert 0.2 < low < found["rate"] == 0.6 < high < 1
    # Ten trials of one object tell nothing of other objects.
    assert rate([replace(row, object_id="household/1") for row in rows], "lifted")["ci95"] == [0.6, 0.6]


def test_no_trials_no_rate() -> None:
    assert rate([], "lifted") == {"lifted": 0, "trials": 0, "rate": None, "ci95": None}
    assert with_interval(rate([], "lifted")) == ""
    assert with_interval(rate([TRIAL, MISSED], "lifted")) == "50.0% (1/2; 50.0 to 50.0)"


def test_report_json_has_the_keys_of_the_conventions(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    centre = report["models"]["centre"]
    assert {"lifted", "trials", "rate", "ci95", "allowed_part"} <= set(centre)
    assert (centre["lifted"], centre["trials"], centre["seconds_median"]) == (2, 4, 0.2)
    assert report["models"]["oracle"]["seconds_median"] is None
    assert report["models"]["oracle"]["rate"] == 1
    # mug is a category of the training set, kitchen knife may be one or not, but all are counted.
    split = centre["seen_categories"]["trials"], centre["unseen_categories"]["trials"]
    assert sum(split) == 4 and split[0] >= 2
    assert "2 objects x 2 poses" in report["protocol"]
    assert report["config"]["poses"] == 2
    assert report["published"]["RT-Grasp, LoRA"] == {"lifted": 113, "trials": 135, "rate": 0.837}
    assert len(report["trials"]["centre"]) == len(ROWS)


def test_report_md_is_made_from_report_json(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    text = (folder / "report.md").read_text()
    assert text == "\n".join(trials_lines(report)) + "\n"
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    # The best comes first.
    assert [line.split("|")[1].strip() for line in table[2:]] == ["oracle", "centre"]
    row = table[3]
    assert "50.0% (2/4" in row and "25.0% (1/4" in row and "1 missed, 1 slipped" in row and "0.20" in row
    assert "40 mm" in table[0]
    assert "- oracle: " in text and "- random: " not in text
    assert "RT-Grasp, LoRA 83.70% (113/135)" in text
    assert "`graspwise benchmark sim --out REPORT`" in text


def test_the_plot_is_a_picture_that_differs_with_the_figures(folder: Path, tmp_path: Path) -> None:
    drawn = np.asarray(Image.open(folder / "plots" / "objects.png").convert("RGB"))
    assert min(drawn.shape[:2]) > 100 and drawn.std() > 10
    report = json.loads((folder / "report.json").read_text())
    module.plot_objects(report, tmp_path / "same.png")
    assert (tmp_path / "same.png").read_bytes() == (folder / "plots" / "objects.png").read_bytes()
    report["models"]["centre"]["by_object"]["mug"]["lifted"] = 2
    module.plot_objects(report, tmp_path / "other.png")
    assert (tmp_path / "other.png").read_bytes() != (tmp_path / "same.png").read_bytes()


def test_the_plot_counts_an_objects_own_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a training family every pose may be another thing, with fewer trials than there are poses."""
    from matplotlib.axes import Axes

    written = []
    real = Axes.text
    monkeypatch.setattr(Axes, "text", lambda self, x, y, s, **given: written.append(s) or real(self, x, y, s, **given))
    rows = [replace(TRIAL, object_id=f"train/mug-{number:02d}") for number in range(2)]
    report = {"config": {"poses": 2}, "models": {"oracle": figures(rows, {"mug"}, None)}}
    module.plot_objects(report, tmp_path / "plot.png")
    assert written == ["1/1", "1/1"]


def test_the_reference_is_the_first_model_that_is_no_baseline_and_no_control() -> None:
    assert module.reference_of(["oracle", "random", "blob", "small", "run"]) == "small"
    assert module.reference_of(["oracle", "centre"]) is None


def test_without_a_reference_there_is_no_column_for_it(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    assert report["reference"] is None
    assert "paired" not in "\n".join(trials_lines(report))
    report["reference"] = "centre"
    report["models"]["oracle"]["reference_minus_this"] = {"points": -50.0, "ci95": [-60.0, -40.0]}
    assert "centre minus this, paired" in "\n".join(trials_lines(report))
    assert "-50.0 (-60.0 to -40.0)" in "\n".join(trials_lines(report))


def test_a_paired_difference_is_scene_by_scene() -> None:
    rows = [replace(TRIAL, scene=str(number), object_id=f"o/{number}") for number in range(8)]
    theirs = [replace(row, lifted=number % 2 == 0) for number, row in enumerate(rows)]
    found = module.paired(rows, theirs[::-1])
    assert found["points"] == 50.0
    assert found["ci95"][0] < 50.0 < found["ci95"][1] <= 100.0
    assert module.in_points(found).startswith("+50.0 (+")
    assert module.in_points(None) == ""
