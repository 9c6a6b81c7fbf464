"""A training run: stages one after the other in one folder, resumable, ending in a model folder and a plot."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from graspwise.data.mixture import open_data
from graspwise.data.rows import outlines
from graspwise.data.split import GROUPS, make_split
from graspwise.data.store import Dataset, Sample
from graspwise.errors import InputError
from graspwise.files import empty_directory, read_json, write_json
from graspwise.model.grasp_model import GraspModel
from graspwise.model.load import load_model, new_steered_head, set_projector_act
from graspwise.model.memory import Memory
from graspwise.model.save import save_parts
from graspwise.model.small import start_projector
from graspwise.model.tower import LiteTower
from graspwise.train.estimate import Forecast, estimate
from graspwise.train.examples import plain_example
from graspwise.train.loop import Progress, Task, check_share, fit
from graspwise.train.parts import Parts, divide, plate_length
from graspwise.train.processes import ALONE, Processes
from graspwise.train.reason_task import ReasonTask
from graspwise.train.recipe import Recipe, Stage, TrainConfig
from graspwise.train.recompute import recomputable_layers
from graspwise.train.scene_task import SceneTask, all_names
from graspwise.train.steer_tasks import SteerTask
from graspwise.train.tasks import DenseTask, MapsTask, WordsTask
from graspwise.train.taught import taught_reasons
from graspwise.train.text_tasks import AnswerTask, CaptionTask
from graspwise.vlm.coordinates import FRACTION
from graspwise.vlm.holding import Holding

# Object sets that wishes may be learned on.
TRAINING_SETS = {"train", "graspnet-train"}


def train(
    config: TrainConfig,
    *,
    out: Path | str,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda line: None,
    processes: Processes = ALONE,
) -> Path:
    """Run every stage that the strategy needs and the base has not been through; returns the model folder.

    What it will take, as far as it is known, is said before the first stage and kept in `estimate.json`.

    Args:
        config: The run; dumped into `config.json`.
        out: Run folder.
        resume: Go on with the run in `out`, which must have been started with the same configuration.
        report: Called after every optimiser step.
        say: Called with a line before each stage.
        processes: Those that train together; all call this with the same configuration.

    Raises:
        InputError: the folder, the data set, the base or the split is not valid, or the processes cannot share a step.
        graspwise.train.loop.Interrupted: stopped on request; resume goes on from there.
    """
    folder, dataset = Path(out), open_data(config.data)
    processes.first_does(lambda: check_run(folder, config.to_json(), resume=resume))
    split = make_split(
        outlines(dataset.sources()), by=config.split, folds=config.folds, fold=config.fold,
        validation=config.validation, seed=config.seed,
    )  # fmt: skip
    parts = divide(dataset, split)
    if not parts.training:
        raise InputError(
            f"{named_folders(config)}: no sample is left for training; valid is a data set of more "
            f"{GROUPS[config.split]}"
        )
    torch.manual_seed(config.seed)
    holding = Holding(dtype=config.dtype, four_bit=config.four_bit, spread=processes.spread)
    with processes.one_ahead():
        model = load_model(config.base, merged=False, say=say, holding=holding)
    check_strategy(config, dataset, model)
    prepare(model, config, dataset, parts)
    ahead = wanted_stages(model, config)
    for name, stage in ahead.items():
        check_share(name, stage, processes)
    forecast = Forecast(
        folder, estimate(model, config, ahead, processes=processes.count), ahead, report=report, say=say
    )
    if processes.is_first:
        write_json(folder / "config.json", config.to_json())
        write_json(folder / "split.json", split.to_json())
        forecast.begin()
    for task, stage, watch in stages(model, config, dataset, parts):
        say(f"stage {task.name}: {stage.samples} samples")
        fit(task, stage, folder=folder, seed=config.seed, watch=watch, report=forecast.report, processes=processes)
        if isinstance(task, DenseTask):
            # Gigabytes that no later stage asks for.
            task.seen.clear()
        if task.name not in model.card.stages:
            model.card = replace(model.card, stages=(*model.card.stages, task.name))
    if config.strategy != "align" and model.card.answer == "reasoned":
        model.taught = taught_reasons(parts.training, marked=model.names_target, before=model.taught)
    if processes.is_first:
        save_parts(folder / "model", model)
    return folder / "model"


def check_run(folder: Path, config: dict[str, Any], *, resume: bool) -> None:
    """Refuse a folder that holds something else, and a resume with other options than its `config.json` has."""
    if not resume:
        empty_directory(folder)
        return
    before = read_json(folder / "config.json")
    changed = sorted(key for key in {*config, *before} if before.get(key) != config.get(key))
    if changed:
        raise InputError(
            f"{folder}: started with another {', '.join(changed)}; resume with the same options, or give a new --out"
        )


def check_strategy(config: TrainConfig, dataset: Dataset, model: GraspModel) -> None:
    """Refuse test objects and test wordings, and what data set, base or recipe do not suit the strategy.

    Raises:
        InputError: one of these.
    """
    wishes = dataset.info["task"] == "wishes"
    if wishes and (foreign := set(dataset.info["sets"]) - TRAINING_SETS):
        raise InputError(
            f"{named_folders(config)}: holds objects of {', '.join(sorted(foreign))}, which are for testing; valid: "
            f"{', '.join(sorted(TRAINING_SETS))}"
        )
    if wishes and dataset.info["test"]:
        raise InputError(f"{named_folders(config)}: is worded for testing; valid is a data set built without --test")
    if config.strategy != "spt":
        if wishes:
            raise InputError(f"--strategy is {config.strategy}; valid for the wishes in {named_folders(config)} is spt")
        return
    has_head = "maps" in model.card.stages or (config.recipe.maps.samples > 0 and not wishes)
    if not (is_ours(model) and has_head):
        raise InputError(f"--base {config.base}: has no dense head to start from; valid is small, or a run of align")
    if not config.recipe.trust:
        raise InputError(f"--recipe {config.recipe.name}: leaves the digits to the language model; valid is small")
    if dataset.info["answer"] != "reasoned":
        raise InputError(f"{named_folders(config)}: has {dataset.info['answer']} answers; valid for spt is reasoned")
    _ = model.spt


def named_folders(config: TrainConfig) -> str:
    return ", ".join(config.data)


def is_ours(model: GraspModel) -> bool:
    """Whether the tower is ours: any other model comes aligned, and its tower has no map for a dense head."""
    return isinstance(model.family.parts(model.vlm).tower, LiteTower)


def prepare(model: GraspModel, config: TrainConfig, dataset: Dataset, parts: Parts) -> None:
    """Freeze the model, and write into its card what this run makes of it."""
    recipe, ours = config.recipe, is_ours(model)
    if ours and not model.card.stages:
        set_projector_act(model, recipe.projector_act)
    model.card = replace(
        model.card,
        answer=dataset.info["answer"],
        coordinates=FRACTION.name if config.coordinates == "fraction" else model.family.coordinates.name,
        proposals=recipe.proposals if ours else 0,
        names=recipe.names if ours else 0,
        trust=recipe.trust if ours else 0.0,
        plate=plate_length(parts.captions),
        recipe=recipe.name,
        trained_on=tuple(sorted({*model.card.trained_on, *parts.trained_on})),
    )
    model.vlm.requires_grad_(False)
    model.family.parts(model.vlm).projector.float()


def is_wanted(model: GraspModel, name: str, stage: Stage) -> bool:
    """Whether a stage that comes before the answers has something to teach the model."""
    return is_ours(model) and stage.samples > 0 and name not in model.card.stages


def wanted_stages(model: GraspModel, config: TrainConfig) -> dict[str, Stage]:
    """The stages ahead by name; of `spt` some may turn out to be left out, where there are no scenes."""
    named_so = {
        "answers" if name == config.strategy else name: stage
        for name, stage in config.recipe.stages(config.strategy).items()
    }
    return {name: s for name, s in named_so.items() if name == "answers" or is_wanted(model, name, s)}


def stages(model: GraspModel, config: TrainConfig, dataset: Dataset, parts: Parts) -> Iterator[tuple[Task, Stage, int]]:
    """Task, budget and count of validations of each stage; a task is made when the stages before it are done."""
    recipe, projector = config.recipe, model.family.parts(model.vlm).projector
    recomputed = recomputable_layers(model) if config.gradient_checkpointing else []
    shared: dict[str, Any] = {"validation": parts.validation, "seed": config.seed, "recomputed": recomputed}

    def wanted(name: str, stage: Stage) -> bool:
        return is_wanted(model, name, stage)

    if wanted("maps", recipe.maps):
        distinct = recipe.distinct_maps
        yield MapsTask(model, dataset, distinct=distinct, training=parts.training, **shared), recipe.maps, config.watch
    freeze(model.head, dtype=model.dtype)
    if is_ours(model) and recipe.names and model.memory is None:
        model.memory = remember(model, dataset, parts.captions)
    projector.requires_grad_(True)
    trainable = named(projector, "projector")
    if wanted("words", recipe.words):
        # Seeded again where something random starts, so that a resumed run starts it alike.
        torch.manual_seed(config.seed)
        start_projector(projector)
        yield WordsTask(model, dataset, training=parts.captions, **shared), recipe.words, 0
    if wanted("captions", recipe.captions):
        task: Task = CaptionTask(model, dataset, training=parts.captions, trainable=trainable, **shared)
        yield task, recipe.captions, 0
    if config.strategy == "align":
        return
    if config.strategy == "spt":
        dense: dict[str, Any] = {"distinct": recipe.distinct_maps, "training": parts.training}
        more = all_names(parts.training) - set(model.scene_names.names if model.scene_names else ())
        # Without a scene there is one thing in view, whose name the memory tells.
        if dataset.info["task"] == "wishes" and (wanted("scene", recipe.scene) or more):
            yield SceneTask(model, dataset, **dense, **shared), recipe.scene, 0
            freeze(model.scene_names, dtype=model.dtype)
        if wanted("steer", recipe.steer) or more:
            yield SteerTask(model, dataset, **dense, **shared), recipe.steer, 0
        model.steered = model.steered or new_steered_head(model)
        model.steered.float().train().requires_grad_(True)
    if config.strategy in ("lora", "spt"):
        torch.manual_seed(config.seed)
        model.adapter = model.adapter or add_lora(model, recipe)
        trainable |= lora_parameters(model)
    if config.strategy == "spt" and dataset.info["task"] == "wishes" and wanted("reasons", recipe.reasons):
        words: dict[str, Any] = {"trainable": lora_parameters(model), "name_weight": recipe.name_weight}
        yield ReasonTask(model, dataset, training=parts.training, **words, **shared), recipe.reasons, 0
    shared |= {"trainable": trainable, "recipe": recipe, "watch_samples": config.watch_samples}
    stage: Stage = getattr(recipe, config.strategy)
    yield AnswerTask(model, dataset, training=parts.training, **shared), stage, config.watch


def remember(model: GraspModel, dataset: Dataset, samples: Sequence[Sample]) -> Memory:
    """The training photographs as the tower sees them, closer looks around the dense head's grasps."""
    seen = []
    for start in range(0, len(samples), 16):
        pictures = [plain_example(dataset, s, size=model.image_size).rgb for s in samples[start : start + 16]]
        pixel_values = model.pixel_values(pictures)
        maps = model.grasp_maps(model.look(pixel_values)) if model.head is not None else None
        seen.append(model.looks(pixel_values, maps))
    return Memory.of(torch.cat(seen), names=[s.category for s in samples], objects=[s.object_id for s in samples])


