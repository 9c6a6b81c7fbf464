"""How a model behind an endpoint is asked: a general one in words, one of ours as it was trained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graspwise.answer import GRASP, REASONING_LIMIT, WRITTEN, AnswerFormat
from graspwise.conversation import Message, text_of
from graspwise.errors import InputError
from graspwise.vlm.coordinates import FRACTION, Coordinates

IMAGE_SIZE = 512

_X, _Y, _THETA = GRASP.numbers
INSTRUCTION = f"""\
The picture is what a robot's camera sees. The robot has a gripper with two parallel jaws, which close on a thing from
two sides. Find one grasp for the request below.

First write one sentence: what the thing is, what shape it has, and where and how to grasp it. No numbers in it.
Then write one line with the grasp, and nothing after it, in this form:
{GRASP.bare.format(x="x", y="y", theta="theta")}

- x: where the middle between the jaws is, as a fraction of the picture's width: {_X.render(_X.low)} is the left edge,
  {_X.render(_X.high)} the right edge.
- y: the same as a fraction of the picture's height: {_Y.render(_Y.low)} is the top edge, {_Y.render(_Y.high)} the
  bottom edge.
- theta: the direction of the line from jaw to jaw, along which they close, counter-clockwise as seen, in radians from
  {_THETA.render(_THETA.low)} to {_THETA.render(_THETA.high)}: +0.00 is one jaw left and one right of the thing, +0.79
  one at its lower left and one at its upper right, -0.79 one at its upper left and one at its lower right, +1.57 one
  below and one above it.

The jaws close across the thing's narrow side: on a long thing, theta is at a right angle to its length. Plain grey bars
at the picture's edges show nothing, but they count in its width and height.

For example, the last line could be:
{GRASP.example}

The request: """


@dataclass(frozen=True)
class Manner:
    """How a model is asked, and what its text means.

    Attributes:
        image_size: Side of the square pictures that it gets, pixels.
        answer_format: How its answers are written.
        coordinates: How it reads and writes places.
        instruction: Stands before the user's first words.
        specials: Spellings of its special tokens, which no user may write.
        pattern: Regular expression of its answers, for a server that holds it to one; None leaves it free.
    """

    image_size: int = IMAGE_SIZE
    answer_format: AnswerFormat = "reasoned"
    coordinates: Coordinates = FRACTION
    instruction: str = INSTRUCTION
    specials: tuple[str, ...] = ()
    pattern: str | None = None

    def wire_messages(self, picture: str, conversation: Sequence[Message]) -> list[dict[str, Any]]:
        """A conversation in OpenAI's wire format, picture (a data URL) and instruction in its first turn.

        The instruction is no system message, because many open models' templates have none.
        """
        first, *rest = conversation
        opening = [
            {"type": "image_url", "image_url": {"url": picture}},
            {"type": "text", "text": self.instruction + self.said(first)},
        ]
        return [
            {"role": "user", "content": opening},
            *({"role": message["role"], "content": self.said(message)} for message in rest),
        ]

    def said(self, message: Message) -> str:
        """A turn's words as the model reads them."""
        from graspwise.model.prompt import moved, plain

        part = {"type": "text", "text": text_of(message)}
        return moved(plain(part, self.specials), self.coordinates)["text"]


UNTUNED = Manner()
# The instruction asks for a sentence without numbers and a line of the bare format.
HELD = replace(UNTUNED, pattern=rf"{WRITTEN}{{1,{REASONING_LIMIT}}}\n{GRASP.tail_pattern('bare')}")


def trained_manner(name: str) -> Manner:
    """How a model of ours is asked by text alone; its weights are not read.

    Args:
        name: A run folder, a model folder or an export.

    Raises:
        InputError: it is none, or answers with the help of a dense head, which no endpoint has.
    """
    from graspwise.model.load import base_checkpoint, model_folder, read_card
    from graspwise.vlm.registry import open_adapter

    folder = model_folder(name)
    if folder is None:
        raise InputError(
            f"--model {name} beside --upstream: holds no card; valid is an export, or the run it was made of"
        )
    card = read_card(folder)
    if card.proposals or card.names or card.trust or (folder / "steered.safetensors").is_file():
        raise InputError(
            f"--model {name} beside --upstream: answers with its dense head; valid is a model of text alone"
        )
    adapter = open_adapter(str(folder) if card.merged else base_checkpoint(card.base))
    coordinates = FRACTION if card.coordinates == FRACTION.name else adapter.coordinates
    return Manner(
        image_size=adapter.image_size,
        answer_format=card.answer,
        coordinates=coordinates,
        instruction="",
        specials=tuple(sorted(adapter.tokenizer.get_added_vocab(), key=len, reverse=True)),
        pattern=coordinates.schema.pattern(card.answer),
    )
