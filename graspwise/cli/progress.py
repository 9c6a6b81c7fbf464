"""Progress bars with the time left, on stderr, so that stdout stays clean."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from graspwise.train.loop import Progress

T = TypeVar("T")


def columns() -> "RichProgress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=Console(stderr=True),
    )  # fmt: skip


def bar(stream: Iterable[T], total: int, title: str) -> Iterator[T]:
    """Pass a stream through under a bar."""
    with columns() as progress:
        task = progress.add_task(title, total=total, note="")
        for item in stream:
            yield item
            progress.advance(task)


@contextmanager
def training_bars() -> "Iterator[Callable[[Progress], None]]":
    """A function to report training progress to; one bar a stage."""
    progress = columns()
    tasks: dict[str, TaskID] = {}

    def report(state: "Progress") -> None:
        if not tasks:
            # Not before there is something to show: an error before that is one line.
            progress.start()
        if state.stage not in tasks:
            tasks[state.stage] = progress.add_task(state.stage, total=state.steps, completed=state.step - 1, note="")
        progress.update(tasks[state.stage], completed=state.step, note=f"loss {state.loss:.3f}")

    try:
        yield report
    finally:
        if tasks:
            progress.stop()
