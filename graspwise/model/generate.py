"""Write answers: greedy decoding, each answer held to the grammar of its format so that all of them parse.

The grammar is a regular expression with numbers of fixed width (`AnswerSchema.pattern`), run by llguidance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from graspwise.answer import GRASP, REASONING_LIMIT, AnswerFormat, AnswerSchema
from graspwise.model.grasp_model import GraspModel

# An answer held to the grammar always ends: no character takes more than four tokens, and the tail is short.
CONSTRAINED_TOKENS = 4 * REASONING_LIMIT + 100
# A free answer of this length has lost its thread.
FREE_TOKENS = 160


@dataclass(frozen=True)
class Written:
    """An answer as written.

    Attributes:
        text: Without the end-of-turn token.
        intervened: Whether the grammar overruled the model's first choice anywhere.
    """

    text: str
    intervened: bool


class GrammarProcessor(LogitsProcessor):
    """Forbids, at every step and in every row, the tokens that cannot go on to a text of the pattern."""

    def __init__(self, model: GraspModel, pattern: str, *, rows: int, prompt_length: int) -> None:
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer

        vocabulary = model.llava.config.text_config.vocab_size
        tokens = from_tokenizer(model.tokenizer, n_vocab=vocabulary, eos_token=end_of_turn(model))
        grammar = LLMatcher.grammar_from_regex(pattern)
        self.matchers = [LLMatcher(tokens, grammar) for _ in range(rows)]
        self.intervened = [False] * rows
        self._end = end_of_turn(model)
        self._ended = [False] * rows
        self._vocabulary = vocabulary
        self._read = prompt_length

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
            self.intervened[row] |= not allowed[first[row]]
            scores[row, torch.from_numpy(~allowed)] = -torch.inf
        return scores


def end_of_turn(model: GraspModel) -> int:
    token = model.tokenizer.eos_token_id
    return int(token[0] if isinstance(token, list) else token)


@torch.inference_mode()
def write_answers(
    model: GraspModel,
    prompts: Sequence[Sequence[int]],
    pixel_values: Tensor,
    *,
    answer_format: AnswerFormat,
    schema: AnswerSchema = GRASP,
    constrained: bool = True,
) -> list[Written]:
    """Answers to a batch of prompts (token ids, one picture each), by greedy decoding."""
    end = end_of_turn(model)
    length = max(map(len, prompts))
    ids = torch.full((len(prompts), length), end, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, length - len(prompt) :] = torch.tensor(prompt)
        mask[row, length - len(prompt) :] = 1
    processors = LogitsProcessorList()
    grammar = None
    if constrained:
        grammar = GrammarProcessor(model, schema.pattern(answer_format), rows=len(prompts), prompt_length=length)
        processors.append(grammar)
    output = model.llava.generate(
        input_ids=ids.to(model.llava.device),
        attention_mask=mask.to(model.llava.device),
        pixel_values=pixel_values,
        max_new_tokens=CONSTRAINED_TOKENS if constrained else FREE_TOKENS,
        do_sample=False,
        logits_processor=processors,
        eos_token_id=end,
        pad_token_id=end,
    )
    texts = model.tokenizer.batch_decode(output[:, length:], skip_special_tokens=True)
    return [
        Written(text=text.strip(), intervened=grammar.intervened[row] if grammar else False)
        for row, text in enumerate(texts)
    ]
