"""Write answers: each held to the grammar of its format, so that all parse, and its digits grounded in the picture.

The grammar has numbers of fixed width (`AnswerSchema.pattern`) and is run by llguidance. Grounded
decoding is a product of experts: the language model's distribution over the next token, times the likelihood that a
`GraspDensity` gives to the digits so far. Where the model has a steered head, that density follows from what the answer
has named by then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from graspwise.answer import GRASP, REASONING_LIMIT, WRITTEN, AnswerFormat, AnswerSchema
from graspwise.model.decode import OnToken, Stop, decode
from graspwise.model.density import GraspDensity
from graspwise.model.drafts import Tail
from graspwise.model.grasp_model import GraspModel
from graspwise.model.steering import mean_state, spelled, steered_grammar
from graspwise.vlm.adapter import Inputs

# The name of a target, and what a reasoning goes on with after it, are shorter than what comes before.
NAME_LIMIT, AFTER_LIMIT = 60, 120
# An answer held to the grammar always ends: no character takes more than four tokens, and the tail is short.
CONSTRAINED_TOKENS = 4 * (REASONING_LIMIT + NAME_LIMIT + AFTER_LIMIT) + 100
# A free answer of this length has lost its thread.
FREE_TOKENS = 160
# Inside the numeric tail the grammar leaves fewer tokens than this; inside a reasoning nearly all of them.
MOST_DIGITS = 200


@dataclass(frozen=True)
class Written:
    """An answer as written.

    Attributes:
        text: Without the end-of-turn token.
        intervened: Whether the grammar overruled the model's first choice anywhere.
        state: (D,) mean state of the target it names; None where it names none.
        stopped: Whether it was broken off because nobody waits for it any more.
    """

    text: str
    intervened: bool
    state: Tensor | None = None
    stopped: bool = False


# Row, and the tokens of its answer so far with the states (L, D) after each -> what the picture says of its digits.
Density = Callable[[int, Sequence[int], Tensor], GraspDensity]


def answer_grammar(
    model: GraspModel, schema: AnswerSchema, answer_format: AnswerFormat, *, may_refuse: bool = True
) -> str:
    """What an answer may be, for llguidance: with a steered head it names its target or, if it may, gives none."""
    from llguidance import LLMatcher

    if not model.names_target:
        return LLMatcher.grammar_from_regex(schema.pattern(answer_format))
    return LLMatcher.grammar_from_lark(
        steered_grammar(
            refusal=f"{WRITTEN}{{1,{REASONING_LIMIT}}}" if may_refuse else None,
            words=f"{WRITTEN}{{0,{REASONING_LIMIT}}}",
            name=f"{WRITTEN}{{1,{NAME_LIMIT}}}",
            after=f"{WRITTEN}{{0,{AFTER_LIMIT}}}",
            tail="\\n" + schema.tail_pattern(answer_format),
            token=model.spt[0],
        )
    )


class Held:
    """What the grammar lets come next in one answer.

    Args:
        model: Whose tokens.
        grammar: Of `answer_grammar`.
        begun: Tokens that the answer begins with.

    Raises:
        ValueError: no answer begins so.
    """

    def __init__(self, model: GraspModel, grammar: str, *, begun: Sequence[int]) -> None:
        from llguidance import LLMatcher

        self._matcher = LLMatcher(model.grammar_tokens, grammar)
        if not self._matcher.consume_tokens(list(begun)):
            raise ValueError(f"an opening that no answer has: {model.tokenizer.decode(begun)!r}")
        self._end = model.end_of_turn
        self._vocabulary = model.vlm.config.text_config.vocab_size
        self._never = model.like_spt.cpu().numpy() if model.names_target else np.zeros(self._vocabulary, dtype=bool)

    def take(self, token: int) -> None:
        if token != self._end:
            self._matcher.consume_tokens([token])

    def allowed(self) -> np.ndarray:
        """(V,) bool: which tokens may come next."""
        # A matcher that has nothing left to allow stops by itself: then the answer ends.
        if self._matcher.is_stopped():
            only = np.zeros(self._vocabulary, dtype=bool)
            only[self._end] = True
            return only
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed: np.ndarray = np.unpackbits(bits, bitorder="little")[: self._vocabulary].astype(bool)
        return allowed & ~self._never


class AnswerWriter:
    """Chooses the tokens of one answer: what the language model says, held by the grammar, grounded in the picture.

    Args:
        model: Whose language model.
        answer_format: How the answer is written.
        schema: What numbers it holds.
        held: Its grammar; None for a free answer.
        density: The tokens so far and the states after each -> what the picture says of the digits; asked once, where
            the numbers begin. None leaves the digits to the language model.
        temperature: 0 takes the likeliest token; above, tokens are drawn.
        seed: Decides what is drawn.
    """

    def __init__(
        self,
        model: GraspModel,
        *,
        answer_format: AnswerFormat,
        schema: AnswerSchema,
        held: Held | None,
        density: Callable[[Sequence[int], Tensor], GraspDensity] | None,
        temperature: float,
        seed: Sequence[int],
    ) -> None:
        self.model, self.answer_format, self.held = model, answer_format, held
        self.ask_density, self.temperature = density, temperature
        self.intervened = False
        self._draw = torch.Generator().manual_seed(int(np.random.SeedSequence(list(seed)).generate_state(1)[0]))
        self._density: GraspDensity | None = None
        self._base = 0.0
        self._tail = Tail.opening(model.tokenizer, schema, answer_format)

    def choose(self, ids: Sequence[int], scores: Tensor, states: Tensor | None) -> int:
        """The token after those of the answer so far; arguments as `graspwise.model.decode.Writer` has them."""
        if self.held is not None:
            allowed = self.held.allowed()
            self.intervened |= not allowed[int(scores.argmax())]
            scores[torch.from_numpy(~allowed)] = -torch.inf
            if self.ask_density is not None:
                self._ground(ids, scores, np.flatnonzero(allowed).tolist(), states)
        token = int(scores.argmax())
        if self.temperature > 0:
            token = int(torch.multinomial((scores / self.temperature).softmax(0), 1, generator=self._draw))
        if self.held is not None:
            self.held.take(token)
        return token

    def draft(self, ids: Sequence[int]) -> list[int]:
        """The rest of the numbers where they have begun, else how such a reason mostly goes on."""
        text = str(self.model.tokenizer.decode(ids, skip_special_tokens=True))
        begun = text.partition("\n")[2] if self.answer_format == "reasoned" else text
        if self.answer_format == "reasoned" and "\n" not in text:
            return self.model.phrases.after(ids)
        rest = self._tail.after(begun)
        return rest if self._density is None else [*rest, self.model.end_of_turn]

    def _ground(self, ids: Sequence[int], scores: Tensor, allowed: list[int], states: Tensor | None) -> None:
        """Multiply the language model's choice of the next token with what the picture says of the digits it begins."""
        # Inside a reasoning nearly every token is allowed, and none of them is a digit.
        if len(allowed) > MOST_DIGITS:
            return
        before = self._numbers(ids)
        after = [self._numbers([*ids, token]) for token in allowed]
        if before is None and not any(after):
            return
        if self._density is None:
            assert self.ask_density is not None
            self._density = self.ask_density(ids, torch.empty(0) if states is None else states)
            best = dict(zip(("x", "y", "theta"), self._density.poses[self._density.weights.argmax()], strict=True))
            self._tail = Tail.of(self.model.tokenizer, best, self.answer_format)
        # Words between two numbers leave the likelihood as it is.
        if before:
            self._base = self._density.log_likelihood(before)
        gains = [self._density.log_likelihood(begun) - self._base if begun else 0.0 for begun in after]
        scores[allowed] = scores[allowed].log_softmax(-1) + scores.new_tensor(gains)

    def _numbers(self, ids: Sequence[int]) -> list[str] | None:
        text = self.model.tokenizer.decode(ids, skip_special_tokens=True)
        return GRASP.numbers_begun(text, answer_format=self.answer_format)


