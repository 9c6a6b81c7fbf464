"""`graspwise train` at scale: an estimate that leaves nothing, several processes as one, what is refused."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TINY = ("--recipe", "tiny", "--strategy", "lora")


def test_estimate_says_what_a_run_takes_and_leaves_nothing(
    run, dataset_folder: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    code, said, _ = run(
        "train", "--data", dataset_folder, "--base", tiny_checkpoint, "--strategy", "projector", "--recipe", "tiny",
        "--budget-samples", "100", "--estimate", "--out", "run",
    )  # fmt: skip
    lines = said.splitlines()
    assert code == 0
    assert [line.split(":")[0] for line in lines[:3]] == ["learns", "memory", "disk"]
    assert any(line.startswith("time: answers, 100 samples, about ") for line in lines)
    assert lines[-2].startswith("time: about ") and lines[-1].startswith("memory: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        (
            ["--model", "grconvnet", "--dtype", "fp32"],
            {},
            "--dtype fp32: valid with --model llava and --strategy",
        ),
        (["--strategy", "hand-tokens", "--estimate"], {}, "--estimate: valid with --model llava"),
        (["--model", "grconvnet"], {"WORLD_SIZE": "2"}, "accelerate launch: valid with --model llava"),
        ([*TINY, "--micro-batch", "0"], {}, "--micro-batch is 0; valid is 1 or more"),
    ],
)
def test_what_does_not_scale_is_refused_in_one_line(
    options, environment, message, run, dataset_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code, out, told = run("train", "--data", dataset_folder, "--out", "run", *options)
    assert (code, out) == (2, "")
    assert told.startswith(f"graspwise: {message}") and told.count("\n") == 1


def launched(*arguments: object, **environment: str) -> None:
    """The command in two processes on the CPU."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", port]
    everything = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"} | environment
    subprocess.run(
        [*map(str, [*command, "-m", "graspwise", *arguments])], env=everything, check=True,
        capture_output=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "spread", "options"), [(50, "false", []), (5, "true", ["--gradient-checkpointing"])])
def test_two_processes_train_as_one(
    run, steps: int, spread: str, options: list[str], dataset_folder: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    shared = ["--data", dataset_folder, "--base", tiny_checkpoint, *TINY, "--micro-batch", "2"]
    command = ["train", *shared, "--budget-samples", 4 * steps, "--out"]
    launched(*command, tmp_path / "two", *options, ACCELERATE_USE_FSDP=spread)
    assert run(*map(str, [*command, tmp_path / "one"]))[0] == 0
    one, two = (
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    assert len(one) == len(two) and one[-1]["step"] == steps
    assert max(abs(a["loss"] - b["loss"]) for a, b in zip(one, two, strict=True)) < 1e-4
    trained = (tmp_path / "two" / "model").rglob("*.safetensors")
    assert {path.name for path in trained} >= {"projector.safetensors", "adapter_model.safetensors"}