def named(module: nn.Module, prefix: str) -> dict[str, nn.Parameter]:
    return {f"{prefix}.{name}": parameter for name, parameter in module.named_parameters()}


def freeze(head: nn.Module | None, *, dtype: torch.dtype = torch.bfloat16) -> None:
    """A head that has learned, in the weights' type; nothing where there is none."""
    if head is not None:
        head.to(dtype).eval().requires_grad_(False)


def add_lora(model: GraspModel, recipe: Recipe) -> Any:
    """LoRA in every linear layer of the language model, and nowhere else (RT-Grasp, section IV-B.2)."""
    from peft import LoraConfig, get_peft_model

    names = {module: name for name, module in model.vlm.named_modules()}
    inside = model.family.parts(model.vlm).language_model.modules()
    layers = [names[module] for module in inside if isinstance(module, nn.Linear)]
    lora = LoraConfig(r=recipe.lora_rank, lora_alpha=recipe.lora_alpha, lora_dropout=0.0, target_modules=layers)
    return get_peft_model(model.vlm, lora)


def lora_parameters(model: GraspModel) -> dict[str, nn.Parameter]:
    """LoRA's own parameters, in fp32 so that small steps are not rounded away, and learning."""
    found = {}
    for name, parameter in model.vlm.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()
            parameter.requires_grad_(True)
            found[name] = parameter
    return found
