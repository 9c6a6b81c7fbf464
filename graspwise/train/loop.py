"""One training loop for every stage: one-cycle AdamW, resumable to the step, interruptible within a minute.

Several processes take the micro-batches of a step in turn, add up their gradients, and take the same step. What a
micro-batch sees and draws depends on its positions alone, so the loss is the same for any number of processes.
"""

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from graspwise.errors import InputError
from graspwise.files import replacing
from graspwise.train.processes import ALONE, Processes
from graspwise.train.recipe import Stage

SAVE_EVERY_SECONDS = 45.0


class Interrupted(Exception):
    """Training stopped on request; its checkpoint is on disk."""


class Task(Protocol):
    """What a stage must offer to be trained."""

    name: str

    def parameters(self) -> dict[str, nn.Parameter]: ...

    def rate(self, parameter: str) -> float:
        """Learning rate of a parameter as a share of the stage's."""

    def prepare(self, positions: range) -> Any:
        """Everything a micro-batch needs, made on a background thread from the positions alone."""

    def loss(self, prepared: Any) -> Tensor:
        """Mean loss of a prepared micro-batch."""

    def watch(self) -> dict[str, float]:
        """Validation figures; called now and then."""


@dataclass
class Progress:
    """What a stage reports after a step."""

    stage: str
    step: int
    steps: int
    loss: float


