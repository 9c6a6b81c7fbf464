"""Verbs that lead elsewhere: export and push; what is not valid is one line and exit code 2."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from graspwise.files import read_json


def test_a_data_set_is_exported(run: Callable[..., tuple[int, str, str]], dataset_folder: Path) -> None:
    pytest.importorskip("datasets")
    code, out, _ = run("dataset", "export", dataset_folder, "--format", "lerobot", "--out", "lerobot")
    assert (code, out) == (0, "18 episodes in lerobot; 0 samples have no grasp of their own and are left out\n")
    assert read_json("lerobot/meta/info.json")["total_frames"] == 18
    code, _, error = run("dataset", "export", dataset_folder, "--out", "lerobot")
    assert code == 2 and "already exists" in error


def test_a_model_and_a_data_set_are_pushed(
    run: Callable[..., tuple[int, str, str]], dataset_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple] = []

    def push(*what: object, **how: object) -> str:
        asked.append((*what, how))
        return "https://hub/commit/1"

    monkeypatch.setattr("graspwise.model.hub.push_model", push)
    monkeypatch.setattr("graspwise.model.hub.push_folder", push)
    assert run("models", "push", "small", "acme/grasps", "--revision", "v1", "--private")[:2] == (
        0, "https://hub/commit/1\n",
    )  # fmt: skip
    assert run("dataset", "push", dataset_folder, "acme/data")[0] == 0
    assert asked == [
        ("small", "acme/grasps", {"revision": "v1", "private": True}),
        (dataset_folder, "acme/data", {"kind": "dataset", "private": False}),
    ]
    Path("bare").mkdir()
    code, _, error = run("dataset", "push", "bare", "acme/data")
    assert code == 2 and error.count("\n") == 1 and "no README.md there" in error


def test_a_missing_tracker_is_said_before_anything_is_made(
    run: Callable[..., tuple[int, str, str]], dataset_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    code, _, error = run("train", "--data", dataset_folder, "--out", "run", "--track", "wandb")
    assert code == 2 and error.endswith("--track wandb: is not installed; valid: pip install wandb\n")
    assert not Path("run").exists()
