"""Hand tokens by the real command line: a run folder, and what does not suit hands is one line."""

from pathlib import Path

import pytest
from hands_on_solids import draw_hands

from graspwise.files import read_json


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_hands(tmp_path_factory.mktemp("hands") / "data", objects=5, each=4)


def test_run_folder_holds_what_the_conventions_name(run, data: Path, tmp_path: Path):
    out = tmp_path / "run"
    code, stdout, err = run(
        "train", "--data", data, "--strategy", "hand-tokens", "--tokens", "shared", "--out", out, "--recipe", "tiny",
        "--budget-samples", 16,
    )  # fmt: skip
    assert code == 0, err
    assert stdout.splitlines()[-1] == f"model in {out / 'model'}"
    names = ("config.json", "split.json", "metrics.jsonl", "checkpoint/hand-tokens.pt", "model/graspwise.json",
             "model/hand_tokens.safetensors", "plots/training.png", "report.json")  # fmt: skip
    for name in names:
        assert (out / name).is_file(), name
    config = read_json(out / "config.json")
    assert (config["tokens"], config["recipe"]["stage"]["samples"]) == ("shared", 16)
    assert set(read_json(out / "report.json")["usage"]) == {"shared"}


@pytest.mark.parametrize(
    "options, complaint",
    [
        ((), "hands are learned with --strategy hand-tokens"),
        (("--strategy", "spt"), "holds hands; valid here is a data set of pictures"),
        (("--strategy", "hand-tokens", "--base", "small"), "hand-tokens start from random weights"),
        (("--strategy", "hand-tokens", "--recipe", "paper"), "valid for hand-tokens: small, tiny"),
    ],
)
def test_what_does_not_suit_hands_is_one_line(run, data: Path, tmp_path: Path, options, complaint):
    code, _, err = run("train", "--data", data, "--out", tmp_path / "run", *options)
    assert code == 2 and complaint in err
    assert not (tmp_path / "run").exists()


def test_hand_tokens_need_hands(run, dataset_folder: Path, tmp_path: Path):
    code, _, err = run("train", "--data", dataset_folder, "--strategy", "hand-tokens", "--out", tmp_path / "run")
    assert code == 2 and "is no data set of hands" in err