def fit(
    task: Task,
    stage: Stage,
    *,
    folder: Path,
    seed: int,
    watch: int,
    report: Callable[[Progress], None],
    processes: Processes = ALONE,
) -> None:
    """Train a task for a stage's budget, from its checkpoint in `folder` if there is one.

    The first of the processes alone writes and reports; all read the checkpoint, whatever their number was before.

    Args:
        task: What learns and how its loss is taken.
        stage: Budget and optimiser.
        folder: Run folder; writes `checkpoint/<stage>.pt` and appends to `metrics.jsonl`.
        seed: Seeds whatever the forward pass draws.
        watch: How many times the validation figures are taken, evenly, the last after the last step.
        report: Called after every step.
        processes: Those that train together.

    Raises:
        InputError: the processes cannot share a step.
        Interrupted: SIGINT or SIGTERM came, to any of the processes; the checkpoint holds the last step.
    """
    check_share(task.name, stage, processes)
    parameters = task.parameters()
    learned = list(parameters.values())
    steps = max(1, -(-stage.samples // stage.batch))
    groups = [{"params": [p], "lr": stage.learning_rate * task.rate(name)} for name, p in parameters.items()]
    optimizer = torch.optim.AdamW(groups, lr=stage.learning_rate, weight_decay=stage.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(one_cycle, steps=steps, warmup=stage.warmup))
    if processes.is_first:
        folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint" / f"{task.name}.pt"
    first = 0
    if checkpoint.is_file():
        # Not onto the device of the process that wrote it.
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        with torch.no_grad():
            for name, value in state["parameters"].items():
                parameters[name].copy_(value)
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        first = int(state["step"])
    # A process that was killed may have written more, even before its first checkpoint.
    if processes.is_first:
        drop_metrics_after(folder / "metrics.jsonl", stage=task.name, step=first)

    def save(step: int) -> None:
        values = {name: parameter.detach() for name, parameter in parameters.items()}
        with replacing(checkpoint) as temporary:
            torch.save(
                {
                    "parameters": values,
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                    "step": step,
                },
                temporary,
            )

    marks = {round(steps * (k + 1) / watch) for k in range(watch)} if watch else set()
    saved_at, started = time.monotonic(), time.monotonic()
    with ThreadPoolExecutor(1) as background, StopRequest() as stop:
        loss_of_step = 0.0
        plan = micro_batches(stage, first=first, steps=steps, processes=processes)
        for part, prepared in prepared_ahead(task, plan, background):
            torch.manual_seed(seed * 1_000_003 + part.positions.start)
            loss = task.loss(prepared) * (len(part.positions) / stage.batch)
            loss.backward()
            loss_of_step += float(loss.detach())
            if not part.is_last:
                continue
            has_gradient = [float(parameter.grad is not None) for parameter in learned]
            total, *having = processes.total([loss_of_step, *has_gradient])
            processes.add_up(learned, learned=having)
            norm = nn.utils.clip_grad_norm_(learned, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            done, loss_of_step = part.step + 1, 0.0
            # By all of them, though one alone needs the figures: weights that are spread take all to run.
            figures = task.watch() if done in marks else {}
            if processes.is_first:
                append_line(
                    folder / "metrics.jsonl",
                    {
                        "stage": task.name,
                        "step": done,
                        "samples": done * stage.batch,
                        "loss": round(total, 5),
                        "gradient_norm": round(float(norm), 4),
                        "learning_rate": max(schedule.get_last_lr()),
                        "seconds": round(time.monotonic() - started, 2),
                        **figures,
                    },
                )
                report(Progress(task.name, done, steps, total))
            # Asked last, so that whoever stops a step waits for that step alone.
            [stops] = processes.total([float(stop.is_set())])
            if processes.is_first and (done == steps or stops or time.monotonic() - saved_at > SAVE_EVERY_SECONDS):
                save(done)
                saved_at = time.monotonic()
            if stops and done < steps:
                raise Interrupted(f"stopped at step {done} of {steps} of stage {task.name}")


class MicroBatch(NamedTuple):
    """What one forward and backward pass learns.

    Attributes:
        step: Of the optimiser, from 0.
        positions: Of the samples.
        is_last: Whether it is this process's last of the step.
    """

    step: int
    positions: range
    is_last: bool


def micro_batches(stage: Stage, *, first: int, steps: int, processes: Processes) -> Iterator[MicroBatch]:
    """One process's share of the steps from `first` on: of the micro-batches of a step every `count`-th."""
    size = stage.micro_batch
    for step in range(first, steps):
        stop = (step + 1) * stage.batch
        mine = range(step * stage.batch + processes.rank * size, stop, size * processes.count)
        for start in mine:
            yield MicroBatch(step, range(start, min(start + size, stop)), start == mine[-1])


def check_share(name: str, stage: Stage, processes: Processes) -> None:
    """Refuse a stage whose micro-batches the processes cannot share equally.

    Raises:
        InputError: they cannot.
    """
    parts = -(-stage.batch // stage.micro_batch)
    if parts % processes.count:
        most = stage.batch // processes.count
        do = f"--micro-batch {most} or less" if most else f"at most {stage.batch} processes"
        raise InputError(
            f"stage {name}: a step of {stage.batch} samples has {parts} micro-batches of {stage.micro_batch}, which "
            f"{processes.count} processes cannot share equally; valid is a number that divides them, such as by {do}"
        )


def prepared_ahead(
    task: Task, plan: Iterator[MicroBatch], background: ThreadPoolExecutor
) -> Iterator[tuple[MicroBatch, Any]]:
    """Micro-batches with what `task.prepare` makes of them, the next one under way while one is used."""
    now = next(plan, None)
    waiting = now and background.submit(task.prepare, now.positions)
    while now and waiting:
        prepared, part = waiting.result(), now
        now = next(plan, None)
        waiting = now and background.submit(task.prepare, now.positions)
        yield part, prepared


def one_cycle(step: int, *, steps: int, warmup: float) -> float:
    """Learning rate as a share of its peak: a linear rise for the share `warmup`, then a cosine to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise + 1) / (steps - rise + 1)))


class StopRequest:
    """Turns SIGINT and SIGTERM into a flag that the loop reads between steps, for as long as it is entered."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._previous: dict[int, Any] = {}

    def is_set(self) -> bool:
        return self._event.is_set()

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, lambda *_: self._event.set())
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def append_line(path: Path, value: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(value) + "\n")


def drop_metrics_after(path: Path, *, stage: str, step: int) -> None:
    """Forget the lines of steps that a resumed run will take again."""
    if not path.is_file():
        return
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    kept = [line for line in lines if line["stage"] != stage or line["step"] <= step]
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
