"""`graspwise benchmark`: published tables, reproduced."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from graspwise.cli.progress import bar, training_bars

benchmark_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Published tables, reproduced.")


class RobotChoice(StrEnum):
    gripper = "gripper"
    panda = "panda"


@benchmark_app.callback()
def benchmark() -> None:
    """Published tables, reproduced."""


@benchmark_app.command()
def cornell(
    data: Annotated[Path, typer.Option(help="Folder of the Cornell download.")],
    out: Annotated[Path, typer.Option(help="Report folder; cells that are there are not done again.")],
    models: Annotated[
        str,
        typer.Option(
            help="Models that are not trained here; head (the dense head alone), grconvnet and grconvnet-depth (the "
            "peer, trained here), naming (what names categories without reasoning)."
        ),
    ] = "centre,random,blob,head,grconvnet,naming",
    answers: Annotated[str, typer.Option(help="Answer formats to train.")] = "reasoned,prompted,bare",
    strategies: Annotated[str, typer.Option(help="Training strategies.")] = "projector,lora",
    splits: Annotated[str, typer.Option(help="object, image, category, or several with commas between.")] = "object",
    protocols: Annotated[
        str, typer.Option(help="workspace (one fixed crop), and centred (cut around the labels) beside it.")
    ] = "workspace,centred",
    folds: Annotated[int, typer.Option(help="Count of folds.")] = 5,
    run_folds: Annotated[str, typer.Option(help="Which folds to run; by default all.")] = "",
    budget_samples: Annotated[int | None, typer.Option(help="Answer samples a trained cell.")] = None,
    peer_samples: Annotated[
        int | None, typer.Option(help="Samples of grconvnet; by default those of alignment and answers together.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="small, paper or tiny.")] = "small",
    base: Annotated[str, typer.Option(help="What trained cells start from: a checkpoint or a hub id.")] = "small-base",
    samples: Annotated[int, typer.Option(help="Size of the data set that is built.")] = 6110,
    seed: Annotated[int, typer.Option(help="Decides data set, folds and training.")] = 0,
    ray: Annotated[str, typer.Option(metavar="local|ADDRESS", help="Run folds and cells on Ray.")] = "",
) -> int:
    """Table I of RT-Grasp: answer formats and strategies, cross-validated; stop and start again at will."""
    from graspwise.data.store import Dataset
    from graspwise.errors import InputError
    from graspwise.evaluation.benchmark import SPLITS, WORK, benchmark_cornell
    from graspwise.evaluation.cells import read_cells
    from graspwise.evaluation.fold import SHARED, data_folder
    from graspwise.evaluation.gallery import photographs
    from graspwise.evaluation.plan import BenchmarkConfig
    from graspwise.evaluation.report import benchmark_lines, benchmark_report
    from graspwise.train.loop import Interrupted

    try:
        chosen = tuple(int(word) for word in words(run_folds)) or tuple(range(folds))
    except ValueError:
        raise InputError(f"--run-folds is {run_folds!r}; valid is a list of numbers such as 0,1,2") from None
    config = BenchmarkConfig(
        data=str(data), models=words(models), answers=words(answers), strategies=words(strategies),
        splits=words(splits), protocols=words(protocols), folds=folds, run_folds=chosen, samples=samples,
        budget_samples=budget_samples, peer_samples=peer_samples, recipe=recipe, base=base, seed=seed,
    )  # fmt: skip
    try:
        benchmark_cornell(config, out=out, ray=ray, bars=training_bars, say=lambda line: print(line, file=sys.stderr))
    except Interrupted as stopped:
        print(f"graspwise: {stopped}; the same command goes on from there", file=sys.stderr)
        return 130
    options = {
        "--models": models,
        "--answers": answers,
        "--strategies": strategies,
        "--splits": splits,
        "--protocols": protocols,
        "--folds": folds,
        "--run-folds": ",".join(map(str, chosen)),
        "--recipe": recipe,
        "--base": base,
        "--budget-samples": budget_samples,
        "--peer-samples": peer_samples,
        "--samples": samples,
        "--seed": seed,
    }
    given = " ".join(f"{option} {shlex.quote(str(value))}" for option, value in options.items() if value is not None)
    pictures = data_folder(out / WORK, SHARED)
    report = benchmark_report(
        out,
        read_cells(out),
        command=f"graspwise benchmark cornell --data CORNELL --out REPORT {given}",
        splits_file=SPLITS,
        photograph=photographs(Dataset(pictures)) if pictures.is_dir() else None,
    )
    print("\n".join(benchmark_lines(report)))
    return 0


@benchmark_app.command()
def sim(
    out: Annotated[Path, typer.Option(help="Report folder; what is there is not done again.")],
    models: Annotated[
        str, typer.Option(help="Models, run folders and baselines; oracle and random are the world's own controls.")
    ] = "oracle,random,centre,blob,small",
    objects: Annotated[str, typer.Option(help="household, train, meshes, or object names.")] = "household",
    poses: Annotated[int, typer.Option(help="Scenes of each object.")] = 5,
    robot: Annotated[RobotChoice, typer.Option(help="A gripper on a gantry, or a whole arm.")] = RobotChoice.gripper,
    panda_model: Annotated[str, typer.Option(help="MJCF file of the Panda with its hand.")] = "",
    video: Annotated[bool, typer.Option("--video", help="Also film every trial, as a strip and an animation.")] = False,
    seed: Annotated[int, typer.Option(help="Decides scenes, friction and errors.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default all cores.")] = None,
    ray: Annotated[str, typer.Option(metavar="local|ADDRESS", help="Run the scenes on Ray.")] = "",
) -> None:
    """Table II of RT-Grasp: each model's grasps carried out by a robot in simulation; stop and start again at will."""
    from graspwise.evaluation.trials import TrialConfig, run_trials
    from graspwise.evaluation.trials_report import trials_lines, trials_report

    config = TrialConfig(objects=words(objects), poses=poses, robot=robot.value, panda_model=panda_model, seed=seed)
    trials = run_trials(
        config, words(models), out, film=video, workers=workers, ray=ray, bar=bar,
        say=lambda line: print(line, file=sys.stderr),
    )  # fmt: skip
    command = (
        f"graspwise benchmark sim --models {models} --objects {objects} --poses {poses} --robot {robot.value} "
        f"--seed {seed} --out REPORT"
    )
    print("\n".join(trials_lines(trials_report(out, trials, config=config, command=command))))


