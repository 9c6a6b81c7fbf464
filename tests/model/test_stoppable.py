"""A request that nobody waits for any more ends, and the server behind it is told by a closed connection."""

import socket
import threading

import numpy as np
import pytest

from graspwise.chat import Endpoint
from graspwise.conversation import user_turn
from graspwise.model.endpoint import EndpointResponder
from graspwise.model.stoppable import StoppableClient, Stopped
from graspwise.picture import Picture


@pytest.fixture
def silent():
    """A server that takes requests and never answers; its address, and whether each connection was closed."""
    listening = socket.create_server(("127.0.0.1", 0))
    arrived, closed = threading.Semaphore(0), threading.Semaphore(0)

    def take() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=hold, args=(connection,), daemon=True).start()

    def hold(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            arrived.release()
            while connection.recv(65536):
                pass
            closed.release()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", arrived, closed
    # Closing alone does not wake the thread that accepts.
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_rows_that_nobody_waits_for_are_closed_one_by_one(silent):
    address, arrived, closed = silent
    responder = EndpointResponder(f"{address}#m")
    pictures = [Picture(np.zeros((32, 32, 3), np.uint8))] * 2
    dropped = {0: threading.Event(), 1: threading.Event()}
    found = {}
    asking = threading.Thread(
        target=lambda: responder.respond_each(
            pictures, [[user_turn("a")]] * 2, tell=found.__setitem__, stop=lambda row: dropped[row].is_set()
        )
    )
    asking.start()
    for _ in dropped:
        assert arrived.acquire(timeout=60)
    dropped[1].set()
    assert closed.acquire(timeout=60)
    assert not closed.acquire(timeout=0.3)
    dropped[0].set()
    assert closed.acquire(timeout=60)
    asking.join(timeout=60)
    assert {row: (r.text, r.grasp) for row, r in found.items()} == {0: ("", None), 1: ("", None)}


def test_no_request_begins_and_no_wait_goes_on_for_nobody(silent):
    address, arrived, _ = silent
    client = StoppableClient(Endpoint(address, "m"), stop=lambda: True)
    with pytest.raises(Stopped):
        client.request("GET", f"{address}/models")
    with pytest.raises(Stopped):
        client.sleep(3600)
    assert not arrived.acquire(timeout=0.1)
