"""Models by name: published ones, run folders, model folders, exports, checkpoints on disk and on the hub.

A model folder is laid out as `graspwise.model.save` writes it. An export is a whole checkpoint with such a card.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers.utils import logging

import graspwise.model.exported  # noqa: F401  registers our own classes with transformers
from graspwise.errors import InputError
from graspwise.files import read_json, replacing_folder
from graspwise.model.grasp_map import GraspMapHead
from graspwise.model.grasp_model import Card, GraspModel
from graspwise.model.hub_names import fetched, file_sha256, hub_name
from graspwise.model.memory import Memory
from graspwise.model.save import ADAPTER, MAPS, MEMORY, PROJECTOR, SCENE_NAMES, STEERED, TAUGHT
from graspwise.model.scene_names import SceneNames
from graspwise.model.small import save_checkpoint, write_small_base
from graspwise.model.spread import spread_blocks
from graspwise.model.steering import SteeredHead
from graspwise.model.weights import BASE_NAME, CARD, PACKAGES, PUBLISHED, cache_folder, published_cards
from graspwise.vlm.coordinates import FRACTION
from graspwise.vlm.holding import Holding
from graspwise.vlm.registry import open_family

# Raised when the conversion changes what the same packages become.
CONVERSION = 1
# Whole, bf16.
HOLDING = Holding()
Say = Callable[[str], None]


def load_model(
    name: str, *, merged: bool = True, say: Say = lambda line: None, holding: Holding = HOLDING
) -> GraspModel:
    """A model by name.

    Args:
        name: A published name ("small"), "small-base", a run folder, a model folder, a checkpoint folder, or the hub
            name of a model folder or a checkpoint, `owner/name` or `owner/name@revision`.
        merged: Merge an adapter into the weights; False keeps it apart, trainable.
        say: Called with a line when something slow happens.
        holding: How the weights are held; another than the usual one needs `merged=False`.

    Raises:
        InputError: there is no such model, or its parts do not belong together.
    """
    folder = model_folder(name)
    if folder is None:
        checkpoint = base_checkpoint(name, say=say)
        card = Card(base=name, base_sha256=base_hash(name, checkpoint))
        model = open_checkpoint(checkpoint, card=card, holding=holding)
        # Nobody has taught it another convention yet.
        model.card = replace(model.card, coordinates=model.family.coordinates.name)
        return model
    card = read_card(folder)
    if card.merged:
        return open_export(folder, card if merged else as_base(folder, card), holding=holding)
    if merged and name in published_cards():
        return open_merged(folder, card, say=say)
    return open_parts(folder, card, merged=merged, say=say, holding=holding)


def model_folder(name: str) -> Path | None:
    """The model folder a name stands for, or None where it stands for a plain checkpoint; one on the hub is fetched.

    Raises:
        InputError: the hub has no such model, or cannot be reached.
    """
    for candidate in (PUBLISHED / name, Path(name), Path(name) / "model"):
        if (candidate / CARD).is_file():
            return candidate
    on_hub = hub_name(name)
    folder = None if on_hub is None else fetched(on_hub)
    return folder if folder is not None and (folder / CARD).is_file() else None


def fingerprint(model: str) -> str:
    """A hash of the card and weights of a model that lies in a folder, so that retraining tells; "" of any other."""
    folder = model_folder(model) or Path(model)
    if not model or not folder.is_dir():
        return ""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".safetensors")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(file_sha256(path))
    return digest.hexdigest()


def read_card(folder: Path) -> Card:
    value = read_json(folder / CARD)
    if "network" in value:
        raise InputError(f"{folder}: holds a {value['network']}; valid here is a vision-language model")
    try:
        return Card(**{**value, "stages": tuple(value["stages"]), "trained_on": tuple(value["trained_on"])})
    except (TypeError, KeyError) as error:
        raise InputError(f"{folder / CARD}: not a card of this version ({error})") from error


def base_checkpoint(name: str, *, say: Say = lambda line: None) -> str:
    """Folder of a plain checkpoint; `small-base` is put together when it is not in the cache, the hub's are fetched."""
    if name == BASE_NAME:
        folder = cache_folder() / f"{BASE_NAME}-{base_hash(BASE_NAME, '')[:12]}"
        cached(folder, lambda temporary: write_small_base(temporary, cache=cache_folder(), say=say))
        return str(folder)
    if (Path(name) / "split.json").is_file():
        raise InputError(f"{name}: an unfinished run without a model; go on with it by `graspwise train --resume`")
    if name and Path(name).is_dir():
        if not (Path(name) / "config.json").is_file():
            raise InputError(
                f"{name}: holds no model; valid is a run folder, a model folder or a checkpoint with config.json"
            )
        return name
    on_hub = hub_name(name)
    if on_hub is None:
        named = ", ".join([*published_cards(), BASE_NAME])
        raise InputError(
            f"model {name!r}: no such model; valid: {named}, a folder, or a hub id such as llava-hf/llava-1.5-7b-hf"
        )
    return str(fetched(on_hub))


