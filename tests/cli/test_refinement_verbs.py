"""The command line on a tiny random model: build conversations, train on them, stop, resume, benchmark refinement."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import graspwise.train.loop as loop
from graspwise.conversation import user_turn
from graspwise.data.store import Dataset

Run = Callable[..., tuple[int, str, str]]
TINY = ["--recipe", "tiny", "--folds", "3", "--fold", "1", "--strategy", "lora"]


def stopped_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the process interrupted, as by Ctrl-C, at a step of the optimiser."""
    clip, taken = loop.nn.utils.clip_grad_norm_, [0]

    def counted(*arguments, **options):
        taken[0] += 1
        if taken[0] == steps:
            os.kill(os.getpid(), signal.SIGINT)
        return clip(*arguments, **options)

    monkeypatch.setattr(loop.nn.utils, "clip_grad_norm_", counted)


def test_conversations_are_built_trained_on_resumed_and_benchmarked(
    run: Run, cornell_folder: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = ["dataset", "build", "cornell", cornell_folder, "--samples", "18", "--size", "64"]
    assert run(*build, "--conversations", "0.7", "--out", "data")[0] == 0
    turns = [sample.turns for sample in Dataset("data")]
    assert {1, 2} <= set(turns) and max(turns) <= 4

    train = ["train", "--data", "data", "--base", tiny_checkpoint, *TINY, "--out"]
    assert run(*train, "whole")[0] == 0
    steps = len(Path("whole/metrics.jsonl").read_text().splitlines())
    with monkeypatch.context() as patched:
        # In the middle of the answers, the last stage.
        stopped_after(steps - 1, patched)
        assert run(*train, "broken")[0] == 130
    assert not Path("broken/model").exists()
    assert run(*train, "broken", "--resume")[0] == 0
    for name in ("projector.safetensors", "adapter/adapter_model.safetensors"):
        assert Path("broken/model", name).read_bytes() == Path("whole/model", name).read_bytes(), name

    benchmark = ["benchmark", "refinement", "--model", "whole", "--data", "data", "--out", "report", "--turns", "2"]
    code, table, _ = run(*benchmark)
    assert code == 0 and "| **whole** |" in table and "numbers moved by rule" in table
    report = json.loads(Path("report/report.json").read_text())
    assert "--turns 2" in report["command"] and "fold 1 of 3" in report["split"]
    [cell] = Path("report/cells").glob("*.json")
    records = json.loads(cell.read_text())["records"]
    assert {record["method"] for record in records} == {"model", "again", "next", "rule"}
    shown = [sample.source_image for sample in Dataset("data") if sample.original]
    assert {record["image"] for record in records} < set(shown)
    assert "<figure" in Path("report/report.html").read_text() and list(Path("report/gallery").glob("*.jpg"))

    written = cell.stat().st_mtime_ns
    assert run(*benchmark)[1] == table and cell.stat().st_mtime_ns == written
    code, _, error = run(*benchmark[:-1], "3")
    assert code == 2 and "begun with another turns" in error and error.count("\n") == 1


def test_a_trained_model_goes_on_with_a_conversation(run: Run, tiny_checkpoint: Path, cornell_folder: Path) -> None:
    from graspwise.model.registry import open_responder
    from graspwise.picture import open_picture
    from graspwise.transform import Transform

    responder = open_responder(str(tiny_checkpoint))
    picture = open_picture(next((cornell_folder / "01").glob("*.png")))
    side = responder.image_size
    square = Transform.letterbox(source_size=picture.size, size=(side, side)).picture(picture)
    asked = [user_turn("Pick up the bar"), user_turn("further left", image=False)]
    first = responder.respond([square], [asked[:1]])[0]
    said = {"role": "assistant", "content": [{"type": "text", "text": first.text}]}
    assert responder.respond([square], [[asked[0], said, asked[1]]])[0].grasp is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--turns", "0"], "--turns is 0; valid is 1 to 7"),
        (["--turns", "8"], "--turns is 8; valid is 1 to 7"),
        (["--count", "0"], "--count is 0; valid is 1 or more"),
        (["--seed", "-1"], "--seed is -1; valid is 0 or more"),
        (["--fold", "5"], "fold 5 of 5"),
        (["--model", "none-such"], "none-such"),
    ],
)
def test_bad_options_of_the_benchmark_are_refused(
    run: Run, dataset_folder: Path, options: list[str], message: str
) -> None:
    given = ["--model", "blob", *options]
    code, out, error = run("benchmark", "refinement", "--data", dataset_folder, "--out", "report", *given)
    assert (code, out) == (2, "") and message in error and error.count("\n") == 1


def test_an_interrupted_benchmark_goes_on_and_another_build_is_told_apart(
    run: Run, dataset_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import graspwise.evaluation.refine_benchmark as module

    shutil.copytree(dataset_folder, "data")
    ask = ["benchmark", "refinement", "--model", "blob", "--data", "data", "--turns", "1", "--out"]
    monkeypatch.setattr(module, "BATCH", 2)
    code, whole, _ = run(*ask, "whole")
    assert code == 0
    held, refine = [], module.refine

    def broken(responder, dataset, samples, **options):
        if len(held) == 2:
            raise KeyboardInterrupt
        held.append([sample.source_image for sample in samples])
        return refine(responder, dataset, samples, **options)

    with monkeypatch.context() as patched:
        patched.setattr(module, "refine", broken)
        assert run(*ask, "report")[0] == 130
    [cell] = Path("report/cells").glob("*.json")
    assert len(json.loads(cell.read_text())["talks"]) == 4
    later = []
    monkeypatch.setattr(
        module, "refine", lambda r, d, samples, **o: later.extend(samples) or refine(r, d, samples, **o)
    )
    assert run(*ask, "report")[1].split("## How")[0] == whole.split("## How")[0]
    assert not {sample.source_image for sample in later} & {name for batch in held for name in batch}

    info = json.loads(Path("data/dataset.json").read_text())
    Path("data/dataset.json").write_text(json.dumps({**info, "seed": info["seed"] + 1}))
    code, _, error = run(*ask, "report")
    assert code == 2 and "made with another built" in error and error.count("\n") == 1
    Path("data/dataset.json").write_text(json.dumps({**info, "task": "wishes"}))
    code, _, error = run(*ask, "other")
    assert code == 2 and "is a data set of wishes; valid is" in error and error.count("\n") == 1


@pytest.mark.parametrize(("most", "named"), [(None, False), (1, False), (3, True)])
def test_things_are_named_where_others_are_in_view(
    run: Run, dataset_folder: Path, monkeypatch: pytest.MonkeyPatch, most: int | None, named: bool
) -> None:
    import graspwise.evaluation.refine_benchmark as module

    shutil.copytree(dataset_folder, "data")
    if most is not None:
        Path("data/scenes.json").write_text(json.dumps({"most": most}))
    told = []
    refine = module.refine
    monkeypatch.setattr(module, "refine", lambda *a, **o: told.append(o["own_words"]) or refine(*a, **o))
    assert (
        run("benchmark", "refinement", "--model", "blob", "--data", "data", "--out", "report", "--turns", "1")[0] == 0
    )
    assert told == [named]


@pytest.mark.parametrize("share", ["-0.1", "1.5", "nan"])
def test_a_share_of_conversations_outside_its_range_is_refused(run: Run, cornell_folder: Path, share: str) -> None:
    code, _, error = run("dataset", "build", "cornell", cornell_folder, "--out", "data", "--conversations", share)
    assert code == 2 and f"--conversations is {float(share):g}; valid is a share of the samples, 0 to 1" in error
    assert not Path("data").exists()
