"""Ask a hand language model: a sentence gives a grasp, and a grasp gives a sentence.

Every answer is held to its grammar, token by token: words, then, where a grasp is asked, `<SG>`, one code of each level
and `<EG>`. So every answer decodes to a hand whose joints are within their limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from graspwise.conversation import check_instruction
from graspwise.hand.causal import Turn
from graspwise.hand.cloud import Cloud, cloud_of
from graspwise.hand.language import DESCRIBE, GRASP, HandTalker
from graspwise.hand.mesh import Solid

# Words of an answer, in tokens; a longer one has lost its thread.
MOST_WORDS = 64


@dataclass(frozen=True, eq=False)
class Written:
    """A grasp as the language model wrote it.

    Attributes:
        text: The reason in words.
        tokens: The hand tokens, one a level.
        parameters: (P,) float32 in the hand's layout, in the object's frame.
    """

    text: str
    tokens: tuple[int, ...]
    parameters: np.ndarray


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of one object.

    Attributes:
        cloud: The object.
        sentence: What is wanted.
        turns: What was asked before about this object, and what was written then.
    """

    cloud: Cloud
    sentence: str
    turns: tuple[tuple[str, Written], ...] = ()


def write(
    talker: HandTalker, solid: Solid, sentence: str, *, turns: Sequence[tuple[str, Written]] = (),
    temperature: float = 0.0, seed: int = 0,
) -> Written:  # fmt: skip
    """A grasp on a solid for a sentence; `turns` are those before it about the same solid.

    Raises:
        InputError: the sentence is empty or too long.
    """
    question = Question(cloud_of(solid), sentence, tuple(turns))
    return write_all(talker, [question], temperature=temperature, seed=seed)[0]


def describe(talker: HandTalker, solid: Solid, parameters: np.ndarray) -> str:
    """What a hand's grasp (P,) on a solid is like, in words."""
    return describe_all(talker, [(cloud_of(solid), parameters)])[0]


def write_all(
    talker: HandTalker, questions: Sequence[Question], *, temperature: float = 0.0, seed: int = 0
) -> list[Written]:
    """Grasps for a batch of questions.

    Args:
        talker: Who writes.
        questions: Each about an object of its own.
        temperature: 0 takes the likeliest token; above, tokens are drawn.
        seed: Decides what is drawn.

    Raises:
        InputError: a sentence is empty or too long.
    """
    prompts = [talker.prompt_ids(*conversation(talker, question)) for question in questions]
    clouds = [question.cloud for question in questions]
    answers = answer_ids(talker, prompts, clouds, grasp=True, temperature=temperature, seed=seed)
    written = []
    for ids, cloud in zip(answers, clouds, strict=True):
        tokens = talker.codes_in(ids)
        written.append(Written(words_of(talker, ids), tokens, talker.parameters_of(tokens, cloud)))
    return written


def describe_all(talker: HandTalker, grasps: Sequence[tuple[Cloud, np.ndarray]]) -> list[str]:
    """What each grasp, an object and a hand's parameters (P,), is like."""
    prompts = [
        talker.prompt_ids([("user", f"{GRASP}\n{DESCRIBE}")], grasps=[talker.tokens_of(parameters, cloud)])
        for cloud, parameters in grasps
    ]
    clouds = [cloud for cloud, _ in grasps]
    return [words_of(talker, ids) for ids in answer_ids(talker, prompts, clouds, grasp=False)]


def conversation(talker: HandTalker, question: Question) -> tuple[list[Turn], list[tuple[int, ...]]]:
    """The turns of a question's conversation, and the grasps in them."""
    turns: list[Turn] = []
    for sentence, written in question.turns:
        turns += [("user", asked(talker, sentence)), ("assistant", f"{talker.cleaned(written.text)}{GRASP}")]
    turns.append(("user", asked(talker, question.sentence)))
    return turns, [written.tokens for _, written in question.turns]


def asked(talker: HandTalker, sentence: str) -> str:
    """A user's sentence as the language model reads it.

    Raises:
        InputError: it is empty or too long.
    """
    return check_instruction(talker.cleaned(check_instruction(sentence)))


