"""The refinement benchmark: which photographs, and the records in a file that is gone on with and not made twice."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graspwise.data.split import Split, make_split
from graspwise.data.store import Dataset, Sample
from graspwise.errors import InputError
from graspwise.evaluation.cells import cell_path, check_same, rows_of, write_cell
from graspwise.evaluation.exposure import seen_objects
from graspwise.evaluation.refine_talk import RefineRecord, TalkRecord, refine
from graspwise.evaluation.runs import Bar, begin, short_names
from graspwise.files import read_json

FOLDS = 5
# Requests after the first answer.
MOST_TURNS = 7
# Conversations held together, and what is written at once.
BATCH = 16
# What tells two builds of one source apart, in dataset.json.
BUILT = ("samples", "seed", "size")


@dataclass(frozen=True)
class RefineConfig:
    """What is asked of which photographs; dumped into `config.json`.

    Attributes:
        turns: Requests in a conversation.
        fold: Which of five folds by objects; None is the test part of the model's own run, or every photograph.
        count: How many photographs; None is all.
        seed: Decides folds, photographs and requests.
    """

    turns: int = 3
    fold: int | None = None
    count: int | None = None
    seed: int = 0


def run_refinement(
    config: RefineConfig,
    model: str,
    data: Path | str,
    out: Path | str,
    *,
    bar: Bar = lambda stream, total, title: stream,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Hold the conversations that are not there yet; returns the cell: `records`, `talks`, `split` and what it is of.

    Args:
        config: What is asked.
        model: A run folder, a published name or a baseline.
        data: Data set folder; its unaugmented pictures are used.
        out: Report folder, new or begun with the same configuration.
        bar: Wraps the conversations in a progress bar.
        say: Called with a line when something slow happens, e.g. a download.

    Raises:
        InputError: a number, a folder or the model is not valid, the data set is one of wishes, or no photograph is
            left.
    """
    from graspwise.model.load import fingerprint
    from graspwise.model.registry import open_responder

    for option, value, most in (("--turns", config.turns, MOST_TURNS), ("--count", config.count, None)):
        if value is not None and (value < 1 or (most is not None and value > most)):
            raise InputError(f"{option} is {value}; valid is 1 {'or more' if most is None else f'to {most}'}")
    if config.seed < 0:
        raise InputError(f"--seed is {config.seed}; valid is 0 or more")
    dataset = Dataset(data)
    if dataset.info.get("task") == "wishes":
        raise InputError(
            f"{data}: is a data set of wishes; valid is one with a grasp's photographs, as of `dataset build cornell`"
        )
    samples, split = photographs_of(dataset, model, config)
    [name] = short_names([model])
    folder = begin(Path(out), asdict(config))
    path = cell_path(folder, "refinement", config.seed, name)
    uses = {
        "model": name, "weights": fingerprint(model), "data": dataset.info["source"], "split": split,
        "built": {key: dataset.info.get(key) for key in BUILT}, "photographs": len(samples),
    }  # fmt: skip
    cell: dict[str, Any] = {**uses, "records": [], "talks": []}
    if path.is_file():
        cell = read_json(path)
        check_same(path, cell, uses)
    records = rows_of(cell, "records", path=path, read=lambda row: RefineRecord(**row))
    talks = rows_of(cell, "talks", path=path, read=lambda row: TalkRecord(**row))
    held = {talk.image for talk in talks}
    missing = [sample for sample in samples if sample.source_image not in held]
    if missing:
        responder, seen = open_responder(model, say=say), seen_objects(model, dataset.info["source"])
        own_words = is_cluttered(dataset)
        batches = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
        for chosen in bar(iter(batches), len(batches), "conversations, in batches"):
            found, ended = refine(
                responder, dataset, chosen, turns=config.turns, seed=config.seed, seen=seen, own_words=own_words
            )
            records, talks = [*records, *found], [*talks, *ended]
            # What an interrupt leaves is gone on with.
            write_cell(path, {**uses, "records": records, "talks": talks})
    return {**uses, "records": records, "talks": talks}


def is_cluttered(dataset: Dataset) -> bool:
    """Whether other things may be in view, so that a thing must be asked for by name."""
    scenes = dataset.folder / "scenes.json"
    return scenes.is_file() and int(read_json(scenes).get("most", 1)) > 1


def photographs_of(dataset: Dataset, model: str, config: RefineConfig) -> tuple[list[Sample], str]:
    """The unaugmented photographs with labels that are asked about, and how they were chosen in words.

    Raises:
        InputError: there is none.
    """
    own = Path(model) / "split.json"
    if config.fold is not None:
        split = make_split(dataset, by="object", folds=FOLDS, fold=config.fold, validation=0, seed=config.seed)
        found, how = split.test_samples(dataset), f"fold {config.fold} of {FOLDS} by objects, seed {config.seed}"
    elif own.is_file() and (split := Split.from_json(read_json(own))).folds:
        found = split.test_samples(dataset)
        how = f"the test part of the model's run, fold {split.fold} of {split.folds} by {split.by}s"
    else:
        found, how = [sample for sample in dataset if sample.original], "every photograph"
    found = [sample for sample in found if sample.rectangles]
    if not found:
        raise InputError(
            f"{dataset.folder}: no labelled, unaugmented picture is in {how}; give another --fold or --data"
        )
    if config.count is not None and config.count < len(found):
        drawn = np.random.default_rng([config.seed, 2]).permutation(len(found))[: config.count]
        found = [found[i] for i in sorted(drawn)]
    return found, how
