"""Conversations: the messages convention of transformers and TRL, and its export as LLaVA's.

A message is `{"role": "user"|"assistant", "content": [{"type": "image"}, {"type": "text", "text": ...}]}`; the picture
comes first, in the first user turn.
"""

from typing import Any

from graspwise.errors import InputError

Message = dict[str, Any]
INSTRUCTION_LIMIT = 2000


def check_instruction(instruction: str) -> str:
    """The instruction with its white space folded.

    Raises:
        InputError: it is empty or longer than 2,000 characters.
    """
    text = " ".join(instruction.split())
    if not text:
        raise InputError('the instruction is empty; say what to pick up, for example "Pick up the mug"')
    if len(text) > INSTRUCTION_LIMIT:
        raise InputError(f"the instruction has {len(text)} characters; valid is 1 to {INSTRUCTION_LIMIT}")
    return text


def user_turn(text: str, *, image: bool = True) -> Message:
    content: list[dict[str, str]] = [{"type": "image"}] if image else []
    return {"role": "user", "content": [*content, {"type": "text", "text": text}]}


def assistant_turn(text: str) -> Message:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def text_of(message: Message) -> str:
    """The text parts of a message, joined."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def to_llava(sample_id: str, image: str, messages: list[Message]) -> dict[str, Any]:
    """One record of LLaVA's conversation format, `{"id", "image", "conversations": [{"from", "value"}]}`."""
    turns = []
    for message in messages:
        has_image = any(part["type"] == "image" for part in message["content"])
        speaker = "human" if message["role"] == "user" else "gpt"
        turns.append({"from": speaker, "value": ("<image>\n" if has_image else "") + text_of(message)})
    return {"id": sample_id, "image": image, "conversations": turns}
