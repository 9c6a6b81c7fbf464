"""Write answers: each held to the grammar of its format, so that all parse, and its digits grounded in the picture.

The grammar has numbers of fixed width (`AnswerSchema.pattern`) and is run by llguidance. Grounded
decoding is a product of experts: the language model's distribution over the next token, times the likelihood that a
`GraspDensity` gives to the digits so far. Where the model has a steered head, that density follows from what the answer
has named by then.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from graspwise.answer import GRASP, REASONING_LIMIT, WRITTEN, AnswerFormat, AnswerSchema
from graspwise.model.density import GraspDensity
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
# Row, and its text so far; told after every token.
OnToken = Callable[[int, str], None]
# Row -> whether nobody waits for its answer any more; asked after every token.
Stop = Callable[[int], bool]


def answer_grammar(model: GraspModel, schema: AnswerSchema, answer_format: AnswerFormat) -> str:
    """What an answer may be, for llguidance: with a steered head it names its target or gives no numbers."""
    from llguidance import LLMatcher

    if not model.names_target:
        return LLMatcher.grammar_from_regex(schema.pattern(answer_format))
    return LLMatcher.grammar_from_lark(
        steered_grammar(
            refusal=f"{WRITTEN}{{1,{REASONING_LIMIT}}}",
            words=f"{WRITTEN}{{0,{REASONING_LIMIT}}}",
            name=f"{WRITTEN}{{1,{NAME_LIMIT}}}",
            after=f"{WRITTEN}{{0,{AFTER_LIMIT}}}",
            tail="\\n" + schema.tail_pattern(answer_format),
            token=model.spt[0],
        )
    )


class GrammarProcessor(LogitsProcessor):
    """Forbids, at every step and in every row, the tokens that cannot go on to a text of the grammar."""

    def __init__(self, model: GraspModel, grammar: str, *, begun: Sequence[Sequence[int]], prompt_length: int) -> None:
        from llguidance import LLMatcher

        self.matchers = [LLMatcher(model.grammar_tokens, grammar) for _ in begun]
        for matcher, ids in zip(self.matchers, begun, strict=True):
            if not matcher.consume_tokens(list(ids)):
                raise ValueError(f"an opening that no answer has: {model.tokenizer.decode(ids)!r}")
        self.intervened = [False] * len(begun)
        self._end = model.end_of_turn
        self._ended = [False] * len(begun)
        self._vocabulary = model.vlm.config.text_config.vocab_size
        self._read = prompt_length
        self._never = model.like_spt.cpu().numpy() if model.names_target else np.zeros(self._vocabulary, dtype=bool)

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        for row, ids in enumerate(input_ids[:, self._read :].tolist()):
            self._ended[row] |= self._end in ids
            if ids and not self._ended[row]:
                self.matchers[row].consume_tokens(ids)
        self._read = input_ids.shape[1]
        first = scores.argmax(-1).tolist()
        for row, matcher in enumerate(self.matchers):
            if self._ended[row]:
                continue
            allowed = np.zeros(self._vocabulary, dtype=bool)
            # A matcher that has nothing left to allow stops by itself: then the answer ends.
            if matcher.is_stopped():
                allowed[self._end] = True
            else:
                bits = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
                allowed[:] = np.unpackbits(bits, bitorder="little")[: self._vocabulary]
                allowed &= ~self._never
            self.intervened[row] |= not allowed[first[row]]
            scores[row, torch.from_numpy(~allowed)] = -torch.inf
        return scores


class GroundingProcessor(LogitsProcessor):
    """Multiplies the language model's choice of the next token with what the picture says of the digits it begins.

    Works on what the grammar has left. A row's density is asked for once, where its numbers begin.
    """

    def __init__(
        self,
        model: GraspModel,
        answer_format: AnswerFormat,
        *,
        begun: Sequence[Sequence[int]],
        prompt_length: int,
        density: Density,
        states: "States",
    ) -> None:
        self.tokenizer, self.answer_format, self.prompt_length = model.tokenizer, answer_format, prompt_length
        self.begun, self.density, self.states = begun, density, states
        self._end = model.end_of_turn
        self._densities: dict[int, GraspDensity] = {}
        self._base: dict[int, float] = {}

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        for row, written in enumerate(input_ids[:, self.prompt_length :].tolist()):
            if self._end in written:
                continue
            ids = [*self.begun[row], *written]
            allowed = scores[row].isfinite().nonzero().flatten().tolist()
            # Inside a reasoning nearly every token is allowed, and none of them is a digit.
            if len(allowed) > MOST_DIGITS:
                continue
            before = self.numbers(ids)
            after = [self.numbers([*ids, token]) for token in allowed]
            if before is None and not any(after):
                continue
            if row not in self._densities:
                states = self.states.of(row, prompt_length=self.prompt_length, begun=len(self.begun[row]))
                self._densities[row] = self.density(row, ids, states)
            density = self._densities[row]
            # Words between two numbers leave the likelihood as it is.
            base = self._base[row] = density.log_likelihood(before) if before else self._base.get(row, 0.0)
            gains = [density.log_likelihood(begun) - base if begun else 0.0 for begun in after]
            scores[row, allowed] = scores[row, allowed].log_softmax(-1) + scores.new_tensor(gains)
        return scores

    def numbers(self, ids: list[int]) -> list[str] | None:
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        return GRASP.numbers_begun(text, answer_format=self.answer_format)


class Watch(StoppingCriteria):
    """Tells after every token what each row has come to, and breaks off the rows that nobody waits for any more."""

    def __init__(
        self,
        model: GraspModel,
        *,
        begun: Sequence[Sequence[int]],
        prompt_length: int,
        on_token: OnToken | None,
        stop: Stop | None,
    ) -> None:
        self.model, self.begun, self.prompt_length = model, begun, prompt_length
        self.on_token, self.stop = on_token, stop
        self.stopped = [False] * len(begun)

    def __call__(self, input_ids: torch.LongTensor, scores: object, **kwargs: object) -> Tensor:
        for row, ids in enumerate(input_ids[:, self.prompt_length :].tolist()):
            if self.stopped[row] or self.model.end_of_turn in ids:
                continue
            if self.on_token is not None:
                self.on_token(row, self.model.text_of([*self.begun[row], *ids]))
            self.stopped[row] = self.stop is not None and self.stop(row)
        return torch.tensor(self.stopped, device=input_ids.device)


class States:
    """The language model's last hidden states of all tokens that it has read, while it writes."""

    def __init__(self) -> None:
        self.read: list[Tensor] = []

    def of(self, row: int, *, prompt_length: int, begun: int) -> Tensor:
        """(L, D) after each token of a row's answer: those it was begun with, and those written that were read."""
        if not self.read:
            return torch.empty(0)
        return torch.cat([states[row] for states in self.read])[prompt_length - begun :]


