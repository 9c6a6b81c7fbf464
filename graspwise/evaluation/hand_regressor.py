"""A direct regressor: sentence and object in, a hand's parameters out, without tokens and without words.

The baseline that shows what writing a grasp is worth. It is a small network on the mean state of the frozen language
model after a sentence, and on the features of the object's cloud; it is trained in the benchmark itself.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.evaluation.hand_neighbours import Memory
from graspwise.evaluation.hand_plan import HandQuestion
from graspwise.hand.causal import Causal
from graspwise.hand.cloud import PLACE, Cloud
from graspwise.hand.guess import Rig
from graspwise.hand.model import HandModel, transform_from_nine
from graspwise.hand.tokens import HandTokens

# Pairs of caption and grasp that it learns from at most, steps of so many of them, and its width.
PAIRS, STEPS, BATCH, HIDDEN = 6_000, 400, 64, 256
RATE = 1e-3
# Sentences that the language model reads at once.
READ = 32
BUDGET = f"{STEPS * BATCH:,} samples of at most {PAIRS:,} pairs of caption and grasp"


def regressor(
    memory: Memory, causal: Causal, tokens: HandTokens, *, seed: int, steps: int = STEPS
) -> Callable[[str, Sequence[HandQuestion]], tuple[Tensor, list[str]]]:  # fmt: skip
    """A regressor trained on the grasps of a memory; the same for the same seed.

    Args:
        memory: What it learns from.
        causal: The language model; not changed.
        tokens: Whose cloud encoder sees the objects.
        seed: Decides pairs, order and initial weights.
        steps: Of the optimiser.
    """
    rng = np.random.default_rng([seed, 4])
    pairs = [(place, c.text) for place, grasp in enumerate(memory.grasps) for c in grasp.captions]
    pairs = [pairs[i] for i in rng.permutation(len(pairs))[:PAIRS]]
    rig, dataset = Rig(memory.hand), memory.dataset
    clouds: dict[str, Cloud] = {}

    def cloud_of(object_id: str) -> Cloud:
        if object_id not in clouds:
            thing = dataset.objects[object_id]
            clouds[object_id] = Cloud.of(thing.cloud, thing.normals)
        return clouds[object_id]

    def seen(object_id: str) -> Tensor:
        return object_features(tokens, cloud_of(object_id))

    chosen = sorted({place for place, _ in pairs})
    objects = {name: seen(name) for name in {memory.grasps[place].object_id for place in chosen}}
    with torch.no_grad():
        numbers = {
            place: rig.numbers(
                rig.truth(
                    torch.from_numpy(memory.grasps[place].parameters)[None].float(),
                    cloud_of(memory.grasps[place].object_id).middles,
                )
            )[0]
            for place in chosen
        }
    texts = sorted({text for _, text in pairs})
    read = dict(zip(texts, sentence_states(causal, texts), strict=True))
    given = torch.stack([torch.cat([read[text], objects[memory.grasps[place].object_id]]) for place, text in pairs])
    right = torch.stack([numbers[place] for place, _ in pairs])
    mean, spread = given.mean(0), given.std(0).clamp_min(1e-3) if len(given) > 1 else torch.ones(given.shape[1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Linear(given.shape[1], HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU(),
            nn.Linear(HIDDEN, right.shape[1]),
        )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    for _ in range(steps):
        rows = torch.from_numpy(rng.integers(len(given), size=BATCH))
        loss = F.mse_loss(network((given[rows] - mean) / spread), right[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval().requires_grad_(False)

    def answer(object_id: str, questions: Sequence[HandQuestion]) -> tuple[Tensor, list[str]]:
        states = sentence_states(causal, [question.sentence for question in questions])
        both = torch.cat([states, seen(object_id).expand(len(states), -1)], dim=1)
        hands = parameters_of(network((both - mean) / spread), memory.hand, rig.grip, cloud_of(object_id).middles)
        return hands, [""] * len(questions)

    return answer


@torch.no_grad()
def sentence_states(causal: Causal, texts: Sequence[str]) -> Tensor:
    """(n, H) float32: the mean of the language model's last hidden states over each sentence's tokens."""
    place = causal.body.get_input_embeddings().weight.device
    found: list[Tensor | None] = [None] * len(texts)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for start in range(0, len(order), READ):
        rows = order[start : start + READ]
        ids = [causal.tokenizer(texts[i])["input_ids"] or [causal.end_of_turn] for i in rows]
        length = max(map(len, ids))
        padded = torch.tensor([[*row, *[causal.end_of_turn] * (length - len(row))] for row in ids], device=place)
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in ids], device=place)
        states = causal.body(input_ids=padded, attention_mask=mask, use_cache=False).last_hidden_state.float()
        means = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        for i, mean in zip(rows, means.cpu(), strict=True):
            found[i] = mean
    return torch.stack([state for state in found if state is not None])


@torch.no_grad()
def object_features(tokens: HandTokens, cloud: Cloud) -> Tensor:
    """(2 D + 1,) of one object: features of the whole, the mean of its patches', and its size."""
    place = next(tokens.parameters()).device
    centred = cloud.to(place).centred
    whole, patches = tokens.cloud_encoder(centred.points, centred.normals)
    size = (centred.points.amax(1) - centred.points.amin(1)).amax(1, keepdim=True) / PLACE
    return torch.cat([whole, patches.mean(1), size], dim=1)[0].float().cpu()


def parameters_of(numbers: Tensor, hand: HandModel, grip: Tensor, middles: Tensor) -> Tensor:
    """(B, P) the hands that numbers (B, 9 + A + S) of `Rig.numbers` say, joints within their limits.

    Args:
        numbers: Any numbers.
        hand: Whose hands.
        grip: (3,) metres, in the hand's own frame.
        middles: (1, 3) or (B, 3) metres, the objects' middles.
    """
    layout = hand.layout
    turn, grips, bends, shape = numbers.split([6, 3, layout.articulation, layout.shape], dim=1)
    transform = transform_from_nine(torch.cat([turn, torch.zeros_like(grips)], dim=1))
    transform[:, :3, 3] = grips * PLACE + middles - transform[:, :3, :3] @ grip.to(numbers)
    low, high = hand.limits.to(numbers).T
    articulation = low + (high - low) * (bends.clamp(-1, 1) + 1) / 2
    return layout.join(transform, articulation, shape)
