"""Processes that train together: one loss, one checkpoint, whatever their number."""

import json
import multiprocessing
import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from torch import nn

from graspwise.errors import InputError
from graspwise.train.loop import Interrupted, Progress, check_share, fit, micro_batches
from graspwise.train.processes import ALONE, Processes, joined_processes
from graspwise.train.recipe import Stage

STAGE = Stage(samples=48, batch=8, micro_batch=2, learning_rate=0.1, weight_decay=0.1)


class Noisy:
    """A small network that draws noise as it learns, a part that only some positions reach and one that none does."""

    name = "noisy"

    def __init__(self) -> None:
        torch.manual_seed(3)
        self.body, self.odd, self.idle = nn.Linear(4, 3), nn.Linear(3, 1), nn.Linear(2, 2)

    def parameters(self):
        parts = {"body": self.body, "odd": self.odd, "idle": self.idle}
        return {f"{name}.{n}": p for name, part in parts.items() for n, p in part.named_parameters()}

    def rate(self, parameter):
        return 1.0

    def prepare(self, positions):
        return positions

    def loss(self, positions):
        x = torch.tensor([[p % 5, p % 7, p % 3, 1.0] for p in positions])
        y = self.body(x + 0.1 * torch.randn_like(x)).tanh()
        return y.square().mean() + (self.odd(y).mean() if positions.start % 4 else 0.0)

    def watch(self):
        return {"accuracy": 0.5}


def learn(processes: Processes, folder: Path, *, stop_at: int = 0) -> None:
    """Train, and keep the weights; the last process is asked to stop at a step."""

    class Stopping(Noisy):
        def loss(self, positions):
            if stop_at and positions.start >= STAGE.batch * stop_at and processes.rank == processes.count - 1:
                os.kill(os.getpid(), 2)
            return super().loss(positions)

    task = Stopping()
    said: list[Progress] = []
    with suppress(Interrupted):
        fit(task, STAGE, folder=folder, seed=1, watch=2, report=said.append, processes=processes)
    assert bool(said) == processes.is_first
    torch.save({n: p.detach() for n, p in task.parameters().items()}, folder / f"weights-{processes.rank}.pt")


def work(rank: int, count: int, port: int, folder: Path) -> None:
    """One of several processes: a run, a run that is stopped, and refusals."""
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count), LOCAL_WORLD_SIZE=str(count),
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), ACCELERATE_USE_CPU="true", OMP_NUM_THREADS="1",
    )  # fmt: skip
    with joined_processes() as processes:
        assert (processes.rank, processes.count) == (rank, count)
        learn(processes, folder / "two")
        learn(processes, folder / "stopped", stop_at=2)

        def refuse() -> None:
            raise InputError("not this")

        with pytest.raises(InputError if rank == 0 else SystemExit):
            processes.first_does(refuse)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes have left."""
    out = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=work, args=(rank, 2, port, out)) for rank in range(2)]
    for process in running:
        process.start()
    for process in running:
        process.join()
        assert process.exitcode == 0
    return out


def metrics(folder: Path) -> list[dict]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def test_two_processes_learn_what_one_does(folder: Path):
    learn(ALONE, folder / "one")
    alone, shared = metrics(folder / "one"), metrics(folder / "two")
    assert len(alone) == len(shared) == 6
    for one, two in zip(alone, shared, strict=True):
        assert one == pytest.approx(two, abs=1e-4)
    weights = [torch.load(path, weights_only=True) for path in sorted(folder.glob("*/weights-*.pt"))]
    first = torch.load(folder / "one" / "weights-0.pt", weights_only=True)
    for rank in range(2):
        other = torch.load(folder / "two" / f"weights-{rank}.pt", weights_only=True)
        for name, value in first.items():
            torch.testing.assert_close(other[name], value, atol=1e-6, rtol=1e-5)
    # What nothing reaches is not even decayed.
    untouched = Noisy().parameters()["idle.weight"]
    assert all(torch.equal(found["idle.weight"], untouched) for found in weights)


def test_one_process_goes_on_where_two_were_stopped(folder: Path):
    """One of the two was told to stop, both did, and a single one ends as the run that nobody stopped."""
    stopped = metrics(folder / "stopped")
    assert len(stopped) == 3
    learn(ALONE, folder / "stopped")
    found = [torch.load(folder / name / "weights-0.pt", weights_only=True) for name in ("two", "stopped")]
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], atol=1e-6, rtol=1e-5)
    assert [line["step"] for line in metrics(folder / "stopped")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_processes_take_every_position_once(count: int):
    stage = Stage(samples=0, batch=14, micro_batch=4, learning_rate=0.1)
    shares = [list(micro_batches(stage, first=1, steps=3, processes=Processes(r, count))) for r in range(count)]
    taken = sorted(p for share in shares for part in share for p in part.positions)
    assert taken == list(range(14, 42))
    for share in shares:
        assert [part.step for part in share if part.is_last] == [1, 2]
        assert all(len(part.positions) <= 4 and part.positions.start // 14 == part.step for part in share)


@pytest.mark.parametrize(("count", "advice"), [(3, "--micro-batch 2 or less"), (16, "at most 8 processes")])
def test_a_step_that_cannot_be_shared_is_refused(count: int, advice: str):
    with pytest.raises(InputError, match=f"stage answers: a step of 8 samples has 4 micro-batches of 2, .*{advice}"):
        check_share("answers", STAGE, Processes(0, count))


def test_without_a_launcher_a_process_is_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined_processes() as processes:
        assert processes == ALONE
        assert processes.total([1.5, 2]) == [1.5, 2]
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(InputError, match="found DeepSpeed; valid is multi-GPU"), joined_processes():
        pass
