"""The real command line with GR-ConvNet: train, evaluate, predict, and what is refused."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graspwise.cli import app, main
from graspwise.errors import InputError
from graspwise.model.load import load_model


def graspwise_command(*arguments: str | Path) -> str:
    """Run the command in this process; its stdout."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def run(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("peer") / "run"
    graspwise_command(
        "train", "--model", "grconvnet", "--data", dataset_folder, "--out", out, "--recipe", "tiny",
        "--budget-samples", "24", "--folds", "3", "--fold", "1",
    )  # fmt: skip
    return out


def test_run_folder_holds_what_the_conventions_name(run: Path):
    names = ("config.json", "split.json", "metrics.jsonl", "model/graspwise.json", "model/grconvnet.safetensors",
             "plots/training.png")  # fmt: skip
    for name in names:
        assert (run / name).is_file(), name
    config = json.loads((run / "config.json").read_text())
    assert config["model"] == "grconvnet" and config["recipe"]["stage"]["samples"] == 24
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["samples"] for line in lines] == [4, 8, 12, 16, 20, 24]


def test_evaluate_uses_the_test_objects_of_the_run(run: Path, dataset_folder: Path):
    summary = json.loads(graspwise_command("evaluate", "--model", run, "--data", dataset_folder, "--json"))
    split = json.loads((run / "split.json").read_text())
    assert summary["objects"] == len(split["test"]) == 1
    assert summary["seen_objects"] == 0
    assert summary["accuracy_own_opening"]["percent"] is not None
    assert summary["category_named"]["percent"] is None
    assert (run / "report.md").is_file()


def test_predict_answers_with_an_opening_and_a_quality(run: Path, cornell_folder: Path):
    picture = min((cornell_folder / "01").glob("*.png"))
    line = json.loads(graspwise_command("predict", picture, "--model", run, "--json"))
    assert line["mode"] == "plain" and line["reasoning"] is None
    assert line["grasp"]["opening"] > 0 and line["grasp"]["jaw"] is None
    assert 1 <= len(line["grasps"]) <= 3
    assert line["grasp"]["quality"] == max(grasp["quality"] for grasp in line["grasps"])


@pytest.fixture(scope="module")
def deep_run(depth_dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("peer") / "deep"
    graspwise_command(
        "train", "--model", "grconvnet", "--depth", "--data", depth_dataset_folder, "--out", out, "--recipe", "tiny",
        "--budget-samples", "16", "--folds", "3", "--fold", "1",
    )  # fmt: skip
    return out


def test_with_depth_it_trains_is_scored_and_answers(
    deep_run: Path, depth_dataset_folder: Path, cornell_with_depth: Path
):
    assert json.loads((deep_run / "config.json").read_text())["depth"] is True
    summary = json.loads(graspwise_command("evaluate", "--model", deep_run, "--data", depth_dataset_folder, "--json"))
    assert summary["objects"] == 1 and summary["accuracy"]["percent"] is not None
    first, second = sorted((cornell_with_depth / "01").glob("*r.png"))[:2]
    depths = [path.with_name(path.name.replace("r.png", "d.tiff")) for path in (first, second)]
    both = graspwise_command(
        "predict", first, second, "--depth", depths[0], "--depth", depths[1], "--model", deep_run, "--json"
    )  # fmt: skip
    alone = graspwise_command(
        "predict", second, "--depth", depths[1], "--depth-unit", "m", "--model", deep_run, "--json"
    )  # fmt: skip
    answers = [json.loads(line) for line in (both + alone).splitlines()]
    assert [answer["image"] for answer in answers] == [str(first), str(second), str(second)]
    assert answers[1]["grasps"] == answers[2]["grasps"]


@pytest.mark.parametrize(
    ("model", "depths", "says"),
    [("deep", 0, "give --depth"), ("flat", 1, "takes no depth"), ("deep", 2, "found 2 for 1 pictures")],
)
def test_depth_must_fit_model_and_pictures(
    model: str, depths: int, says: str, run: Path, deep_run: Path, cornell_with_depth: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    picture = min((cornell_with_depth / "01").glob("*r.png"))
    given = [word for _ in range(depths) for word in ("--depth", picture.with_name("pcd0100d.tiff"))]
    words = ["predict", picture, *given, "--model", deep_run if model == "deep" else run]
    monkeypatch.setattr(sys, "argv", ["graspwise", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, err = capsys.readouterr()
    assert (stopped.value.code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_options_of_the_other_model_are_refused(run: Path, dataset_folder: Path, tmp_path: Path):
    peer = ["train", "--model", "grconvnet", "--data", str(dataset_folder), "--out", str(tmp_path / "out")]
    for more in (["--base", "small"], ["--strategy", "lora"], ["--recipe", "small"]):
        with pytest.raises(InputError, match="grconvnet"):
            CliRunner().invoke(app, [*peer, *more], catch_exceptions=False)
    llava = ["train", "--data", str(dataset_folder), "--out", str(tmp_path / "out"), "--depth"]
    with pytest.raises(InputError, match="--depth belongs to --model grconvnet"):
        CliRunner().invoke(app, llava, catch_exceptions=False)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="holds a grconvnet"):
        load_model(str(run))