@benchmark_app.command()
def wishes(
    out: Annotated[Path, typer.Option(help="Report folder; what is there is not done again.")],
    models: Annotated[
        str,
        typer.Option(
            help="Models, run folders and baselines; name-first, grconvnet and oracle+grconvnet need --grconvnet; "
            "oracle is the scenes' own labels; MODEL+text and MODEL+map read one part of a model's answer."
        ),
    ] = "small,blob,name-first,grconvnet,oracle+grconvnet",
    grconvnet: Annotated[str, typer.Option(metavar="RUN", help="Run folder of a trained GR-ConvNet.")] = "",
    count: Annotated[int, typer.Option(help="Scenes of training objects, and as many of household ones.")] = 60,
    scenes: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the scenes are or go, for several reports to share.")
    ] = None,
    clutter: Annotated[str, typer.Option(metavar="N|N-M", help="Things in a scene.")] = "1-8",
    candidates: Annotated[int, typer.Option(help="Grasps tried on each thing.")] = 24,
    tries: Annotated[int, typer.Option(help="Trials of each of those, under other friction and errors.")] = 4,
    trials: Annotated[int, typer.Option(help="Robot trials of each model, in household scenes; 0 for none.")] = 0,
    seed: Annotated[int, typer.Option(help="Decides scenes, wishes, friction and errors.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default all cores.")] = None,
    ray: Annotated[str, typer.Option(metavar="local|ADDRESS", help="Make scenes and trials on Ray.")] = "",
) -> None:
    """Reasoning Grasping's table: the right thing in clutter from an indirect wish; stop and start again at will."""
    from graspwise.cli.sim import parse_range
    from graspwise.evaluation.wish_benchmark import WishBenchmarkConfig, run_wishes
    from graspwise.evaluation.wish_report import wishes_lines, wishes_report

    fewest, most = parse_range(clutter, option="--clutter")
    config = WishBenchmarkConfig(fewest=fewest, most=most, candidates=candidates, tries=tries, seed=seed)
    done = run_wishes(
        config, words(models), out, count=count, scenes=scenes, grconvnet=grconvnet, trials=trials, workers=workers,
        ray=ray, bar=bar, say=lambda line: print(line, file=sys.stderr),
    )  # fmt: skip
    given = f"--models {shlex.quote(models)}" + (" --grconvnet RUN" if grconvnet else "")
    command = (
        f"graspwise benchmark wishes {given} --count {count} --clutter {clutter} --candidates {candidates} "
        f"--tries {tries} --trials {trials} --seed {seed} --out REPORT"
    )
    print("\n".join(wishes_lines(wishes_report(out, done, command=command))))


