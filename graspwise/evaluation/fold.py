"""One fold of the benchmark: its data, and its models, each trained when it is first asked for."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from graspwise.conversation import user_turn
from graspwise.data.split import By, make_split
from graspwise.data.store import Dataset
from graspwise.evaluation.alone import PICTURES, measure_alone
from graspwise.evaluation.comparison import PEER
from graspwise.evaluation.controls import control_records
from graspwise.evaluation.exposure import known_categories, seen_objects, training_photographs
from graspwise.evaluation.naming import (
    commonest_category,
    majority_names,
    naming_records,
    naming_summary,
    nearest_names,
)
from graspwise.evaluation.plan import HEAD, MAJORITY, PEER_DEPTH, PEERS, BenchmarkConfig, trained_as
from graspwise.evaluation.protocol import VIEWS, workspace_view
from graspwise.evaluation.score import UNNAMED, score, square, summarise
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.plain_responders import HeadResponder
from graspwise.model.registry import open_responder
from graspwise.model.responder import Responder
from graspwise.model.weights import CARD
from graspwise.train.loop import Progress
from graspwise.train.peer import PeerConfig, train_peer
from graspwise.train.recipe import Strategy, TrainConfig, recipe_named
from graspwise.train.run import check_run, train

Bars = Callable[[], AbstractContextManager[Callable[[Progress], None]]]
Say = Callable[[str], None]
Opener = Callable[[], Responder]
# What is no answer format is trained on these answers' pictures, and every model is tested on them.
SHARED = "reasoned"
# Stages whose validation accuracy is a curve of the accuracy on answers.
CURVES = ("answers", "grconvnet")


def no_bars() -> AbstractContextManager[Callable[[Progress], None]]:
    return nullcontext(lambda progress: None)


def data_folder(work: Path, answer: str) -> Path:
    """Where the data set of an answer format is."""
    return work / "data" / answer


class Fold:
    """One fold of one split.

    Args:
        config: What is compared.
        by: "object", "image" or "category".
        number: Which fold is the test part.
        work: Folder of data sets and runs; what is there is gone on with.
        bars: Opens progress bars for one training.
        say: Called with a line a stage of training.
    """

    def __init__(
        self, config: BenchmarkConfig, *, by: By, number: int, work: Path, bars: Bars = no_bars,
        say: Say = lambda line: None,
    ) -> None:  # fmt: skip
        self.config, self.by, self.number, self.work = config, by, number, work
        self.bars, self.say = bars, say
        self.dataset = Dataset(data_folder(work, SHARED))
        self.split = make_split(
            self.dataset, by=by, folds=config.folds, fold=number, validation=TrainConfig.validation, seed=config.seed
        )
        self.test = self.split.test_samples(self.dataset)
        self.photographs = training_photographs(self.dataset, self.split)
        self.known = known_categories(self.photographs)

    def result(self, name: str) -> dict[str, Any]:
        """What a cell's model answers and how that is, for its JSON; a model that is trained here is trained first."""
        model, opener, run = self.model(name)
        trained: dict[str, Any] = {"training_seconds": training_seconds(run)} if run else {}
        if run and name != HEAD:
            trained["curve"] = curve(run)
        side, takes_depth, answers = self.answers(model, opener)
        pictures = [
            square(self.dataset, sample, side, depth=takes_depth, view=workspace_view)[0]
            for sample in self.test[:PICTURES]
        ]
        # The process that measures may need the accelerator's memory that this one no longer does.
        torch.cuda.empty_cache()
        alone = measure_alone(opener, pictures, [user_turn(UNNAMED)])
        whole = answers.pop("workspace")
        # Reasons are compared with texts about it.
        commonest = {"commonest_category": commonest_category(self.photographs)}
        summary, records = whole["summary"], whole["records"]
        return {**trained, **alone, **commonest, "summary": summary, **answers, "records": records}

    def answers(self, model: str, opener: Opener) -> tuple[int, bool, dict[str, Any]]:
        """Side of the model's pictures, whether they have depth, and summary and records of each protocol.

        A model whose digits are weighed against a dense head is also asked without that, in the protocol workspace.
        """
        responder = opener()
        seen = seen_objects(model, str(self.dataset.info["source"]))
        found: dict[str, Any] = {}
        for protocol, view in VIEWS.items():
            if protocol in self.config.protocols:
                records = score(responder, self.dataset, self.test, view=view, seen=seen, known=self.known)
                found[protocol] = {"summary": summarise(records), "records": records}
        if isinstance(responder, LlavaResponder) and responder.trust:
            # As the paper's model answers: no head weighs the digits.
            alone = LlavaResponder(responder.name, responder.model, trust=0)
            records = score(alone, self.dataset, self.test, seen=seen, known=self.known)
            found["text_alone"] = {"summary": summarise(records), "records": records}
        return responder.image_size, responder.takes_depth, found

    def naming(self, name: str) -> dict[str, Any]:
        """How an opponent that only names the categories does."""
        if name == MAJORITY:
            names = majority_names(self.photographs, self.test)
        else:
            from graspwise.model.load import load_model

            names = nearest_names(load_model(self.config.base, say=self.say), self.dataset, self.photographs, self.test)
        records = naming_records(names, self.test, known=self.known)
        return {"summary": naming_summary(records), "names": records}

    def controls(self) -> dict[str, Any]:
        """What becomes of the main cell's grasps after other reasons than its own."""
        responder = open_responder(str(self.answering("lora", "reasoned")))
        assert isinstance(responder, LlavaResponder)
        records = control_records(responder, self.dataset, self.test, seed=self.config.seed)
        return {"summary": {"n": len(self.test)}, "controls": records}

    def model(self, name: str) -> tuple[str, Opener, Path | None]:
        """Name or run folder of a cell's model, what opens it, and its run folder where it was trained here."""
        kind = trained_as(name)
        if name == HEAD:
            run = self.aligned()
            return str(run), partial(HeadResponder, str(run)), run
        if kind or name in PEERS:
            run = self.answering(*kind) if kind else self.peer(depth=name == PEER_DEPTH)
            return str(run), partial(open_responder, str(run)), run
        return name, partial(open_responder, name), None

    def aligned(self) -> Path:
        """The run that all trained cells of the fold start from."""
        return self.llava("align", SHARED, base=self.config.base, run=self.run("align"))

    def answering(self, strategy: Strategy, answer: str) -> Path:
        return self.llava(strategy, answer, base=str(self.aligned()), run=self.run(f"{strategy}-{answer}"))

    def llava(self, strategy: Strategy, answer: str, *, base: str, run: Path) -> Path:
        # Cells of all budgets start from one alignment.
        recipe = recipe_named(self.config.recipe) if strategy == "align" else self.config.chosen_recipe
        config = TrainConfig(
            data=(str(data_folder(self.work, answer)),), base=base, strategy=strategy, recipe=recipe, split=self.by,
            folds=self.config.folds, fold=self.number, seed=self.config.seed,
        )  # fmt: skip
        return self.finished(run, config, train)

    def peer(self, *, depth: bool) -> Path:
        config = PeerConfig(
            data=str(data_folder(self.work, SHARED)), recipe=self.config.peer_recipe, split=self.by,
            folds=self.config.folds, fold=self.number, seed=self.config.seed, depth=depth,
        )  # fmt: skip
        return self.finished(self.run(PEER_DEPTH if depth else PEER), config, train_peer)

    def run(self, name: str) -> Path:
        return self.work / "runs" / f"{self.by}-{self.number}-{name}"

    def finished(self, run: Path, config: Any, function: Callable[..., Path]) -> Path:
        """A run folder with its model: trained, gone on with, or there already.

        Raises:
            InputError: it was started with another configuration.
            graspwise.train.loop.Interrupted: stopped on request.
        """
        started = (run / "config.json").is_file()
        if started:
            check_run(run, config.to_json(), resume=True)
        if not (run / "model" / CARD).is_file():
            with self.bars() as report:
                function(config, out=run, resume=started, report=report, say=self.say)
        return run


def metrics(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines() if line]


def curve(run: Path) -> list[list[float]]:
    """[samples of the last stage, percent of the watched validation photographs right], in the order of training."""
    lines = [line for line in metrics(run) if line["stage"] in CURVES and "accuracy" in line]
    return [[line["samples"], round(100 * line["accuracy"], 2)] for line in lines]


def training_seconds(run: Path) -> float:
    """Time in a run's steps; a stage and a resumed run start their clocks anew."""
    clock = [(line["stage"], float(line["seconds"])) for line in metrics(run)]
    lasting = (now for (stage, now), (after, then) in pairwise([*clock, ("", 0.0)]) if after != stage or then < now)
    return round(sum(lasting), 1)