def cached(folder: Path, write: Callable[[Path], None]) -> None:
    """Have a checkpoint written into the cache, if it is not there; several processes may ask at once."""
    if (folder / "config.json").is_file():
        return
    try:
        with replacing_folder(folder) as temporary:
            write(temporary)
    except InputError:
        # Made by another process meanwhile, of the same parts.
        if not (folder / "config.json").is_file():
            raise


def base_hash(name: str, checkpoint: str) -> str:
    """What an adapter records of its base: the content of its weights."""
    digest = hashlib.sha256()
    if name == BASE_NAME:
        digest.update("".join([*(p.sha256 for p in PACKAGES), str(CONVERSION)]).encode())
        return digest.hexdigest()
    files = sorted(Path(checkpoint).glob("*.safetensors")) if Path(checkpoint).is_dir() else []
    digest.update(b"" if files else name.encode())
    for path in files:
        digest.update(file_sha256(path))
    return digest.hexdigest()


def open_checkpoint(checkpoint: str, *, card: Card, holding: Holding = HOLDING) -> GraspModel:
    """A checkpoint of a known family as a grasp model.

    Raises:
        InputError: it is of no family, or it cannot be read or fetched.
    """
    logging.disable_progress_bar()
    try:
        vlm, family = open_family(checkpoint, holding=holding, device=device())
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError, SafetensorError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"model {checkpoint}: cannot be loaded ({reason[:200]})") from error
    vlm.eval().requires_grad_(False)
    if holding.spread:
        spread_blocks(vlm, family.parts(vlm))
    if not holding.four_bit:
        vlm.to(device())  # type: ignore[arg-type]
    if family.channels_last:
        family.parts(vlm).tower.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return GraspModel(vlm=vlm, family=family, card=card)


def device() -> torch.device:
    """The accelerator where there is one, else the CPU."""
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def open_parts(
    folder: Path, card: Card, *, merged: bool, say: Say = lambda line: None, holding: Holding = HOLDING
) -> GraspModel:
    """Base, projector, head and adapter of a model folder, put together."""
    checkpoint = base_checkpoint(card.base, say=say)
    found = base_hash(card.base, checkpoint)
    if found != card.base_sha256:
        raise InputError(
            f"{folder / CARD}: made for a base {card.base} with sha256 {card.base_sha256[:12]}; found {found[:12]}; "
            f"give the checkpoint it was trained from"
        )
    model = open_checkpoint(checkpoint, card=card, holding=holding)
    known = {FRACTION.name, model.family.coordinates.name}
    if card.coordinates not in known:
        raise InputError(f"{folder / CARD}: coordinates are {card.coordinates!r}; valid: {', '.join(sorted(known))}")
    if card.projector_act:
        set_projector_act(model, card.projector_act)
    load_part(model.family.parts(model.vlm).projector, folder / PROJECTOR)
    load_heads(model, folder)
    if (folder / ADAPTER).is_dir():
        from peft import PeftModel

        adapted = PeftModel.from_pretrained(model.vlm, folder / ADAPTER, is_trainable=not merged)
        if merged:
            model.vlm = adapted.merge_and_unload()
        else:
            model.adapter = adapted
        model.vlm.eval()
    return model