@contextmanager
def states_kept(model: GraspModel) -> Iterator[States]:
    """Keeps what the last norm of a language model that names targets gives, as long as the context lasts."""
    kept = States()
    if not model.names_target:
        yield kept
        return
    norm = model.vlm.model.language_model.norm
    handle = norm.register_forward_hook(lambda module, inputs, output: kept.read.append(output))
    try:
        yield kept
    finally:
        handle.remove()


@torch.inference_mode()
def write_answers(
    model: GraspModel,
    prompts: Sequence[Sequence[int]],
    inputs: Inputs,
    *,
    answer_format: AnswerFormat,
    schema: AnswerSchema | None = None,
    constrained: bool = True,
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
        openings: Texts that the answers begin with, e.g. a reasoning and its line break; they are part of the answers.
        density: For grounded decoding of grasps: what each picture says of them; None leaves the digits to the language
            model.
        temperature: 0 takes the likeliest token; above, tokens are drawn.
        seed: Decides what is drawn.
        on_token: Told after every token.
        stop: Asked after every token; a row it says yes to is broken off, and the others go on.
    """
    end = model.end_of_turn
    openings = list(openings or [""] * len(prompts))
    if model.names_target:
        openings = [spelled(text, model.spt[0]) for text in openings]
    begun = [model.tokenizer(text, add_special_tokens=False)["input_ids"] for text in openings]
    prompts = [[*prompt, *ids] for prompt, ids in zip(prompts, begun, strict=True)]
    length = max(map(len, prompts))
    ids = torch.full((len(prompts), length), end, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, length - len(prompt) :] = torch.tensor(prompt)
        mask[row, length - len(prompt) :] = 1
    processors = LogitsProcessorList()
    grammar = None
    if constrained:
        allowed = answer_grammar(model, schema or model.coordinates.schema, answer_format)
        grammar = GrammarProcessor(model, allowed, begun=begun, prompt_length=length)
        processors.append(grammar)
    with torch.random.fork_rng(devices=[]), states_kept(model) as states:
        if density is not None:
            processors.append(
                GroundingProcessor(
                    model, answer_format, begun=begun, prompt_length=length, density=density, states=states
                )
            )
        torch.manual_seed(seed)
        watch = Watch(model, begun=begun, prompt_length=length, on_token=on_token, stop=stop)
        marks = model.family.marks(ids, answered=[len(row) for row in begun])
        output = model.vlm.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            **model.family.joined(inputs),
            **{name: value.to(model.device) for name, value in marks.items()},
            max_new_tokens=CONSTRAINED_TOKENS if constrained else FREE_TOKENS,
            do_sample=temperature > 0,
            # Some checkpoints ask for a penalty, which would change digits that come twice.
            repetition_penalty=1.0,
            **({"temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature > 0 else {}),
            logits_processor=processors,
            stopping_criteria=StoppingCriteriaList([] if on_token is None and stop is None else [watch]),
            eos_token_id=end,
            pad_token_id=end,
        )
    written = []
    for row, ids_begun in enumerate(begun):
        answer = [*ids_begun, *output[row, length:].tolist()]
        read = states.of(row, prompt_length=length, begun=len(ids_begun))
        written.append(
            Written(
                text=model.text_of(answer),
                intervened=grammar.intervened[row] if grammar else False,
                # The last token was written and not read.
                state=mean_state(read, answer[: len(read)], model.spt[1]) if model.names_target else None,
                stopped=watch.stopped[row],
            )
        )
    return written
