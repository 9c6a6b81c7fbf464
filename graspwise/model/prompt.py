"""Conversation -> token ids: chat template, image tokens, and as text what the picture looks like and where.

A text can hold the spelling of a special token; it is taken out, so that no instruction can open a turn. Only [SPT] in
an earlier answer is the token that the model wrote there.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from graspwise.answer import render_grasp
from graspwise.conversation import Message
from graspwise.grasp import Grasp
from graspwise.model.steering import spelled
from graspwise.vlm.coordinates import Coordinates


def with_hints(
    instruction: str, *, names: Sequence[str], proposals: Sequence[Grasp], in_view: Sequence[str] = ()
) -> str:
    """The user's words, then what is in view or, of one thing, what it looks like, and the dense head's grasps."""
    lines = [instruction]
    if len(in_view) > 1:
        lines.append(f"In view: {', '.join(in_view)}")
    elif names:
        lines.append(f"Looks like: {', '.join(names)}")
    if proposals:
        listed = "; ".join(render_grasp(grasp, answer_format="bare") for grasp in proposals)
        lines.append(f"Candidates: {listed}")
    return "\n".join(lines)


def prompt_text(
    messages: Sequence[Message],
    *,
    tokenizer: PreTrainedTokenizerBase,
    image_token: str,
    image_text: str,
    coordinates: Coordinates,
    spt: str | None = None,
) -> str:
    """The whole prompt, ending where the assistant's answer starts.

    Args:
        messages: Turns that end with a user's.
        tokenizer: Has the chat template.
        image_token: Placeholder of the picture in the chat template.
        image_text: What it becomes.
        coordinates: How the model reads places; all texts are of the project's.
        spt: Spelling of [SPT], for a model that names its target; the answers among the turns are shown with it.
    """
    specials = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
    clean = []
    for message in messages:
        written = spt if message["role"] == "assistant" else None
        parts = [plain(part, specials, spt=written) for part in message["content"]]
        clean.append({**message, "content": [moved(part, coordinates) for part in parts]})
    text = tokenizer.apply_chat_template(clean, tokenize=False, add_generation_prompt=True)
    return str(text).replace(image_token, image_text)


def plain(part: dict[str, str], specials: Sequence[str], *, spt: str | None = None) -> dict[str, str]:
    """A message part whose text spells no special token but, where `spt` spells it, [SPT]."""
    if part["type"] != "text":
        return part
    text, before = part["text"], None
    # Taking one out can join the ends of another.
    while text != before:
        before = text
        for special in specials:
            text = text.replace(special, " ")
    return {**part, "text": text if spt is None else spelled(text, spt)}


def moved(part: dict[str, str], coordinates: Coordinates) -> dict[str, str]:
    """A message part with its points as the model reads them."""
    return {**part, "text": coordinates.written(part["text"])} if part["type"] == "text" else part
