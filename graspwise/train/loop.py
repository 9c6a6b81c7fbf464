"""One training loop for every stage: one-cycle AdamW, resumable to the step, interruptible within a minute."""

import json
import math
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from graspwise.files import replacing
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
) -> None:
    """Train a task for a stage's budget, from its checkpoint in `folder` if there is one.

    Args:
        task: What learns and how its loss is taken.
        stage: Budget and optimiser.
        folder: Run folder; writes `checkpoint/<stage>.pt` and appends to `metrics.jsonl`.
        seed: Seeds whatever the forward pass draws.
        watch: How many times the validation figures are taken, evenly, the last after the last step.
        report: Called after every step.

    Raises:
        Interrupted: SIGINT or SIGTERM came; the checkpoint holds the last step.
    """
    parameters = task.parameters()
    steps = max(1, -(-stage.samples // stage.batch))
    groups = [{"params": [p], "lr": stage.learning_rate * task.rate(name)} for name, p in parameters.items()]
    optimizer = torch.optim.AdamW(groups, lr=stage.learning_rate, weight_decay=stage.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(one_cycle, steps=steps, warmup=stage.warmup))
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint" / f"{task.name}.pt"
    first = 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        with torch.no_grad():
            for name, value in state["parameters"].items():
                parameters[name].copy_(value)
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        first = int(state["step"])
    # A process that was killed may have written more, even before its first checkpoint.
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
    micro = [
        (step, range(start, min(start + stage.micro_batch, (step + 1) * stage.batch)))
        for step in range(first, steps)
        for start in range(step * stage.batch, (step + 1) * stage.batch, stage.micro_batch)
    ]
    saved_at, started = time.monotonic(), time.monotonic()
    with ThreadPoolExecutor(1) as background, StopRequest() as stop:
        waiting = background.submit(task.prepare, micro[0][1]) if micro else None
        total = 0.0
        for index, (step, positions) in enumerate(micro):
            assert waiting is not None
            prepared = waiting.result()
            if index + 1 < len(micro):
                waiting = background.submit(task.prepare, micro[index + 1][1])
            torch.manual_seed(seed * 1_000_003 + positions.start)
            loss = task.loss(prepared) * (len(positions) / stage.batch)
            loss.backward()
            total += float(loss.detach())
            if positions.stop < (step + 1) * stage.batch:
                continue
            norm = nn.utils.clip_grad_norm_(list(parameters.values()), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            done = step + 1
            figures = task.watch() if done in marks else {}
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
            total = 0.0
            if done == steps or stop.is_set() or time.monotonic() - saved_at > SAVE_EVERY_SECONDS:
                save(done)
                saved_at = time.monotonic()
            if stop.is_set() and done < steps:
                raise Interrupted(f"stopped at step {done} of {steps} of stage {task.name}")


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
