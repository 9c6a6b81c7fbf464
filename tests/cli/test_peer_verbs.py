"""The real command line with GR-ConvNet: train, evaluate, predict, and what is refused."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graspwise.cli import app
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


def test_options_of_the_other_model_are_refused(run: Path, dataset_folder: Path, tmp_path: Path):
    peer = ["train", "--model", "grconvnet", "--data", str(dataset_folder), "--out", str(tmp_path / "out")]
    for more in (["--base", "small"], ["--strategy", "lora"], ["--recipe", "small"]):
        with pytest.raises(InputError, match="grconvnet"):
            CliRunner().invoke(app, [*peer, *more], catch_exceptions=False)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="holds a grconvnet"):
        load_model(str(run))
