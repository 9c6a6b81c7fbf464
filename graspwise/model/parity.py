"""Whether an export says what its source says: tokens, grasps and logits on a few pictures.

The source is asked three times: its logits with the adapter still apart, then, merged as `predict` has it, the tokens
that it writes freely and its whole answers. Tokens and answers of the export must be the same. The logits tell whether
the merge itself lost something; bf16 rounds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.dynamic_module_utils import get_class_from_dynamic_module

from graspwise.answer import shorten
from graspwise.conversation import user_turn
from graspwise.errors import InputError
from graspwise.files import read_json
from graspwise.model.grasp_model import GraspModel
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.load import load_model
from graspwise.model.responder import Response
from graspwise.picture import Picture

INSTRUCTION = "Pick up the object."
TOKENS = 24
# Distance of logits, as a share of their own spread, that rounding may make: a merge in bf16 makes 7% with `small`. An
# adapter or a projector that was lost makes more.
ROUNDING = 0.2


@dataclass(frozen=True)
class Said:
    """What a model says of some pictures.

    Attributes:
        tokens: Of each picture, the tokens that are written freely.
        responses: Of each picture, the whole answer.
    """

    tokens: list[list[int]]
    responses: list[Response]


def said(model: GraspModel, pictures: Sequence[Picture]) -> Said:
    """Answers to one instruction, a picture at a time, so that no batch changes a digit.

    Args:
        model: Whose.
        pictures: Square ones of the model's side.
    """
    responder = LlavaResponder("model", model)
    asked = [user_turn(INSTRUCTION)]
    return Said(
        tokens=[free_tokens(model, picture) for picture in pictures],
        responses=[responder.respond([picture], [asked])[0] for picture in pictures],
    )


@torch.inference_mode()
def free_tokens(model: GraspModel, picture: Picture) -> list[int]:
    """The first tokens that a model writes with nothing but the prompt and the picture."""
    ids = torch.tensor([model.prompt_ids([user_turn(INSTRUCTION)])])
    output = model.vlm.generate(
        **taken(model, picture, ids), max_new_tokens=TOKENS, do_sample=False, repetition_penalty=1.0,
        eos_token_id=model.end_of_turn, pad_token_id=model.end_of_turn,
    )  # fmt: skip
    return output[0, ids.shape[1] :].tolist()


@torch.inference_mode()
def logits(model: GraspModel, pictures: Sequence[Picture]) -> Tensor:
    """(P, V) of the next token after each picture's prompt, fp32."""
    ids = torch.tensor([model.prompt_ids([user_turn(INSTRUCTION)])])
    rows = [model.vlm(**taken(model, picture, ids)).logits[0, -1] for picture in pictures]
    return torch.stack(rows).float().cpu()


def taken(model: GraspModel, picture: Picture, ids: Tensor) -> dict[str, Tensor]:
    """What a model takes of one picture and a prompt (1, L)."""
    marks = model.family.marks(ids, answered=[0])
    return {
        "input_ids": ids.to(model.device),
        "attention_mask": torch.ones_like(ids).to(model.device),
        **model.family.joined(model.inputs([picture.rgb])),
        **{name: value.to(model.device) for name, value in marks.items()},
    }


def check_logits(before: Tensor, after: Tensor, *, what: str) -> None:
    """Refuse logits or maps (P, V) that differ by more than rounding.

    Raises:
        InputError: they do.
    """
    spread = (before - before.mean(-1, keepdim=True)).norm()
    distance = float((before - after).norm() / spread.clamp_min(1e-9))
    # Not a number is no small distance either.
    if not distance <= ROUNDING:
        raise InputError(
            f"{what}: differs by {distance:.1%} of its logits' spread; valid is {ROUNDING:.0%}; it is not kept"
        )


def check_export(folder: Path, source: Said, pictures: Sequence[Picture]) -> None:
    """Compare an export, opened by this package and by its own modelling file, with what its source said.

    Raises:
        InputError: anything differs.
    """
    model = load_model(str(folder))
    check_said(source, said(model, pictures), what="the export")
    if "auto_map" in read_json(folder / "config.json"):
        maps = None if model.head is None else model.grasp_maps(model.look(squares(model, pictures)))
        alone = by_own_code(folder)
        other = replace(model, vlm=alone)
        if [free_tokens(other, picture) for picture in pictures] != source.tokens:
            raise InputError("the export's own modelling file: writes other tokens than the source; it is not kept")
        if maps is not None:
            # Its convolutions run in another order of the channels, which rounds otherwise.
            again = alone.grasp_maps(squares(other, pictures))
            check_logits(maps.flatten(1), again.flatten(1), what="the export's own modelling file: dense head")


def check_said(before: Said, after: Said, *, what: str) -> None:
    """Refuse tokens or answers that differ.

    Raises:
        InputError: the first that does.
    """
    rows = zip(before.tokens, after.tokens, before.responses, after.responses, strict=True)
    for number, (tokens, others, response, answer) in enumerate(rows, start=1):
        if tokens != others:
            place = next((i for i, (a, b) in enumerate(zip(tokens, others, strict=False)) if a != b), len(others))
            raise InputError(
                f"{what}: picture {number}: token {place + 1} is another than the source's; it is not kept"
            )
        if response != answer:
            raise InputError(
                f"{what}: picture {number}: answers {shorten(answer.text)!r} and {answer.grasp}; the source "
                f"{shorten(response.text)!r} and {response.grasp}; it is not kept"
            )


def by_own_code(folder: Path) -> PreTrainedModel:
    """The model as the modelling file in the folder makes it, and no class of this package."""
    reference = read_json(folder / "config.json")["auto_map"]["AutoModelForImageTextToText"]
    kind = get_class_from_dynamic_module(reference, str(folder))
    model: PreTrainedModel = kind.from_pretrained(folder, dtype=torch.bfloat16)
    return model.eval()


def squares(model: GraspModel, pictures: Sequence[Picture]) -> Tensor:
    return model.pixel_values([picture.rgb for picture in pictures])


def check_gguf(path: Path, model: GraspModel) -> None:
    """Compare a GGUF file, read by transformers, with the language model that it was written from.

    Raises:
        InputError: tokens of a text or logits after them differ.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    text = f"{INSTRUCTION} [0.523, 0.317], -0.78"
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    if tokenizer(text, add_special_tokens=False)["input_ids"] != ids:
        raise InputError(f"{path.name}: its tokenizer cuts a text otherwise than the source's; the file is not kept")
    again = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    language = model.family.parts(model.vlm).language_model.float()
    with torch.inference_mode():
        states = language(input_ids=torch.tensor([ids])).last_hidden_state
        before = states @ model.vlm.get_output_embeddings().weight.float().T
        after = again(input_ids=torch.tensor([ids])).logits
    check_logits(before[0], after[0], what=path.name)
    if not torch.equal(before.argmax(-1), after.argmax(-1)):
        raise InputError(f"{path.name}: a likeliest token is another than the source's; the file is not kept")
