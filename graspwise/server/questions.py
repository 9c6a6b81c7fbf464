"""What a client asks, ready for the model: the square picture, and the conversation in the model's frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from graspwise.answer import AnswerError, parse_grasp, render_grasp
from graspwise.conversation import INSTRUCTION_LIMIT, Message, assistant_turn, check_instruction, user_turn
from graspwise.errors import InputError
from graspwise.picture import Picture
from graspwise.predict import Model, View, Workspace
from graspwise.server.limits import Limits
from graspwise.server.pictures import open_upload, read_base64

# Characters of a whole conversation: how long a prompt takes to read cannot be stopped in the middle.
CONVERSATION_LIMIT = 4 * INSTRUCTION_LIMIT


@dataclass(frozen=True)
class Said:
    """A turn as a client tells it; an answer's numbers are in the frame of the picture as given."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Question:
    """A conversation that ends with a user's turn, about one picture.

    Attributes:
        view: Leads from the model's frame to the picture's; of the picture itself it holds the size alone.
        square: What the model sees.
        conversation: In the model's frame.
    """

    view: View
    square: Picture
    conversation: tuple[Message, ...]


def question(
    model: Model, image: str | bytes, said: Sequence[Said], *, workspace: Workspace | None, limits: Limits
) -> Question:
    """A question for a model.

    Args:
        model: Who will answer.
        image: A picture file's bytes, or base64, or a data URL.
        said: The turns.
        workspace: As for `Model.look`.
        limits: What is taken.

    Raises:
        InputError: picture, turns or workspace are not valid.
        Problem: the picture has too many pixels.
    """
    checked = check_turns(said, turns=limits.turns)
    picture = open_upload(read_base64(image) if isinstance(image, str) else image, pixels=limits.pixels)
    view = model.look(picture, workspace=workspace)
    square = view.square
    # A photograph waits in the queue as its small square; a broadcast array of its size takes no memory.
    frame = Picture(np.broadcast_to(np.uint8(0), (picture.height, picture.width, 3)))
    view = replace(view, picture=frame)
    first, *rest = checked
    conversation = [user_turn(first.text)]
    for turn in rest:
        conversation.append(
            user_turn(turn.text, image=False) if turn.role == "user" else assistant_turn(in_model(view, turn.text))
        )
    return Question(view, square, tuple(conversation))


def check_turns(said: Sequence[Said], *, turns: int) -> list[Said]:
    """The turns, the user's with their white space folded.

    Raises:
        InputError: they do not alternate from a user's to a user's, or are too many or too long.
    """
    checked = []
    for index, turn in enumerate(said):
        if not is_text(turn.text):
            raise InputError(f"messages: turn {index + 1} holds half a character; valid is Unicode text")
        due = "assistant" if index % 2 else "user"
        if turn.role != due:
            raise InputError(f"messages: turn {index + 1} is the {turn.role}'s; valid is the {due}'s, taking turns")
        if turn.role == "user":
            turn = Said("user", check_instruction(turn.text))
        elif len(turn.text) > INSTRUCTION_LIMIT:
            raise InputError(f"messages: an answer of {len(turn.text)} characters; valid is up to {INSTRUCTION_LIMIT}")
        checked.append(turn)
    if len(checked) % 2 == 0:
        raise InputError("messages: the last turn is not the user's; end with what is asked")
    if len(checked) // 2 + 1 > turns:
        raise InputError(f"messages: {len(checked) // 2 + 1} turns of the user; valid is at most {turns}")
    total = sum(len(turn.text) for turn in checked)
    if total > CONVERSATION_LIMIT:
        raise InputError(f"messages: {total} characters together; valid is at most {CONVERSATION_LIMIT}")
    return checked


def is_text(text: str) -> bool:
    """Whether UTF-8 can hold it; JSON can spell what it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def in_model(view: View, text: str) -> str:
    """An answer's text with its numbers in the model's frame; one without a grasp stays as it is."""
    try:
        reasoning, grasp = parse_grasp(text)
    except AnswerError:
        return text
    try:
        inside = view.transform.grasp(grasp)
    except ValueError:
        # It was given for another workspace: what the model cannot see has no numbers in its frame.
        return reasoning
    return render_grasp(inside, answer_format=view.responder.answer_format, reasoning=reasoning)
