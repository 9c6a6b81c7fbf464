"""What answers a conversation about a square picture, and what an answer is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from graspwise.answer import AnswerFormat, Mode
from graspwise.conversation import Message
from graspwise.grasp import Grasp
from graspwise.picture import Picture


@dataclass(frozen=True)
class Response:
    """One answer, in the frame of the square picture.

    Attributes:
        text: As the model wrote it.
        reasoning: The text before the numbers.
        grasp: The grasp it gives; None where the text holds no valid one.
        others: Further grasps, ranked, with quality.
        intervened: Whether the grammar overruled the model's own choice of a token.
        target: Name of the object it means; None where the model names none.
        refused: Whether it says that nothing in view serves the instruction; then there is no grasp.

    Raises:
        ValueError: it refuses and holds a grasp.
    """

    text: str
    reasoning: str
    grasp: Grasp | None
    others: tuple[Grasp, ...] = ()
    intervened: bool = False
    target: str | None = None
    refused: bool = False

    def __post_init__(self) -> None:
        if self.refused and (self.grasp is not None or self.others):
            raise ValueError(f"a refusal holds no grasp; found {(self.grasp, *self.others)}")


class Responder(Protocol):
    """A source of answers.

    Attributes:
        name: As given by the user.
        image_size: Side of the square pictures it takes, pixels.
        answer_format: How its text is written.
        mode: "plain" where the numbers come from text alone, "grounded" where a dense head takes part.
        takes_depth: Whether its pictures must have depth.
    """

    name: str
    image_size: int
    answer_format: AnswerFormat
    mode: Mode
    takes_depth: bool

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        """Answers to conversations that end with a user's turn, one a square picture of side `image_size`."""
