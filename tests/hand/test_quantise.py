"""Codebooks: the nearest code, gradients past it, codes that follow what chooses them, and none left unused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graspwise.hand.quantise import Codebook


def filled(number: int = 12, width: int = 6, *, seed: int = 0) -> Codebook:
    book = Codebook(number, width)
    book.codes.copy_(torch.randn(number, width, generator=torch.Generator().manual_seed(seed)))
    return book.eval()


def drawn(count: int, width: int = 6, *, seed: int = 1) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 1000))
def test_the_nearest_code_is_taken(seed):
    book, vectors = filled(seed=seed), drawn(9, seed=seed + 1)
    codes, numbers, commitment = book(vectors)
    away = torch.cdist(vectors, book.codes)
    assert torch.allclose(away.gather(1, numbers[:, None])[:, 0], away.amin(1), atol=1e-5)
    assert torch.allclose(codes, book.codes[numbers], atol=1e-5)
    assert float(commitment) == pytest.approx(float(away.amin(1).square().mean() / 6), rel=1e-3)


def test_gradients_pass_to_the_vectors_as_if_there_were_no_code():
    book, vectors = filled(), drawn(5).requires_grad_()
    codes, _, commitment = book(vectors)
    weights = drawn(5, seed=2)
    (codes * weights).sum().backward()
    assert torch.allclose(vectors.grad, weights)
    vectors.grad = None
    commitment.backward()
    assert ((codes - vectors).detach() * vectors.grad).sum() < 0


def test_without_training_nothing_changes():
    book = filled()
    before = [value.clone() for value in book.buffers()]
    book(drawn(40))
    assert all(torch.equal(a, b) for a, b in zip(before, book.buffers(), strict=True))


def test_codes_become_the_means_of_what_chooses_them():
    torch.manual_seed(0)
    means, book = 10 * torch.eye(6)[:4], Codebook(4, 6).train()
    # One code in each heap first: which heaps would share a code is chance.
    book(means)
    for step in range(200):
        book((means[:, None] + 0.5 * drawn(64, seed=step).view(4, 16, 6)).flatten(0, 1))
    assert torch.cdist(means, book.codes).amin(1).max() < 0.3


def test_codes_that_lie_where_nothing_is_are_moved():
    torch.manual_seed(0)
    book, vectors = Codebook(64, 6).train(), drawn(128)
    for step in range(240):
        book(vectors[torch.randperm(128)[:32]] + (20 if step < 20 else 0))
    _, numbers, _ = book.eval()(vectors)
    assert book.usage(numbers) > 0.6
    assert book.usage(numbers[:1]) == 1 / 64


def test_what_was_learned_is_kept_without_what_it_was_learned_with():
    assert set(Codebook(4, 2).state_dict()) == {"codes"}
