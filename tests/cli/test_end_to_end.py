"""The real command line on a tiny random model: build, train both strategies, stop, resume, evaluate, predict."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import graspwise
from graspwise.model.load import load_model

TINY = ["--recipe", "tiny", "--folds", "3", "--fold", "1"]


def graspwise_command(*arguments: str | Path, code: int = 0) -> str:
    """Run the command in a process of its own; its stdout."""
    done = subprocess.run(
        [sys.executable, "-c", "from graspwise.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def data(work: Path, cornell_folder: Path) -> Path:
    out = work / "data"
    graspwise_command("dataset", "build", "cornell", cornell_folder, "--samples", "18", "--size", "64", "--out", out)
    graspwise_command("dataset", "show", out, "--out", work / "sheet.png", "--count", "6")
    assert (work / "sheet.png").stat().st_size > 1000
    return out


@pytest.fixture(scope="module")
def lora_run(work: Path, data: Path, tiny_checkpoint: Path) -> Path:
    out = work / "lora"
    graspwise_command("train", "--data", data, "--base", tiny_checkpoint, "--strategy", "lora", "--out", out, *TINY)
    return out


def test_run_folder_holds_what_the_conventions_name(lora_run: Path):
    for name in ("config.json", "split.json", "metrics.jsonl", "model/graspwise.json", "plots/training.png"):
        assert (lora_run / name).is_file(), name
    stages = {json.loads(line)["stage"] for line in (lora_run / "metrics.jsonl").read_text().splitlines()}
    assert stages == {"maps", "words", "captions", "answers"}


def test_evaluate_uses_the_test_objects_of_the_run(lora_run: Path, data: Path):
    summary = json.loads(graspwise_command("evaluate", "--model", lora_run, "--data", data, "--json"))
    split = json.loads((lora_run / "split.json").read_text())
    assert summary["objects"] == len(split["test"]) == 1
    assert summary["seen_objects"] == 0
    report = json.loads((lora_run / "report.json").read_text())
    assert {record["object_id"] for record in report["records"]} == set(split["test"])
    assert "accuracy" in report["summary"]
    assert (lora_run / "report.md").read_text().startswith("#")


def test_predict_writes_json_lines_and_a_picture(lora_run: Path, cornell_folder: Path, work: Path):
    pictures = sorted((cornell_folder / "01").glob("*.png"))[:2]
    bad = work / "bad.jpg"
    bad.write_bytes(b"")
    out = graspwise_command(
        "predict", pictures[0], bad, pictures[1], "--model", lora_run, "--json", "--workspace", "144,64,496,416",
        "--out", work / "drawn", code=2,
    )  # fmt: skip
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["image"] for line in lines] == [str(pictures[0]), str(bad), str(pictures[1])]
    assert set(lines[1]) == {"image", "error"}
    for line in (lines[0], lines[2]):
        keys = ["image", "image_size", "reasoning", "target", "refused", "grasp", "grasp_px", "rectangle", "grasps",
                "text", "model", "mode", "seconds"]  # fmt: skip
        assert list(line)[: len(keys)] == keys
        assert line["image_size"] == [640, 480]
        assert 143 <= line["grasp_px"]["x"] <= 496
        assert len(line["rectangle"]) == 4
        assert "Rotation angle in radians" in line["text"]
    assert len(list((work / "drawn").glob("*.png"))) == 2


def test_same_seed_same_answer(lora_run: Path, cornell_folder: Path):
    picture = min((cornell_folder / "01").glob("*.png"))
    first, second = (graspwise.load(str(lora_run)).look(picture).ask("Pick up the bar") for _ in range(2))
    assert first.text == second.text
    assert first.grasp == second.grasp


def test_projector_strategy_leaves_the_language_model_alone(work: Path, data: Path, tiny_checkpoint: Path):
    out = work / "projector"
    graspwise_command(
        "train", "--data", data, "--base", tiny_checkpoint, "--strategy", "projector", "--out", out, *TINY
    )
    assert not (out / "model" / "adapter").exists()
    base, trained = load_model(str(tiny_checkpoint)), load_model(str(out))
    for name, before in base.vlm.model.language_model.state_dict().items():
        assert torch.equal(before, trained.vlm.model.language_model.state_dict()[name]), name
    moved = (
        trained.vlm.model.multi_modal_projector.linear_1.weight != base.vlm.model.multi_modal_projector.linear_1.weight
    )
    assert moved.any()


def test_interrupted_run_resumes_to_the_same_weights(work: Path, data: Path, tiny_checkpoint: Path, lora_run: Path):
    """Stopped in the middle of a stage by SIGINT and resumed, a run ends with the weights of the unbroken one."""
    out = work / "broken"
    command = ["train", "--data", data, "--base", tiny_checkpoint, "--strategy", "lora", "--out", out, *TINY]
    slow = (
        "import time, graspwise.train.loop as loop; clip = loop.nn.utils.clip_grad_norm_\n"
        "def wait(*a, **k):\n    time.sleep(0.6); return clip(*a, **k)\n"
        "loop.nn.utils.clip_grad_norm_ = wait\nfrom graspwise.cli import main; main()"
    )
    process = subprocess.Popen([sys.executable, "-c", slow, *map(str, command)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (out / "metrics.jsonl").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(120) == 130
    assert not (out / "model").exists()
    done = len((out / "metrics.jsonl").read_text().splitlines())
    assert 1 <= done < len((lora_run / "metrics.jsonl").read_text().splitlines())
    graspwise_command(*command, "--resume")
    for name in ("projector.safetensors", "maps.safetensors", "adapter/adapter_model.safetensors"):
        assert (out / "model" / name).read_bytes() == (lora_run / "model" / name).read_bytes(), name


@pytest.mark.parametrize("strategy", ["lora", "projector"])
def test_a_trained_base_keeps_its_adapter_and_skips_its_stages(work: Path, data: Path, lora_run: Path, strategy: str):
    out = work / f"more-{strategy}"
    graspwise_command("train", "--data", data, "--base", lora_run, "--strategy", strategy, "--out", out, *TINY)
    stages = {json.loads(line)["stage"] for line in (out / "metrics.jsonl").read_text().splitlines()}
    assert stages == {"answers"}
    before, after = (load_file(run / "model" / "adapter" / "adapter_model.safetensors") for run in (lora_run, out))
    changed = any(not torch.equal(before[name], after[name]) for name in before)
    assert before.keys() == after.keys()
    assert changed == (strategy == "lora")


def test_resume_with_other_options_is_refused(work: Path, data: Path, tiny_checkpoint: Path, lora_run: Path):
    graspwise_command(
        "train", "--data", data, "--base", tiny_checkpoint, "--strategy", "lora", "--out", lora_run, *TINY, "--resume",
        "--seed", "5", code=2,
    )  # fmt: skip


def test_model_folder_refuses_another_base(work: Path, tiny_checkpoint: Path, lora_run: Path):
    copy = work / "other"
    shutil.copytree(lora_run / "model", copy)
    card = json.loads((copy / "graspwise.json").read_text())
    card["base_sha256"] = "0" * 64
    (copy / "graspwise.json").write_text(json.dumps(card))
    with pytest.raises(graspwise.InputError, match="made for a base"):
        graspwise.load(str(copy))


def test_benchmark_goes_on_where_it_stopped(work: Path, cornell_folder: Path, tiny_checkpoint: Path):
    out = work / "benchmark"
    command = ["benchmark", "cornell", "--data", cornell_folder, "--models", "centre,naming", "--answers", "bare",
               "--strategies", "lora", "--recipe", "tiny", "--base", tiny_checkpoint, "--folds", "3", "--run-folds",
               "2", "--samples", "6", "--budget-samples", "4", "--out", out]  # fmt: skip
    table = graspwise_command(*command)
    assert "centre" in table and "lora-bare" in table
    cells = sorted((out / "cells").glob("*.json"))
    names = ("centre", "lora-bare", "naming-majority", "naming-nearest")
    assert [cell.name for cell in cells] == [f"object-2-{name}.json" for name in names]
    written = json.loads(cells[1].read_text())
    assert written["training_samples"]["answers"] == 4 and written["config"]["base"] == str(tiny_checkpoint)
    assert written["memory_mib"] > 50 and written["centred"]["summary"]["n"] == 2
    command_line = json.loads((out / "report.json").read_text())["command"]
    assert "--protocols workspace,centred" in command_line and "--run-folds 2" in command_line
    kept = [path for folder in ("cells", "work") for path in (out / folder).rglob("*") if path.is_file()]
    times = [path.stat().st_mtime_ns for path in (*kept, out / "splits.json")]
    assert graspwise_command(*command) == table
    assert [path.stat().st_mtime_ns for path in (*kept, out / "splits.json")] == times
