"""`graspwise evaluate`: a model's figures on photographs it has not seen."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from graspwise.cli.progress import columns


def evaluate(
    model: Annotated[str, typer.Option(help="A run folder, a published name, a baseline, a checkpoint or a hub id.")],
    data: Annotated[Path, typer.Option(help="A data set folder; its unaugmented pictures are used.")],
    out: Annotated[
        Path | None, typer.Option(help="Where report.json and report.md go; by default the run folder.")
    ] = None,
    json_line: Annotated[bool, typer.Option("--json", help="The summary as one line of JSON on stdout.")] = False,
) -> None:
    """Score a model by the rectangle metric on the test part of its run's split, or on every picture without one."""
    from graspwise.data.split import Split
    from graspwise.data.store import Dataset
    from graspwise.errors import InputError
    from graspwise.evaluation.exposure import known_categories, seen_objects, training_photographs
    from graspwise.evaluation.naming import commonest_category
    from graspwise.evaluation.report import evaluation_lines, evaluation_report
    from graspwise.evaluation.rubric_table import rubric_lines
    from graspwise.evaluation.score import score
    from graspwise.files import read_json
    from graspwise.model.registry import open_responder

    dataset = Dataset(data)
    run = Path(model)
    samples = [sample for sample in dataset if sample.original]
    known: frozenset[str] = frozenset()
    commonest = ""
    if (run / "split.json").is_file():
        split = Split.from_json(read_json(run / "split.json"))
        samples = split.test_samples(dataset) if split.folds else samples
        learned = training_photographs(dataset, split)
        known, commonest = known_categories(learned), commonest_category(learned) if learned else ""
    if not samples:
        raise InputError(f"{data}: none of its unaugmented pictures is in the test part of {model}'s split")
    seen = seen_objects(model, dataset.info["source"])
    responder = open_responder(model, say=lambda line: print(line, file=sys.stderr))
    with columns() as progress:
        task = progress.add_task("pictures", total=len(samples), note="")
        records = score(
            responder, dataset, samples, seen=seen, known=known,
            report=lambda done, _: progress.update(task, completed=done),
        )  # fmt: skip
    target = out or (run if (run / "split.json").is_file() else None)
    command = f"graspwise evaluate --model {model} --data {data}"
    rubric = None
    if target is not None:
        report = evaluation_report(
            target, model=model, data=str(data), records=records, command=command, commonest=commonest
        )
        summary, rubric = report["summary"], report["rubric"]
    else:
        from graspwise.evaluation.score import summarise

        summary = summarise(records)
    if json_line:
        print(json.dumps(summary, ensure_ascii=False))
        return
    print("\n".join([*evaluation_lines(summary), *(rubric_lines(rubric) if rubric else [])]))
    if summary["seen_objects"]:
        print("The model was trained on some of these objects: this is no measure of how it does on new ones.")
