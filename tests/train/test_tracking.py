"""Following a run: every line is told once, under the run's name, whatever stops in between."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graspwise.errors import InputError
from graspwise.files import write_json
from graspwise.train.tracking import tracked


class FakeService:
    """Stands for trackio and wandb: what it was told, by run."""

    def __init__(self) -> None:
        self.begun: list[dict[str, Any]] = []
        self.told: list[tuple[int, dict[str, Any]]] = []
        self.finished = 0

    def init(self, **options: Any) -> SimpleNamespace:
        self.begun.append(options)
        return SimpleNamespace(log=lambda figures, step: self.told.append((step, figures)), finish=self.finish)

    def finish(self) -> None:
        self.finished += 1


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    fake = FakeService()
    for name in ("trackio", "wandb"):
        monkeypatch.setitem(sys.modules, name, fake)
    return fake


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_json(Path("runs/a/config.json"), {"seed": 3})
    return Path("runs/a")


def step(folder: Path, stage: str, number: int) -> None:
    with (folder / "metrics.jsonl").open("a") as lines:
        lines.write(json.dumps({"stage": stage, "step": number, "loss": number / 8}) + "\n")


@pytest.mark.parametrize("name", ["trackio", "wandb"])
def test_each_line_is_told_once_and_a_resumed_run_goes_on(name: Any, folder: Path, service: FakeService) -> None:
    with pytest.raises(KeyboardInterrupt), tracked(folder, name) as tell:
        for number in (1, 2, 3):
            step(folder, "maps", number)
            tell()
        raise KeyboardInterrupt
    # As a resumed run does: back to the checkpoint, and the same steps once more.
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    (folder / "metrics.jsonl").write_text(lines[0] + "\n")
    with tracked(folder.resolve(), name) as tell:
        for stage, number in (("maps", 2), ("maps", 3), ("answers", 1)):
            step(folder, stage, number)
            tell()
    assert [(number, list(figures)) for number, figures in service.told] == [
        (1, ["maps/step", "maps/loss"]), (2, ["maps/step", "maps/loss"]), (3, ["maps/step", "maps/loss"]),
        (4, ["answers/step", "answers/loss"]),
    ]  # fmt: skip
    assert service.told[2][1]["maps/loss"] == 3 / 8
    more = {"id": "runs-a"} if name == "wandb" else {}
    wanted = {"project": "graspwise", "name": "runs/a", "config": {"seed": 3}, "resume": "allow", **more}
    assert service.begun == [wanted, wanted]
    assert service.finished == 2


def test_a_run_without_a_step_is_no_run(folder: Path, service: FakeService) -> None:
    with tracked(folder, "trackio"):
        pass
    with tracked(folder, None) as tell:
        tell()
    assert not service.begun and not (folder / "tracking.json").exists()


def test_one_run_is_told_to_one_service(folder: Path, service: FakeService) -> None:
    step(folder, "maps", 1)
    with tracked(folder, "trackio") as tell:
        tell()
    with pytest.raises(InputError, match="another service"), tracked(folder, "wandb"):
        pass


def test_without_the_library_it_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match="--track wandb: is not installed; valid: pip install wandb"):
        tracked(folder, "wandb").__enter__()
