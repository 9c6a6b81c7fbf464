"""A model as one merged folder for other engines: all that training changed is in the weights.

Families of transformers are written as checkpoints of their own class. `small`, whose tower no engine knows, brings its
own modelling file, made of the sources of tower, head and `graspwise.model.exported`. A language model goes into a GGUF
file alone.
"""

import inspect
import json
import shutil
from dataclasses import replace
from pathlib import Path

import torch
from transformers import PreTrainedModel
from transformers.utils import cached_file

from graspwise.files import read_json, write_json, write_text
from graspwise.model import tower
from graspwise.model.exported import GraspwiseConfig, GraspwiseForConditionalGeneration
from graspwise.model.grasp_map import SYMMETRIES, GraspMapHead, symmetric_mean, symmetric_views
from graspwise.model.grasp_model import Card, GraspModel
from graspwise.model.save import save_beside
from graspwise.model.small import save_checkpoint
from graspwise.model.weights import CARD

MODELLING = "modeling_graspwise"
AUTO_MAP = {
    "AutoConfig": f"{MODELLING}.{GraspwiseConfig.__name__}",
    "AutoModelForImageTextToText": f"{MODELLING}.{GraspwiseForConditionalGeneration.__name__}",
}
# How a checkpoint's pictures are made ready; engines read them as their authors wrote them.
PROCESSING = ("preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json")


def merge(model: GraspModel) -> None:
    """Put an adapter that is kept apart into the weights."""
    if model.adapter is not None:
        model.vlm = model.adapter.merge_and_unload()
        model.adapter = None
        model.vlm.eval()


def write_export(folder: Path, model: GraspModel, *, name: str) -> None:
    """Write a model, its adapter merged, into an existing empty folder; weights bf16.

    Args:
        folder: Where to.
        model: The model.
        name: Its name, for the model card.
    """
    own = model.family.channels_last and isinstance(model.family.parts(model.vlm).tower, tower.LiteTower)
    if own:
        save_checkpoint(folder, model=with_head(model), tokenizer=model.tokenizer)
        write_text(folder / f"{MODELLING}.py", modelling_source())
    else:
        save_family(folder, model)
    ended_by(folder, model)
    save_beside(folder, model)
    card = replace(model.card, merged=True)
    write_text(folder / "README.md", own_readme(card, model, name=name) if own else readme(card, model, name=name))
    write_json(folder / CARD, card.to_json())


def with_head(model: GraspModel) -> PreTrainedModel:
    """A model of ours with its dense head as one module."""
    settings = {k: v for k, v in model.vlm.config.to_dict().items() if k not in ("model_type", "architectures")}
    config = GraspwiseConfig(**{**settings, "has_grasp_head": model.head is not None})
    config.auto_map = AUTO_MAP
    whole = GraspwiseForConditionalGeneration(config).to(torch.bfloat16)
    state = dict(model.vlm.state_dict())
    if model.head is not None:
        state |= {f"grasp_head.{key}": value for key, value in model.head.state_dict().items()}
    whole.load_state_dict(state)
    return whole


def save_family(folder: Path, model: GraspModel) -> None:
    """A checkpoint of the family's own class, with the picture processing of the one it was trained from."""
    model.vlm.to(torch.bfloat16).save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    for name in PROCESSING:
        found = cached_file(model.vlm.name_or_path, name, _raise_exceptions_for_missing_entries=False)
        if found is not None:
            shutil.copyfile(found, folder / name)


def ended_by(folder: Path, model: GraspModel) -> None:
    """Engines stop where the generation settings say, and some families' end of a turn is no end of a text."""
    path = folder / "generation_config.json"
    settings = read_json(path) if path.is_file() else {}
    known = settings.get("eos_token_id")
    ends = [*(known if isinstance(known, list) else [] if known is None else [known])]
    settings["eos_token_id"] = sorted({*ends, model.end_of_turn})
    write_json(path, settings)


