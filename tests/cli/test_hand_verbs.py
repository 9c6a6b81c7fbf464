"""Hands by the real command line on a tiny random language model: train both stages, ask, describe, retarget."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hand_drawn import write_club, write_drawn_hands
from safetensors.torch import load_file

from graspwise.train.hand_tokens import TINY, HandTokensConfig, train_hand_tokens


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hands")
    write_drawn_hands(folder / "data")
    write_club(folder / "club.obj")
    train_hand_tokens(HandTokensConfig(data=str(folder / "data"), recipe=TINY), out=folder / "tokens")
    return folder


@pytest.fixture
def aligned(run, work: Path, tiny_checkpoint: Path) -> Path:
    out = work / "aligned"
    if not out.exists():
        code, _, err = run(
            "train", "--data", work / "data", "--strategy", "hand-align", "--base", tiny_checkpoint, "--tokens-run",
            work / "tokens", "--out", out, "--recipe", "tiny",
        )  # fmt: skip
        assert code == 0, err
    return out


@pytest.fixture
def instructed(run, work: Path, aligned: Path) -> Path:
    out = work / "instructed"
    if not out.exists():
        code, _, err = run(
            "train", "--data", work / "data", "--strategy", "hand-instruct", "--base", aligned, "--out", out,
            "--recipe", "tiny",
        )  # fmt: skip
        assert code == 0, err
    return out


def test_the_stages_follow_each_other_and_the_projector_stays(aligned: Path, instructed: Path):
    cards = [json.loads((folder / "model" / "graspwise.json").read_text()) for folder in (aligned, instructed)]
    assert [card["stages"] for card in cards] == [["hand-align"], ["hand-align", "hand-instruct"]]
    projectors = [load_file(folder / "model" / "projector.safetensors") for folder in (aligned, instructed)]
    assert all((projectors[0][name] == projectors[1][name]).all() for name in projectors[0])
    words = [load_file(folder / "model" / "words.safetensors") for folder in (aligned, instructed)]
    assert not all((words[0][name] == words[1][name]).all() for name in words[0])
    assert (instructed / "model" / "adapter" / "adapter_model.safetensors").is_file()


def test_a_finished_run_that_goes_on_stays_as_it_is(run, work: Path, aligned: Path, instructed: Path):
    adapter = instructed / "model" / "adapter" / "adapter_model.safetensors"
    before = load_file(adapter)
    code, _, err = run(
        "train", "--data", work / "data", "--strategy", "hand-instruct", "--base", aligned, "--out", instructed,
        "--recipe", "tiny", "--resume",
    )  # fmt: skip
    assert code == 0, err
    after = load_file(adapter)
    assert before.keys() == after.keys() and all((before[name] == after[name]).all() for name in before)
    assert any(value.any() for name, value in after.items() if "lora_B" in name)


def test_predict_writes_json_a_scene_and_a_picture(run, work: Path, instructed: Path, tmp_path: Path):
    code, out, err = run(
        "hand", "predict", work / "club.obj", "Hold it by the handle.", "--model", instructed, "--out", "grasp.glb",
        "--picture", "grasp.png", "--json",
    )  # fmt: skip
    assert code == 0, err
    [line] = out.splitlines()
    answer = json.loads(line)
    assert list(answer) == [
        "object", "size", "sentence", "text", "tokens", "hand", "T_object_hand", "articulation", "shape", "fingers",
        "penetration", "gap", "seconds",
    ]  # fmt: skip
    assert len(answer["tokens"]) == 3 and answer["size"] == pytest.approx(0.16, abs=1e-3)
    scene = trimesh.load_scene(tmp_path / "grasp.glb")
    assert sorted(scene.graph.nodes_geometry) == ["hand", "object"]
    assert np.ptp(scene.geometry["object"].vertices, axis=0).max() == pytest.approx(0.16, abs=1e-3)
    assert (tmp_path / "grasp.png").stat().st_size > 1000


def test_a_run_is_whole_without_the_runs_it_came_from(run, work: Path, instructed: Path, tmp_path: Path):
    moved = instructed.rename(tmp_path / "elsewhere")
    hidden = [folder.rename(work / f"hidden-{folder.name}") for folder in (work / "tokens", work / "aligned")]
    try:
        code, out, err = run("hand", "predict", work / "club.obj", "Take the head.", "--model", moved, "--no-adapt")
    finally:
        moved.rename(instructed)
        for folder in hidden:
            folder.rename(folder.with_name(folder.name.removeprefix("hidden-")))
    assert code == 0, err
    assert "<SG> o_" in out and "mm" in out


def test_a_grasp_is_described_and_retargeted(run, work: Path, instructed: Path, tmp_path: Path):
    _, out, _ = run("hand", "predict", work / "club.obj", "Hold it.", "--model", instructed, "--json", "--then",
                    "Leave the head free.")  # fmt: skip
    grasp = tmp_path / "grasp.json"
    grasp.write_text(out)
    assert json.loads(out)["sentence"] == "Leave the head free."
    code, out, err = run("hand", "describe", work / "club.obj", grasp, "--model", instructed)
    assert code == 0 and out.strip() and "<" not in out, err
    code, _, err = run("hand", "retarget", work / "club.obj", grasp, "--to", "allegro", "--out", "robot.json")
    assert code == 0, err
    assert len(json.loads((tmp_path / "robot.json").read_text())["joints"]) == 16
    code, _, err = run("hand", "retarget", work / "club.obj", grasp, "--out", "gripper.json")
    assert code == 0 or "one place" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict", "CLUB", "hold it", "--model", "nothing"], "holds no hand language model"),
        (["predict", "missing.obj", "hold it"], "no such file"),
        (["predict", "CLUB", "  ", "--model", "RUN"], "instruction is empty"),
        (["predict", "CLUB", "hold it", "--out", "grasp.stl"], "valid is a .glb file"),
        (["predict", "CLUB", "hold it", "--picture", "grasp.txt"], "valid is a .png"),
        (["describe", "CLUB", "broken.json", "--model", "RUN"], "no grasp of a hand"),
        (["retarget", "CLUB", "broken.json", "--out", "robot.json"], "no grasp of a hand"),
    ],
)
def test_bad_input_is_one_line(run, work: Path, instructed: Path, tmp_path: Path, arguments: list[str], said: str):
    (tmp_path / "broken.json").write_text("{}")
    places = {"CLUB": work / "club.obj", "RUN": instructed}
    code, out, err = run("hand", *(places.get(argument, argument) for argument in arguments))
    assert code == 2 and out == ""
    assert said in err.splitlines()[-1]


def test_training_wants_tokens_of_the_same_hand(run, work: Path, aligned: Path, tiny_checkpoint: Path):
    train = ["train", "--data", work / "data", "--strategy", "hand-align", "--recipe", "tiny", "--out", "new"]
    code, _, err = run(*train, "--base", tiny_checkpoint)
    assert code == 2 and "--tokens-run" in err
    code, _, err = run(*train, "--base", aligned, "--tokens-run", work / "tokens")
    assert code == 2 and "of its own" in err


def test_another_base_is_refused(run, work: Path, instructed: Path):
    card = instructed / "model" / "graspwise.json"
    kept = card.read_text()
    card.write_text(json.dumps({**json.loads(kept), "base_sha256": "0" * 64}))
    try:
        code, _, err = run("hand", "predict", work / "club.obj", "Hold it.", "--model", instructed)
    finally:
        card.write_text(kept)
    assert code == 2 and "sha256 000000000000" in err
