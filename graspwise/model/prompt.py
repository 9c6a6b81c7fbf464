"""Conversation -> token ids: chat template, image tokens, and as text what the picture looks like and where.

The text of a user can hold the spelling of a special token; it is taken out, so that no instruction can open a turn.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from graspwise.answer import render_grasp
from graspwise.conversation import Message
from graspwise.grasp import Grasp


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
    messages: Sequence[Message], *, tokenizer: PreTrainedTokenizerBase, image_token: str, image_tokens: int
) -> str:
    """The whole prompt, image placeholders expanded, ending where the assistant's answer starts."""
    specials = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
    clean = [{**message, "content": [plain(part, specials) for part in message["content"]]} for message in messages]
    text = tokenizer.apply_chat_template(clean, tokenize=False, add_generation_prompt=True)
    return str(text).replace(image_token, image_token * image_tokens)


def plain(part: dict[str, str], specials: Sequence[str]) -> dict[str, str]:
    """A message part whose text spells no special token."""
    if part["type"] != "text":
        return part
    text, before = part["text"], None
    # Taking one out can join the ends of another.
    while text != before:
        before = text
        for special in specials:
            text = text.replace(special, " ")
    return {**part, "text": text}
