"""How much a server takes on; everything beyond is refused with a reason."""

from dataclasses import dataclass, fields

from graspwise.errors import InputError
from graspwise.picture import MAX_PIXELS


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a server.

    Attributes:
        body: Bytes of a request's body.
        pixels: Of a picture.
        turns: User turns of a conversation.
        tokens: Of a conversation with its picture, for a language model.
        queue: Requests that may wait beside those being answered.
        batch: Requests answered at once.
        seconds: Longest time from a request's arrival to its answer.

    Raises:
        InputError: one of them is not above 0, or the pixels are more than can be read.
    """

    body: int = 20 * 2**20
    pixels: int = 40_000_000
    turns: int = 8
    tokens: int = 2500
    queue: int = 64
    batch: int = 8
    seconds: float = 120.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float("inf"):
                raise InputError(f"limit {field.name}: found {value}; valid is a number above 0")
        if self.pixels > MAX_PIXELS:
            raise InputError(f"limit pixels: found {self.pixels}; valid is at most {MAX_PIXELS}")