def set_projector_act(model: GraspModel, name: str) -> None:
    """Give the projector another activation: "gelu" is LLaVA-1.5's, "linear" makes it LLaVA v0's linear map."""
    from transformers.activations import ACT2FN

    model.vlm.config.projector_hidden_act = name
    model.vlm.model.multi_modal_projector.act = ACT2FN[name]
    model.card = replace(model.card, projector_act=name)


def load_heads(model: GraspModel, folder: Path) -> None:
    if (folder / TAUGHT).is_file():
        model.taught = tuple((folder / TAUGHT).read_text(encoding="utf-8").splitlines())
    if (folder / MEMORY).is_file():
        model.memory = Memory.load(folder / MEMORY)
    if (folder / MAPS).is_file():
        model.head = new_head(model)
        load_part(model.head, folder / MAPS)
        model.head.to(model.device, model.dtype).eval().requires_grad_(False)
    if (folder / SCENE_NAMES).is_file():
        channels = model.vlm.config.vision_config.map_channels
        model.scene_names = SceneNames.load(folder / SCENE_NAMES, channels=channels)
        model.scene_names.to(model.device, model.dtype).eval().requires_grad_(False)
    if (folder / STEERED).is_file():
        model.steered = new_steered_head(model)
        load_part(model.steered, folder / STEERED)
        model.steered.to(model.device, model.dtype).eval().requires_grad_(False)


def new_head(model: GraspModel) -> GraspMapHead:
    """An untrained dense head for a model's tower."""
    return GraspMapHead(model.vlm.config.vision_config.map_channels).to(model.device)


def new_steered_head(model: GraspModel) -> SteeredHead:
    """A steered head for a model's tower and language model, which begins as the model's dense head."""
    config = model.vlm.config
    steered = SteeredHead(config.vision_config.map_channels, config.text_config.hidden_size).to(model.device)
    if model.head is not None:
        steered.start_from(model.head)
    return steered


def load_part(module: torch.nn.Module, path: Path) -> None:
    """Load a module's weights.

    Raises:
        InputError: the file is missing, damaged, or of another model.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; the model folder is not whole")
    try:
        module.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        raise InputError(f"{path}: does not fit this model ({str(error).splitlines()[-1].strip()[:160]})") from error


def open_merged(folder: Path, card: Card, *, say: Say) -> GraspModel:
    """A published model from the cache, merged there once: loading it then needs neither peft nor the base."""
    digest = hashlib.sha256(card.base_sha256.encode())
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".safetensors", ".json")):
        digest.update(path.read_bytes())
    checkpoint = cache_folder() / f"{folder.name}-{digest.hexdigest()[:12]}"

    def write(temporary: Path) -> None:
        say(f"preparing {folder.name} (once)")
        model = open_parts(folder, card, merged=True, say=say)
        save_checkpoint(temporary, model=model.vlm, tokenizer=model.tokenizer)

    cached(checkpoint, write)
    model = open_checkpoint(str(checkpoint), card=card)
    load_heads(model, folder)
    return model


def open_export(folder: Path, card: Card, *, holding: Holding = HOLDING) -> GraspModel:
    """A model whose checkpoint lies beside its card, all that training changed merged into it."""
    model = open_checkpoint(str(folder), card=card, holding=holding)
    load_heads(model, folder)
    model.head = getattr(model.vlm, "grasp_head", None)
    return model


def as_base(folder: Path, card: Card) -> Card:
    """The card of what is trained from an export, which is its base."""
    return replace(card, merged=False, base=str(folder), base_sha256=base_hash(str(folder), str(folder)))
