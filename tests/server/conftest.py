"""What the tests of the server share."""

from collections.abc import Iterator

import pytest
from served import Writer, running

from graspwise.predict import Model, load


@pytest.fixture
def writer() -> Iterator[Writer]:
    responder = Writer()
    yield responder
    responder.go.set()


@pytest.fixture(scope="session")
def blob() -> Model:
    return load("blob")


@pytest.fixture(scope="session")
def live(blob: Model) -> Iterator[str]:
    with running(blob) as address:
        yield address
