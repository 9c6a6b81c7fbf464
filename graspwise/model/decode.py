"""Write token by token, but read several at once: as many of a draft are kept as would have been written without it.

Every token is chosen from the language model's own distribution after the tokens before it, so a draft changes how long
an answer takes and not what it says (speculative decoding, arXiv 2211.17192, whose draft model is here what
`graspwise.model.drafts` knows). Tokens of a draft that were not kept stay in the cache as holes that nothing attends
to, so that rows of a batch may keep as many as they like.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from graspwise.model.grasp_model import GraspModel
from graspwise.vlm.adapter import Inputs, of_pictures

# Row, and its text so far; told after every token.
OnToken = Callable[[int, str], None]
# Row -> whether nobody waits for its answer any more; asked after every token.
Stop = Callable[[int], bool]


class Writer(Protocol):
    """Who decides what an answer says; one an answer."""

    def choose(self, ids: Sequence[int], scores: Tensor, states: Tensor | None) -> int:
        """The token after those of the answer so far.

        Args:
            ids: L tokens of the answer so far.
            scores: (V,) fp32 logits of the next one; may be written to.
            states: (L, D) after each token; None where nobody keeps them.
        """

    def draft(self, ids: Sequence[int]) -> list[int]:
        """What may come after the tokens so far; nothing, or more."""


@dataclass
class Answer:
    """An answer while it is being written.

    Attributes:
        ids: Its tokens, those it was begun with first.
        states: (L, D) after each token that was read, in pieces.
        stopped: Whether it was broken off because nobody waits for it any more.
        over: Whether nothing more is written.
        draft: What is read next, besides the last token.
        kept: How many of the tokens read last are its own.
    """

    ids: list[int]
    states: list[Tensor] = field(default_factory=list)
    stopped: bool = False
    over: bool = False
    draft: list[int] = field(default_factory=list)
    kept: int = 0


@torch.inference_mode()
def decode(
    model: GraspModel,
    prompts: Sequence[Sequence[int]],
    inputs: Inputs,
    *,
    begun: Sequence[Sequence[int]],
    writers: Sequence[Writer],
    most: int,
    on_token: OnToken | None = None,
    stop: Stop | None = None,
) -> list[Answer]:
    """Answers to a batch of prompts.

    Args:
        model: Whose language model reads.
        prompts: Token ids, one prompt a picture.
        inputs: What the model takes of the pictures (B, ...), one a prompt.
        begun: Tokens that each answer begins with.
        writers: One an answer.
        most: Tokens of an answer at most, besides those it was begun with.
        on_token: Told after every token.
        stop: Asked after every token; an answer it says yes to is broken off, and the others go on.
    """
    answers = [Answer(list(ids)) for ids in begun]
    reader = Reader(model, [[*p, *b] for p, b in zip(prompts, begun, strict=True)], inputs, answered=[*map(len, begun)])
    with states_of(model) as read:
        scores = reader.prompts()
        for row, answer in enumerate(answers):
            if model.names_target and answer.ids:
                answer.states.append(read[-1][row, -len(answer.ids) :])
        while True:
            for row, (answer, writer) in enumerate(zip(answers, writers, strict=True)):
                if not answer.over:
                    take(
                        model, answer, writer, scores[row], most=most + len(begun[row]),
                        on_token=None if on_token is None else partial(on_token, row),
                        stop=None if stop is None else partial(stop, row),
                        states=read[-1][row] if answer.kept and model.names_target else None,
                    )  # fmt: skip
            if all(answer.over for answer in answers):
                return answers
            reader.keep([answer.kept for answer in answers])
            for answer, writer in zip(answers, writers, strict=True):
                answer.draft = [] if answer.over else writer.draft(answer.ids)
            read.clear()
            scores = reader.read([[answer.ids[-1], *answer.draft] for answer in answers])
            for answer in answers:
                answer.kept = 1


def take(
    model: GraspModel,
    answer: Answer,
    writer: Writer,
    scores: Tensor,
    *,
    states: Tensor | None,
    most: int,
    on_token: Callable[[str], None] | None,
    stop: Callable[[], bool] | None,
) -> None:
    """Write on as far as the draft was right, and one token more.

    Args:
        model: Whose tokens.
        answer: Grows.
        writer: Chooses.
        scores: (1 + K, V) logits after the last token and after each of the draft.
        states: (1 + K, D) of those tokens; None where nobody keeps them.
        most: Length at which the answer ends.
        on_token: Told the text after every token.
        stop: Asked after every token.
    """
    for place in range(1 + len(answer.draft)):
        if states is not None:
            answer.states.append(states[place : place + 1])
        known = torch.cat(answer.states) if answer.states else None
        token = writer.choose(answer.ids, scores[place], known)
        answer.ids.append(token)
        if token == model.end_of_turn:
            answer.over = True
            return
        if on_token is not None:
            on_token(model.text_of(answer.ids))
        answer.stopped = stop is not None and stop()
        answer.over = answer.stopped or len(answer.ids) >= most
        if answer.over or place == len(answer.draft) or token != answer.draft[place]:
            return
        answer.kept += 1


class Reader:
    """A language model that reads on in several texts at once, each with its picture.

    Args:
        model: Whose.
        prompts: Token ids of each text's first part.
        inputs: What the model takes of the pictures (B, ...).
        answered: How many tokens of each prompt, the last, are an answer begun.
    """

    def __init__(
        self, model: GraspModel, prompts: Sequence[Sequence[int]], inputs: Inputs, *, answered: Sequence[int]
    ) -> None:
        self.model, self.inputs = model, inputs
        length = max(map(len, prompts))
        self._ids = torch.full((len(prompts), length), model.end_of_turn)
        self._mask = torch.zeros_like(self._ids)
        found = [
            model.family.positions(model.vlm, prompt, of_pictures(inputs, [row])) for row, prompt in enumerate(prompts)
        ]
        # One axis, or those of a picture besides; padding may stand anywhere.
        self._positions = torch.zeros((len(found[0]), len(prompts), length), dtype=torch.long)
        for row, (prompt, places) in enumerate(zip(prompts, found, strict=True)):
            self._ids[row, length - len(prompt) :] = torch.tensor(prompt)
            self._mask[row, length - len(prompt) :] = 1
            self._positions[:, row, length - len(prompt) :] = places
        self._marks = model.family.marks(self._ids, answered=answered)
        self._next = [int(places.max()) + 1 for places in found]
        self._cache = DynamicCache(config=model.vlm.config.get_text_config())
        # Tokens of each row that were read last, besides the prompts.
        self._width = 0

    def prompts(self) -> Tensor:
        """Logits (B, 1, V) after each prompt."""
        given = {**self.model.family.joined(self.inputs), **self._marks}
        return self._logits(self._ids, self._positions, logits_to_keep=1, **given)

    def read(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Logits (B, 1 + K, V) after each of the next tokens, K the longest draft; shorter ones are padded."""
        width = self._width = max(map(len, texts))
        ids = torch.full((len(texts), width), self.model.end_of_turn)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = torch.tensor(text)
            mask[row, : len(text)] = 1
        self._mask = torch.cat([self._mask, mask], dim=1)
        places = torch.tensor(self._next)[:, None] + torch.arange(width)
        return self._logits(ids, places.expand(len(self._positions), -1, -1))

    def keep(self, counts: Sequence[int]) -> None:
        """Of the tokens read last, keep so many of each row, the first."""
        for row, count in enumerate(counts):
            self._mask[row, self._mask.shape[1] - self._width + count :] = 0
            self._next[row] += count

    def _logits(self, ids: Tensor, positions: Tensor, **given: Any) -> Tensor:
        device = self.model.device
        output = self.model.vlm(
            input_ids=ids.to(device),
            attention_mask=self._mask.to(device),
            position_ids=(positions[0] if len(positions) == 1 else positions).to(device),
            past_key_values=self._cache,
            use_cache=True,
            **{name: value.to(device) if isinstance(value, Tensor) else value for name, value in given.items()},
        )
        return output.logits.float().cpu()


@contextmanager
def states_of(model: GraspModel) -> Iterator[list[Tensor]]:
    """The last hidden states (B, L, D) of what the language model reads, as long as the context lasts."""
    read: list[Tensor] = []
    language_model = model.family.parts(model.vlm).language_model
    handle = language_model.register_forward_hook(lambda module, given, output: read.append(output.last_hidden_state))
    try:
        yield read
    finally:
        handle.remove()