def modelling_source() -> str:
    """One Python file that needs torch and transformers alone."""
    head = "\n\n".join(inspect.getsource(part) for part in (GraspMapHead, symmetric_views, symmetric_mean))
    classes = "\n\n".join(inspect.getsource(part) for part in (GraspwiseConfig, GraspwiseForConditionalGeneration))
    return (
        f"{inspect.getsource(tower)}\n\n# The dense grasp head.\n\nSYMMETRIES = {SYMMETRIES!r}\n\n\n{head}\n\n"
        f"# The whole.\n\nfrom transformers import LlavaConfig, LlavaForConditionalGeneration\n\n\n{classes}"
    )


# ---- the model card


def readme(card: Card, model: GraspModel, *, name: str, engines: str = "", more: str = "") -> str:
    """A model card: where it comes from, how it is asked, what it answers.

    Args:
        card: The model's.
        model: The model.
        name: Its name.
        engines: How it is loaded, where that is not the family's own way.
        more: A further section.
    """
    schema = model.coordinates.schema
    example = schema.render(
        {number.name: number.high / 2 for number in schema.numbers}, answer_format=card.answer, reasoning="Why."
    )
    head = {"library_name": "transformers", "pipeline_tag": "image-text-to-text", "tags": ["robotics", "grasping"]}
    # A folder of this machine is nobody else's base.
    if "/" in card.base and not Path(card.base).exists():
        head["base_model"] = card.base
    front = "\n".join(f"{key}: {json.dumps(value)}" for key, value in head.items())
    load = engines or (
        "    AutoModelForImageTextToText.from_pretrained(FOLDER)        # transformers\n"
        "    vllm serve FOLDER                                          # vLLM; not run with this export\n"
    )
    base = Path(card.base).name if Path(card.base).exists() else card.base
    return f"""---
{front}
---
# {name}, exported by Graspwise

A vision-language model that answers a photograph and a request with a planar grasp, and says why.
Base: `{base}`; recipe: `{card.recipe or "none"}`. All that training changed is merged into the weights, in bf16.

{load}
- A picture is a square of {model.image_size} pixels, a photograph letterboxed into it, in the first user's turn.
- Answers are of the format `{card.answer}`, places in the convention `{card.coordinates}`, such as
  {json.dumps(example)}.
  theta is in radians, counter-clockwise as seen, along which the jaws close. Numbers are of the square picture.
- Asked so, by its text alone, its answers are of the mode `plain`.

    graspwise predict photo.jpg --model FOLDER                 # this does all of that
    graspwise serve --model FOLDER --upstream http://HOST:8000/v1
{more}"""


def own_readme(card: Card, model: GraspModel, *, name: str) -> str:
    """The model card of one of ours, which brings its own modelling file."""
    engines = (
        "    AutoModelForImageTextToText.from_pretrained(FOLDER, trust_remote_code=True)    # transformers\n\n"
        f"No other engine knows its tower. `{MODELLING}.py` is the code that runs: read it before you trust it.\n"
    )
    more = """
## The dense head

`model.grasp_maps(pixel_values)` finds grasps without words. Pixel values are (B, 3, side, side),
normalised as `preprocessor_config.json` says:

    quality, cos, sin, x, y, opening = model.grasp_maps(pixel_values)[0]
    row, column = divmod(int(quality.argmax()), quality.shape[1])
    grasp_x = (column + 0.5 + float(x[row, column])) / quality.shape[1]       # fractions of the square
    grasp_y = (row + 0.5 + float(y[row, column])) / quality.shape[0]
    theta = math.atan2(float(sin[row, column]), float(cos[row, column])) / 2

"""
    if card.proposals or card.trust:
        more += (
            "The language model was trained with the head's grasps in its prompt and with digits weighed by its maps;\n"
            "`graspwise` does both, and such answers are of the mode `grounded`. Without them it is worse.\n"
        )
    return readme(card, model, name=name, engines=engines, more=more if model.head is not None else "")


def gguf_readme(file: str, *, name: str) -> str:
    """The model card of a GGUF file."""
    return f"""# {name}, the language model, exported by Graspwise

`{file}` holds the language model alone, F16: no vision tower, no projector, no dense head. By itself it reads words
and sees nothing; it is for engines that bring the picture's tokens themselves.

    llama-cli -m {file}                                                            # llama.cpp; not run
    AutoModelForCausalLM.from_pretrained(FOLDER, gguf_file="{file}")    # transformers
"""
