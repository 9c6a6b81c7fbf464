"""`dataset build wishes` and `dataset show` through the real command line, on scenes made by the real simulation."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wish_folders import BOWL, HAMMER, MUG, SCISSORS, write_sim_scene

from graspwise.data.sheet import TARGET
from graspwise.data.store import Dataset
from graspwise.data.wishes import plain
from graspwise.sim import antipodal

Run = Callable[..., tuple[int, str, str]]
BUILD = ["dataset", "build", "wishes"]
THINGS = "mug,scissors,screwdriver"


@pytest.fixture(scope="module", autouse=True)
def few_samples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(antipodal, "SAMPLES", 300)
        yield


def test_from_scenes_to_wishes_to_a_sheet(run: Run, tmp_path: Path) -> None:
    code, _, error = run(
        "dataset", "build", "sim", "--objects", THINGS, "--scenes", 1, "--clutter", 3, "--candidates", 5,
        "--trials", 2, "--size", 96, "--workers", 1, "--seed", 3, "--out", "sim",
    )  # fmt: skip
    assert code == 0, error
    options = ["--samples", 30, "--seed", 2, "--size", 128, "--depth", "--workers", 1]
    code, out, error = run(*BUILD, "--scenes", "sim", *options, "--out", "wishes")
    assert code == 0, error
    dataset = Dataset(tmp_path / "wishes")
    assert out.splitlines()[-1].startswith("30 samples in wishes: ")
    assert out.splitlines()[-1].endswith("1 without a target, 3 to refuse; objects of train")
    assert dataset.info["task"] == "wishes" and sum(dataset.info["kinds"].values()) == 26
    for sample in dataset:
        assert dataset.picture(sample, depth=True).size == (128, 128)
        assert bool(sample.rectangles) != sample.wish.refused
        assert sample.wish.refused or sample.category in THINGS
    code, out, _ = run("dataset", "show", "wishes", "--count", 6, "--out", "sheet.png")
    assert code == 0 and "drawn in sheet.png" in out
    shown = np.asarray(Image.open(tmp_path / "sheet.png")).astype(int)
    assert (np.abs(shown - TARGET).max(axis=2) < 40).sum() > 100

    # The wordings of the test are no training's.
    code, _, error = run(*BUILD, "--scenes", "sim/scenes", *options, "--test", "--out", "test")
    assert code == 0, error
    wordings = [{plain(sample.instruction) for sample in data} for data in (dataset, Dataset(tmp_path / "test"))]
    assert not set.intersection(*wordings)

    # A folder that is there stays as it is.
    code, _, error = run(*BUILD, "--scenes", "sim", *options, "--out", "wishes")
    assert code == 2 and "not an empty folder" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--scenes or --graspnet: found both or neither; valid is one of them"),
        (["--scenes", ".", "--graspnet", "."], "--scenes or --graspnet: found both or neither"),
        (["--scenes", "nowhere"], "nowhere: no scene there"),
        (["--graspnet", "nowhere"], "with its rectangle labels"),
        (["--scenes", ".", "--size", 8], "--size is 8"),
    ],
)
def test_bad_input_is_one_line(options: list[object], message: str, run: Run, tmp_path: Path) -> None:
    code, out, error = run(*BUILD, *options, "--out", "data")  # type: ignore[arg-type]
    assert (code, out) == (2, "") and message in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_help(run: Run) -> None:
    code, out, _ = run(*BUILD, "--help")
    assert code == 0 and "--graspnet" in out and "--test" in out


def test_wishes_are_learned_from_an_aligned_base_and_answered(
    run: Run, tmp_path: Path, tiny_checkpoint: Path, dataset_folder: Path
) -> None:
    """A steered head from the real command line: train, stop short of what a base lacks, answer with a target."""
    write_sim_scene(tmp_path / "sim" / "scenes" / "000000", [MUG, SCISSORS, HAMMER])
    write_sim_scene(tmp_path / "sim" / "scenes" / "000001", [MUG, BOWL])
    code, _, error = run(
        *BUILD, "--scenes", "sim", "--samples", 24, "--size", 64, "--workers", 1, "--out", "wishes"
    )  # fmt: skip
    assert code == 0, error
    train = ["train", "--recipe", "tiny", "--data"]
    code, _, error = run(*train, "wishes", "--base", tiny_checkpoint, "--strategy", "spt", "--out", "early")
    assert code == 2 and "has no dense head to start from" in error
    code, _, error = run(*train, dataset_folder, "--base", tiny_checkpoint, "--strategy", "align", "--out", "align")
    assert code == 0, error
    code, _, error = run(*train, "wishes", "--base", "align", "--strategy", "lora", "--out", "lora")
    assert code == 2 and "valid for the wishes in wishes is spt" in error
    code, _, error = run(*train, "wishes", "--base", "align", "--strategy", "spt", "--out", "spt")
    assert code == 0, error
    for name in ("steered.safetensors", "scene_names.safetensors", "adapter/adapter_model.safetensors"):
        assert (tmp_path / "spt" / "model" / name).is_file()
    both = ["--data", dataset_folder, "--base", "align", "--strategy", "spt", "--out", "both"]
    code, _, error = run(*train, "wishes", *both)
    assert code == 0, error
    trained_on = json.loads((tmp_path / "both" / "model" / "graspwise.json").read_text())["trained_on"]
    assert {name.split(":")[0] for name in trained_on} == {"cornell", "sim"}
    picture = tmp_path / "sim" / "scenes" / "000000" / "rgb.png"
    code, out, error = run("predict", picture, "--ask", "I am thirsty.", "--model", "both", "--json")
    assert code == 0, error
    answer = json.loads(out)
    assert answer["refused"] == (answer["target"] is None) == (answer["grasp"] is None)
    assert "[SPT]" not in answer["text"]


def test_test_objects_are_not_learned(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    write_sim_scene(tmp_path / "sim" / "scenes" / "000000", [replace(MUG, set="household"), SCISSORS])
    code, _, error = run(*BUILD, "--scenes", "sim", "--samples", 4, "--size", 64, "--workers", 1, "--out", "wishes")
    assert code == 0, error
    code, _, error = run("train", "--data", "wishes", "--base", tiny_checkpoint, "--strategy", "spt", "--out", "run")
    assert code == 2 and "holds objects of household, which are for testing" in error
