"""The hand language model's two stages, after SemGrasp: `hand-align`, then `hand-instruct` with LoRA.

Both teach both directions, and conversations of two turns.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from graspwise.errors import InputError
from graspwise.files import write_json
from graspwise.hand.causal import load_causal
from graspwise.hand.grasps import HandDataset, HandGrasp
from graspwise.hand.language import HandTalker, TalkerCard, load_talker, save_talker, talker_folder
from graspwise.hand.tokens import load_hand_tokens
from graspwise.model.load import device
from graspwise.train.hand_lessons import has_request
from graspwise.train.hand_text_recipe import ALIGN, INSTRUCT, HandTextConfig, HandTextRecipe
from graspwise.train.hand_text_task import HandTextTask
from graspwise.train.loop import Progress, fit
from graspwise.train.recipe import Stage
from graspwise.train.run import check_run


def train_hand_language(
    config: HandTextConfig, *, out: Path | str, resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None, say: Callable[[str], None] = lambda line: None,
) -> Path:  # fmt: skip
    """Run the stages that the strategy needs and the base has not been through; returns the model folder.

    Args:
        config: The run; dumped into `config.json`.
        out: Run folder.
        resume: Go on with the run in `out`, which must have been started with the same configuration.
        report: Called after every optimiser step.
        say: Called with a line before each stage.

    Raises:
        InputError: the folder, the data set, the base or the tokens are not valid, or do not belong together.
        graspwise.train.loop.Interrupted: stopped on request; resume goes on from there.
    """
    folder, dataset = Path(out), HandDataset(config.data)
    check_run(folder, config.to_json(), resume=resume)
    split = dataset.split(validation=config.validation, seed=config.seed)
    parts = [
        [grasp for grasp in dataset.grasps if grasp.object_id in chosen and has_request(grasp)]
        for chosen in map(set, (split.training, split.validation))
    ]
    if not parts[0]:
        raise InputError(f"{config.data}: no grasp with a caption is left for training; valid is a larger data set")
    talker = open_talker(config, say=say)
    if talker.tokens.rig.hand.name != dataset.hand:
        raise InputError(
            f"{config.data}: holds hands of {dataset.hand}; the tokens are of {talker.tokens.rig.hand.name}"
        )
    taught = sorted({*talker.card.trained_on, *(grasp.object_id for grasp in parts[0])})
    talker.card = replace(talker.card, trained_on=tuple(taught), recipe=config.recipe.name)
    write_json(folder / "config.json", config.to_json())
    write_json(folder / "split.json", asdict(split))
    for task, stage in stages(talker, config, dataset, *parts):
        say(f"stage {task.name}: {stage.samples} samples")
        fit(task, stage, folder=folder, seed=config.seed, watch=config.watch, report=report)
        if task.name not in talker.card.stages:
            talker.card = replace(talker.card, stages=(*talker.card.stages, task.name))
    save_talker(folder / "model", talker)
    return folder / "model"


def open_talker(config: HandTextConfig, *, say: Callable[[str], None]) -> HandTalker:
    """What the run starts from, in fp32 where it learns."""
    torch.manual_seed(config.seed)
    if talker_folder(config.base) is not None:
        if config.tokens:
            raise InputError(f"--base {config.base}: carries hand tokens of its own; give no --tokens-run")
        return load_talker(config.base, merged=False, mano=config.mano, say=say)
    if not config.tokens:
        raise InputError(f"--base {config.base}: is a language model alone; give a run of hand-tokens as --tokens-run")
    tokens = load_hand_tokens(config.tokens, mano=config.mano).to(device())
    causal = load_causal(config.base, say=say)
    return HandTalker(causal, tokens, TalkerCard(base=causal.name, base_sha256=causal.sha256)).eval()


def stages(
    talker: HandTalker, config: HandTextConfig, dataset: HandDataset, training: Sequence[HandGrasp],
    validation: Sequence[HandGrasp],
) -> Iterator[tuple[HandTextTask, Stage]]:  # fmt: skip
    """Task and budget of each stage; a task is made when the stages before it are done."""
    recipe = config.recipe
    shared: dict[str, Any] = {
        "training": training, "validation": validation, "recipe": recipe, "seed": config.seed,
        "watch_samples": config.watch_samples,
    }  # fmt: skip
    if config.strategy == ALIGN or ALIGN not in talker.card.stages:
        trainable = talker.own_parameters(projector=True)
        yield HandTextTask(ALIGN, talker, dataset, trainable=trainable, **shared), recipe.align
    if config.strategy == INSTRUCT:
        talker.projector.requires_grad_(False)
        torch.manual_seed(config.seed)
        trainable = talker.own_parameters(projector=False) | lora_of(talker, recipe)
        yield HandTextTask(INSTRUCT, talker, dataset, trainable=trainable, **shared), recipe.instruct


def lora_of(talker: HandTalker, recipe: HandTextRecipe) -> dict[str, nn.Parameter]:
    """LoRA in every linear layer of the language model, made where there is none; fp32, learning."""
    from peft import LoraConfig, get_peft_model

    body = talker.causal.body
    if talker.adapter is None:
        layers = [name for name, module in body.named_modules() if isinstance(module, nn.Linear)]
        lora = LoraConfig(r=recipe.lora_rank, lora_alpha=recipe.lora_alpha, lora_dropout=0.0, target_modules=layers)
        talker.adapter = get_peft_model(body, lora)
    found = {}
    for name, parameter in body.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()
            parameter.requires_grad_(True)
            found[name] = parameter
    return found
