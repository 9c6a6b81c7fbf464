"""Kill a worker of Ray in the middle of its work."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def killing_one(begun: Callable[[], bool]) -> Iterator[list[int]]:
    """Kill one worker at its work once `begun` says so; yields a list that gets its process number."""
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set() and not killed:
            busy = [p for p in psutil.Process().children(recursive=True) if is_busy(p)] if begun() else []
            for process in busy[:1]:
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)
            over.wait(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield killed
    finally:
        over.set()
        watcher.join()


def is_busy(process: psutil.Process) -> bool:
    try:
        return " ".join(process.cmdline()).startswith("ray::call")
    except psutil.Error:
        return False
