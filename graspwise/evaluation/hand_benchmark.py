"""The benchmark of hands: tokens that give hands back, sentences that give grasps, and the figures of both."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from graspwise.errors import InputError
from graspwise.evaluation import hand_score
from graspwise.evaluation.hand_answers import BASELINES, SHAPE, TalkerRun, run_answers
from graspwise.evaluation.hand_judge import judge_of, judged
from graspwise.evaluation.hand_measures import Ground, HandRow
from graspwise.evaluation.hand_plan import (
    BUILT,
    HandBenchmarkConfig,
    HandQuestion,
    objects_to_test,
    questions_of,
    spread,
)
from graspwise.evaluation.hand_ratings import Shown, by_method, draw_ratings, ratings_in, shown_of
from graspwise.evaluation.hand_reconstruction import (
    ADAPTED,
    TRUTH,
    TokensRun,
    open_run,
    run_reconstruction,
    usage_of,
)
from graspwise.evaluation.runs import Bar, begin, short_name, short_names
from graspwise.hand.grasps import HandDataset
from graspwise.hand.mano import load_mano
from graspwise.hand.model import HandModel
from graspwise.hand.open_hand import load_open_hand


@dataclass(frozen=True)
class Asked:
    """What the benchmark runs on.

    Attributes:
        dataset: Hands.
        hand: Their model.
        objects: Test objects.
        runs: Runs of hand tokens.
        talker: The hand language model; None where there is none.
    """

    dataset: HandDataset
    hand: HandModel
    objects: list[str]
    runs: list[TokensRun]
    talker: TalkerRun | None


def run_hands(
    config: HandBenchmarkConfig, *, data: Path | str, tokens: Sequence[str], model: str, out: Path | str,
    judge: str = "", mano: Path | str | None = None, bar: Bar = lambda stream, total, title: stream,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:  # fmt: skip
    """Do what is not done yet; returns the figures of the report.

    Args:
        config: What is asked.
        data: Folder of a data set of hands.
        tokens: Runs of hand-tokens; none leaves reconstruction out.
        model: A run of hand-instruct or a published name; "" leaves language out.
        out: Report folder, new or begun with the same configuration.
        judge: `URL#MODEL` of a judge that sees pictures; "" leaves its score blank.
        mano: Where MANO's files lie, for a data set of that hand.
        bar: Wraps what takes long in progress bars.
        say: Called with a line when something slow happens.

    Raises:
        InputError: a number, a folder or a model is not valid, or they do not belong together.
    """
    config.check()
    if not tokens and not model:
        raise InputError("--tokens and --model are empty; valid is a run for at least one of them")
    asked = opened(data, tokens, model, mano=mano)
    endpoint = judge_of(judge) if judge and model else None
    folder = begin(Path(out), asdict(config))
    grounds = cache(partial(Ground, asked.dataset, hand=asked.hand))
    report: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"), "config": asdict(config),
        "data": {key: asked.dataset.info.get(key) for key in BUILT}, "objects": len(asked.objects),
        "reconstruction": None, "language": None,
    }  # fmt: skip
    if asked.runs:
        numbers = spread(asked.dataset, asked.objects, seed=config.seed)[: config.count]
        rows = run_reconstruction(config, asked.runs, asked.dataset, numbers, folder, grounds=grounds, bar=bar)
        report["reconstruction"] = reconstruction_figures(asked, rows, folder)
    if asked.talker:
        questions = questions_of(asked.dataset, asked.objects, config)
        methods, notes = run_answers(
            config, asked.talker, asked.dataset, questions, folder, grounds=grounds, hand=asked.hand, bar=bar, say=say
        )
        last = {name: methods.get(name + ADAPTED, rows) for name, rows in methods.items() if ADAPTED not in name}
        shown = shown_of(questions, last, count=config.pictured)
        draw_ratings(folder, shown, asked.dataset, asked.hand, bar=bar)
        marks = {"rating": ratings_in(folder)}
        if endpoint:
            marks["judge"] = judged(folder, endpoint, shown, seed=config.seed, bar=bar)
        report["language"] = {
            **language_figures(asked, asked.talker, methods, questions),
            "notes": notes,
            "judge": endpoint.model if endpoint else None,
            "marks": marks_of(shown, marks, last, adapted=config.adapt),
        }
    return report


def opened(data: Path | str, tokens: Sequence[str], model: str, *, mano: Path | str | None) -> Asked:
    """What the benchmark runs on.

    Raises:
        InputError: a folder or a model is not valid, or they do not belong together.
    """
    dataset = HandDataset(data)
    names = short_names(tokens, option="--tokens")
    runs = [open_run(name, folder, dataset, mano=mano) for name, folder in zip(names, tokens, strict=True)]
    talker = TalkerRun.of(short_name(model), model, mano=mano) if model else None
    if talker and talker.tokens.rig.hand.name != dataset.hand:
        raise InputError(f"--model {model}: is of the hand {talker.tokens.rig.hand.name}; valid here is {dataset.hand}")
    if talker and talker.name in (TRUTH, *BASELINES):
        raise InputError(f"--model {model}: is named as a baseline; valid is a folder of another name")
    learned = {name for run in runs for name in run.trained_on} | set(talker.trained_on if talker else ())
    hand = load_mano(mano) if dataset.hand == "mano" else load_open_hand()
    return Asked(dataset, hand, objects_to_test(dataset, learned), runs, talker)


def reconstruction_figures(asked: Asked, rows: dict[str, list[HandRow]], folder: Path) -> dict[str, Any]:
    """The figures of every row, and of every run what it is and which codes it uses."""
    return {
        "rows": {name: hand_score.figures(of) for name, of in rows.items()},
        "runs": {
            run.name: {
                "tokens": run.kind, "samples": run.samples, "codes": run.tokens.number,
                "usage": usage_of(run, asked.dataset, folder), "seen": seen_objects(asked, run.trained_on),
            }
            for run in asked.runs
        },
    }  # fmt: skip


def language_figures(
    asked: Asked, talker: TalkerRun, methods: dict[str, list[HandRow]], questions: Sequence[HandQuestion]
) -> dict[str, Any]:
    """The figures of every method, and the model beside the baselines and the ground truth."""
    features = hand_score.HandFeatures(talker.tokens.cloud_encoder, asked.dataset, asked.hand)
    reference = hand_score.reference_of(
        asked.dataset, asked.objects, [question.number for question in questions], features
    )
    rows = {
        name: {
            **hand_score.figures(of),
            "agreement": hand_score.agreement(of, questions),
            **hand_score.whole_figures(of, features, reference[0] if reference else None),
        }
        for name, of in methods.items()
    }
    ends = [end for end in ("", ADAPTED) if talker.name + end in methods]
    return {
        "model": talker.name,
        "main": talker.name + ends[-1],
        "samples": talker.samples,
        "seen": seen_objects(asked, talker.trained_on),
        "levels": {level: sum(q.level == level for q in questions) for level in ("low", "high", "talk")},
        "reference": reference[1] if reference else None,
        "rows": rows,
        "minus": {
            other + end: hand_score.in_points(methods[talker.name + end], methods[other + end])
            for end in ends for other in (SHAPE, *(name for name in BASELINES if name != SHAPE))
        },
        "times_truth": {
            name: {
                figure: hand_score.times(of, methods[TRUTH], figure)
                for figure in ("penetration_cm", "volume_cm3", "displacement_cm")
            }
            for name, of in methods.items() if name != TRUTH
        },
    }  # fmt: skip


def marks_of(
    shown: Sequence[Shown], marks: dict[str, dict[str, float]], methods: dict[str, list[HandRow]], *, adapted: bool
) -> dict[str, dict[str, Any]]:
    """The mean mark of each method, by who gave it, under the names of the rows that were shown."""
    found: dict[str, dict[str, Any]] = {}
    for who, given in marks.items():
        of = by_method(shown, given)
        for method, rows in methods.items():
            name = method + ADAPTED if adapted and method != TRUTH else method
            found.setdefault(name, {})[who] = hand_score.scores_of(of.get(method, {}), rows)
    return found


def seen_objects(asked: Asked, learned: Sequence[str]) -> int:
    """How many of the test objects were learned from."""
    return len(set(asked.objects) & set(learned))