def words_of(talker: HandTalker, ids: Sequence[int]) -> str:
    """The words of an answer."""
    known = [token for token in ids if token < talker.vocabulary and token != talker.causal.end_of_turn]
    return " ".join(str(talker.causal.tokenizer.decode(known)).split())


@torch.inference_mode()
def answer_ids(
    talker: HandTalker, prompts: Sequence[Sequence[int]], clouds: Sequence[Cloud], *, grasp: bool,
    temperature: float = 0.0, seed: int = 0,
) -> list[list[int]]:  # fmt: skip
    """Token ids of an answer to each prompt, held to the grammar; what must end it is left out.

    Args:
        talker: Who writes.
        prompts: Of `HandTalker.prompt_ids`.
        clouds: The object of each.
        grasp: Whether a grasp is asked, or words alone.
        temperature: 0 takes the likeliest token.
        seed: Decides what is drawn.
    """
    body, ended = talker.causal.body, talker.causal.end_of_turn
    length = max(map(len, prompts))
    ids = torch.full((len(prompts), length), ended)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, length - len(prompt) :] = torch.tensor(prompt)
        mask[row, length - len(prompt) :] = 1
    ids, mask = ids.to(talker.device), mask.to(talker.device)
    seen = torch.cat([talker.look(cloud) for cloud in clouds])
    cache = DynamicCache(config=body.config)
    grammar = Grammar(talker, grasp=grasp)
    answers: list[list[int]] = [[] for _ in prompts]
    draw = torch.Generator().manual_seed(seed)
    while True:
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        states = body(
            inputs_embeds=talker.embed(ids, seen), attention_mask=mask, position_ids=positions,
            past_key_values=cache, use_cache=True,
        ).last_hidden_state[:, -1]  # fmt: skip
        scores = talker.logits(states).cpu()
        for row, answer in enumerate(answers):
            scores[row, ~grammar.allowed(answer)] = -torch.inf
        chosen = scores.argmax(1)
        if temperature > 0:
            chosen = torch.multinomial((scores / temperature).softmax(1), 1, generator=draw)[:, 0]
        for answer, token in zip(answers, chosen.tolist(), strict=True):
            if not grammar.whole(answer):
                answer.append(token)
        if all(map(grammar.whole, answers)):
            return [[token for token in answer if token != ended] for answer in answers]
        # What is whole goes on being read, but nobody looks at it.
        ids = chosen[:, None].to(talker.device)
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)


class Grammar:
    """Which tokens may come next: words, then `<SG> o m r` or the end of the turn; `<EG>` follows of itself.

    Args:
        talker: Whose tokens they are.
        grasp: Whether a grasp is to be written.
    """

    def __init__(self, talker: HandTalker, *, grasp: bool) -> None:
        self.talker, self.grasp = talker, grasp
        self.count = talker.vocabulary + talker.words.num_embeddings
        self.closing = talker.begin if grasp else talker.causal.end_of_turn
        own = torch.zeros(talker.words.num_embeddings, dtype=torch.bool)
        self._first = torch.cat([talker.causal.begins, own])
        self._words = torch.cat([talker.causal.writable, own]) | self.only(self.closing)

    def only(self, first: int, count: int = 1) -> Tensor:
        allowed = torch.zeros(self.count, dtype=torch.bool)
        allowed[first : first + count] = True
        return allowed

    def whole(self, answer: Sequence[int]) -> bool:
        if self.closing not in answer:
            return False
        return not self.grasp or len(answer) - answer.index(self.closing) > self.talker.tokens.levels

    def allowed(self, answer: Sequence[int]) -> Tensor:
        """Which tokens (V + own,) may follow an answer; after a whole one nobody looks at what does."""
        if self.closing in answer:
            level = min(len(answer) - 1 - answer.index(self.closing), self.talker.tokens.levels - 1)
            return self.only(self.talker.code(level, 0), self.talker.tokens.number) if self.grasp else self._words
        if len(answer) >= MOST_WORDS:
            return self.only(self.closing)
        return self._words if answer else self._first
