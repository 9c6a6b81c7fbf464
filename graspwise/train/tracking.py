"""Follow a run in trackio or Weights & Biases: the lines of its `metrics.jsonl`, each told once.

A run goes by its name, and `tracking.json` in the run folder keeps how many lines were told, so that a resumed run goes
on where it stopped. The steps that it takes once more give the figures that they gave before.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from graspwise.errors import InputError
from graspwise.files import is_begun, read_json, write_json

Service = Literal["trackio", "wandb"]
PROJECT, RECORD = "graspwise", "tracking.json"


@contextmanager
def tracked(folder: Path | str, service: Service | None) -> Iterator[Callable[[], None]]:
    """A function to call after each step, which tells the service what is new; one that does nothing without a service.

    Args:
        folder: Run folder; its path as given is the run's name.
        service: Whom to tell. It is first spoken to after the first step, by the process that is told of it.

    Raises:
        InputError: the service's library is not installed, or the run was told to another one.
    """
    if service is None:
        yield lambda: None
        return
    try:
        library = import_module(service)
    except ImportError as error:
        raise InputError(f"--track {service}: is not installed; valid: pip install {service}") from error
    follower = Follower(Path(folder), service, library)
    try:
        yield follower.tell
    finally:
        follower.finish()


class Follower:
    """One run that is followed.

    Args:
        folder: Run folder.
        service: Name of the library.
        library: The library.

    Raises:
        InputError: the run was told to another service.
    """

    def __init__(self, folder: Path, service: Service, library: Any) -> None:
        self.folder, self.service, self.library = folder, service, library
        self.run: Any = None
        before = read_json(folder / RECORD) if is_begun(folder / RECORD, {"service": service}) else {}
        self.name, self.told = str(before.get("name", folder)), int(before.get("told", 0))
        self._place, self._line = 0, 0

    def tell(self) -> None:
        """Tell every line of `metrics.jsonl` that was not told before."""
        with (self.folder / "metrics.jsonl").open("rb") as metrics:
            metrics.seek(self._place)
            new = metrics.read()
        self._place += len(new)
        for line in new.splitlines():
            self._line += 1
            if self._line > self.told:
                self._log(json.loads(line))
                self.told = self._line
        write_json(self.folder / RECORD, {"service": self.service, "name": self.name, "told": self.told})

    def _log(self, figures: dict[str, Any]) -> None:
        self.run = self.run or self.begin()
        stage = figures.pop("stage")
        # Stages follow each other in one run, so each has figures of its own over the run's steps.
        self.run.log({f"{stage}/{name}": value for name, value in figures.items()}, step=self._line)

    def begin(self) -> Any:
        # wandb knows a run by its id, which has no slashes; trackio by its name.
        more = {"id": self.name.strip("/").replace("/", "-")} if self.service == "wandb" else {}
        return self.library.init(
            project=PROJECT, name=self.name, config=read_json(self.folder / "config.json"), resume="allow", **more
        )

    def finish(self) -> None:
        if self.run is not None:
            self.run.finish()