def write_answers(
    model: GraspModel,
    prompts: Sequence[Sequence[int]],
    inputs: Inputs,
    *,
    answer_format: AnswerFormat,
    schema: AnswerSchema | None = None,
    constrained: bool = True,
    may_refuse: Sequence[bool] | None = None,
    openings: Sequence[str] | None = None,
    density: Density | None = None,
    temperature: float = 0.0,
    seed: int = 0,
    on_token: OnToken | None = None,
    stop: Stop | None = None,
) -> list[Written]:
    """Answers to a batch of prompts.

    Args:
        model: Who writes.
        prompts: Token ids, one prompt a picture.
        inputs: What the model takes of the pictures (B, ...), one a prompt.
        answer_format: How the answers are written.
        schema: What numbers they hold; by default a grasp's, in the model's coordinates.
        constrained: Hold them to the grammar.
        may_refuse: Which of them may name no target, where others must; by default all.
        openings: Texts that the answers begin with, e.g. a reasoning and its line break; they are part of the answers.
        density: For grounded decoding of grasps: what each picture says of them; None leaves the digits to the language
            model.
        temperature: 0 takes the likeliest token; above, tokens are drawn.
        seed: Decides what is drawn.
        on_token: Told after every token.
        stop: Asked after every token; a row it says yes to is broken off, and the others go on.
    """
    openings = list(openings or [""] * len(prompts))
    if model.names_target:
        openings = [spelled(text, model.spt[0]) for text in openings]
    begun = [model.tokenizer(text, add_special_tokens=False)["input_ids"] for text in openings]
    numbers = schema or model.coordinates.schema
    grammars = {
        may: answer_grammar(model, numbers, answer_format, may_refuse=may)
        for may in {*(may_refuse or [True])} if constrained
    }  # fmt: skip
    writers = [
        AnswerWriter(
            model, answer_format=answer_format, schema=numbers, temperature=temperature, seed=(seed, row),
            held=Held(model, grammars[may_refuse is None or may_refuse[row]], begun=ids) if constrained else None,
            density=None if density is None else partial(density, row),
        )
        for row, ids in enumerate(begun)
    ]  # fmt: skip
    answers = decode(
        model, prompts, inputs, begun=begun, writers=writers, on_token=on_token, stop=stop,
        most=CONSTRAINED_TOKENS if constrained else FREE_TOKENS,
    )  # fmt: skip
    written = []
    for answer, writer in zip(answers, writers, strict=True):
        # The last token was written and not read.
        states = torch.cat(answer.states) if answer.states else torch.empty(0)
        written.append(
            Written(
                text=model.text_of(answer.ids),
                intervened=writer.intervened,
                state=mean_state(states, answer.ids[: len(states)], model.spt[1]) if model.names_target else None,
                stopped=answer.stopped,
            )
        )
    return written