@benchmark_app.command()
def refinement(
    model: Annotated[str, typer.Option(help="A run folder, a published name, a baseline or a checkpoint.")],
    data: Annotated[Path, typer.Option(help="A data set folder; its unaugmented pictures are used.")],
    out: Annotated[Path, typer.Option(help="Report folder; what is there is not done again.")],
    turns: Annotated[int, typer.Option(help="Requests to change the grasp in a conversation.")] = 3,
    fold: Annotated[
        int | None,
        typer.Option(help="Fold by objects, of five; by default the test part of the run's own split, or everything."),
    ] = None,
    count: Annotated[int | None, typer.Option(help="So many of the photographs; by default all.")] = None,
    seed: Annotated[int, typer.Option(help="Decides fold, photographs and requests.")] = 0,
) -> None:
    """Answering back (RT-Grasp, section V-C): is a request to change the grasp obeyed, and is the grasp still right?"""
    from dataclasses import asdict

    from graspwise.data.store import Dataset
    from graspwise.evaluation.gallery import photographs
    from graspwise.evaluation.refine_benchmark import RefineConfig, run_refinement
    from graspwise.evaluation.refine_report import refinement_lines, refinement_report

    config = RefineConfig(turns=turns, fold=fold, count=count, seed=seed)
    cell = run_refinement(config, model, data, out, bar=bar, say=lambda line: print(line, file=sys.stderr))
    options = {"--turns": turns, "--fold": fold, "--count": count, "--seed": seed}
    given = " ".join(f"{option} {value}" for option, value in options.items() if value is not None)
    command = f"graspwise benchmark refinement --model {shlex.quote(cell['model'])} --data DATA --out REPORT {given}"
    report = refinement_report(
        out, cell, config=asdict(config), command=command, photograph=photographs(Dataset(data))
    )  # fmt: skip
    print("\n".join(refinement_lines(report)))


@benchmark_app.command()
def hands(
    data: Annotated[Path, typer.Option(help="A data set of hands.")],
    out: Annotated[Path, typer.Option(help="Report folder; what is there is not done again.")],
    tokens: Annotated[
        str, typer.Option(metavar="RUN[,RUN...]", help="Runs of hand-tokens, e.g. the four of the ablation.")
    ] = "",
    model: Annotated[str, typer.Option(metavar="RUN", help="A run of hand-instruct, or a published name.")] = "",
    count: Annotated[
        int | None, typer.Option(help="So many hands to give back, and so many sentences; by default all.")
    ] = None,
    simulated: Annotated[int, typer.Option(help="Of those so many are simulated too, which is slow.")] = 60,
    pictured: Annotated[int, typer.Option(help="Questions whose answers are drawn, for people and judge.")] = 20,
    adapt: Annotated[bool, typer.Option(help="Also bring hands the last millimetres to the object.")] = True,
    judge: Annotated[
        str, typer.Option(metavar="URL#MODEL", help="OpenAI-compatible endpoint of a judge that sees pictures.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Decides hands, sentences and what the baselines draw.")] = 0,
    mano: Annotated[Path | None, typer.Option(help="Where MANO's files lie, for a data set of that hand.")] = None,
) -> None:
    """SemGrasp's tables: tokens that give hands back, and sentences that give grasps; stop and start again at will."""
    from graspwise.evaluation.hand_benchmark import run_hands
    from graspwise.evaluation.hand_plan import HandBenchmarkConfig
    from graspwise.evaluation.hand_report import hands_lines, hands_report

    config = HandBenchmarkConfig(count=count, simulated=simulated, pictured=pictured, adapt=adapt, seed=seed)
    figures = run_hands(
        config, data=data, tokens=words(tokens), model=model, out=out, judge=judge, mano=mano, bar=bar,
        say=lambda line: print(line, file=sys.stderr),
    )  # fmt: skip
    options = {
        "--tokens": ",".join(Path(run).name for run in words(tokens)), "--model": Path(model).name,
        "--count": count, "--simulated": simulated, "--pictured": pictured, "--seed": seed,
    }  # fmt: skip
    named = {option: value for option, value in options.items() if value not in (None, "")}
    given = " ".join(f"{option} {shlex.quote(str(value))}" for option, value in named.items())
    command = f"graspwise benchmark hands --data DATA --out REPORT {given}{'' if adapt else ' --no-adapt'}"
    print("\n".join(hands_lines(hands_report(out, figures, command=command))))


def words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
