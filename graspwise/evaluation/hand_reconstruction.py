"""Hands through their tokens and back: how near they come, before and after they are brought to the object."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graspwise.errors import InputError
from graspwise.evaluation.cells import cell_path, check_same, write_cell
from graspwise.evaluation.hand_cells import Make, fill_cells
from graspwise.evaluation.hand_measures import Grounds, HandRow
from graspwise.evaluation.hand_plan import BUILT, HandBenchmarkConfig, digest
from graspwise.evaluation.runs import Bar
from graspwise.files import read_json
from graspwise.hand.cloud import Cloud
from graspwise.hand.grasps import HandDataset
from graspwise.hand.tokens import HandTokens, load_hand_tokens
from graspwise.model.load import fingerprint
from graspwise.model.weights import CARD
from graspwise.train.hand_batches import Hands

PART, TRUTH, ADAPTED = "reconstruction", "ground truth", ", adapted"


@dataclass(frozen=True, eq=False)
class TokensRun:
    """A run of hand tokens.

    Attributes:
        name: In the report.
        folder: Where it lies.
        tokens: The model.
        trained_on: Object ids that it learned from.
        samples: Its budget of training; None where the run's folder does not say.
    """

    name: str
    folder: str
    tokens: HandTokens
    trained_on: tuple[str, ...]
    samples: int | None

    @property
    def kind(self) -> str:
        """The row of the ablation that it is: "1", "2", "3" or "shared"."""
        return "shared" if self.tokens.shared else str(self.tokens.levels)


def open_run(name: str, folder: str, dataset: HandDataset, *, mano: Path | str | None = None) -> TokensRun:
    """A run of hand tokens by its folder.

    Raises:
        InputError: it holds none, or of another hand than the data set.
    """
    tokens = load_hand_tokens(folder, mano=mano)
    if tokens.rig.hand.name != dataset.hand:
        raise InputError(f"--tokens {folder}: is of the hand {tokens.rig.hand.name}; valid here is {dataset.hand}")
    place = Path(folder) if (Path(folder) / CARD).is_file() else Path(folder) / "model"
    return TokensRun(
        name, folder, tokens, tuple(read_json(place / CARD).get("trained_on", ())), samples_of(Path(folder), ("stage",))
    )


def samples_of(folder: Path, stages: Sequence[str]) -> int | None:
    """Samples of some stages of a run's recipe; None where the folder has no such recipe."""
    path = folder / "config.json"
    recipe = read_json(path).get("recipe", {}) if path.is_file() else {}
    found = [recipe[stage]["samples"] for stage in stages if stage in recipe]
    return sum(found) if found else None


def run_reconstruction(
    config: HandBenchmarkConfig, runs: Sequence[TokensRun], dataset: HandDataset, numbers: Sequence[int], folder: Path,
    *, grounds: Grounds, bar: Bar,
) -> dict[str, list[HandRow]]:  # fmt: skip
    """Rows of the ground truth and of each run, as given back and, where that is wanted, adapted; by name.

    Args:
        config: What is asked.
        runs: The tokens.
        dataset: Hands.
        numbers: Places of the hands that are given back; the first are simulated.
        folder: Report folder.
        grounds: The test objects.
        bar: Wraps the objects in a progress bar.
    """
    wanted = {number: dataset.grasps[number].object_id for number in numbers}
    simulated = set(list(numbers)[: config.simulated])
    shared = {"built": {key: dataset.info.get(key) for key in BUILT}, "asked": digest(list(numbers))}

    def truth(object_id: str, some: Sequence[int]) -> list[list[HandRow]]:
        ground, rows = grounds(object_id), truths(dataset, some)
        posed = ground.vertices(rows)
        return [
            [ground.row(n, p, v, simulate=n in simulated) for n, p, v in zip(some, rows, posed, strict=True)]
        ]  # fmt: skip

    fixed: dict[str, Any] = {"seed": config.seed, "wanted": wanted, "bar": bar}
    found = dict(zip([TRUTH], fill_cells(folder, PART, [TRUTH], uses=shared, make=lambda: truth, **fixed), strict=True))
    for run in runs:
        names = [run.name, *([run.name + ADAPTED] if config.adapt else [])]
        made = fill_cells(
            folder, PART, names, uses={**shared, "weights": fingerprint(run.folder)},
            make=partial(maker, run, dataset, grounds, simulated, adapt=config.adapt), **fixed,
        )  # fmt: skip
        found |= dict(zip(names, made, strict=True))
    return found


def maker(
    run: TokensRun, dataset: HandDataset, grounds: Grounds, simulated: set[int], *, adapt: bool
) -> Make:  # fmt: skip
    """What gives hands back."""

    def make(object_id: str, some: Sequence[int]) -> list[list[HandRow]]:
        ground, given = grounds(object_id), truths(dataset, some)
        cloud = Cloud.of(ground.thing.cloud, ground.thing.normals)
        back = run.tokens.decode(run.tokens.encode(given, cloud), cloud)
        right = ground.vertices(given)
        rows = []
        for hands in (back, *([ground.adapted(back)] if adapt else [])):
            posed = ground.vertices(hands)
            rows.append(
                [
                    ground.row(number, hands[i], posed[i], simulate=number in simulated, truth=right[i])
                    for i, number in enumerate(some)
                ]
            )
        return rows

    return make


def truths(dataset: HandDataset, numbers: Sequence[int]) -> torch.Tensor:
    """(B, P) parameters of grasps of the data set."""
    return torch.from_numpy(np.stack([dataset.grasps[number].parameters for number in numbers])).float()


def usage_of(run: TokensRun, dataset: HandDataset, folder: Path) -> dict[str, float]:
    """Share of each codebook's codes that the hands use that the run learned from, by the codebook's name; kept."""
    uses = {"built": {key: dataset.info.get(key) for key in BUILT}, "weights": fingerprint(run.folder)}
    path = cell_path(folder, "usage", 0, run.name)
    if path.is_file():
        cell = read_json(path)
        check_same(path, cell, uses)
        return dict(cell["usage"])
    hands = Hands(dataset, [name for name in run.trained_on if name in dataset.objects])
    usage: dict[str, float] = {}
    if len(hands):
        written = torch.cat([run.tokens.encode(rows, cloud) for cloud, rows in hands.chunks()])
        usage = {name: round(value, 4) for name, value in run.tokens.usage(written).items()}
    write_cell(path, {**uses, "usage": usage})
    return usage
