"""`graspwise serve`: the model over HTTP, with a page, or as a tool for agents."""

import ipaddress
import math
import os
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from graspwise.errors import InputError

if TYPE_CHECKING:
    from graspwise.predict import Model
    from graspwise.server.limits import Limits

KEY = "GRASPWISE_API_KEY"
DEFAULT_MODEL = "small"
# A server such as vLLM answers many at once.
BATCH, UPSTREAM_BATCH = 8, 32


def serve(
    model: Annotated[
        str, typer.Option(help="A published name, a baseline, a run folder, a checkpoint or a hub id.")
    ] = "",
    host: Annotated[str, typer.Option(help="Address to listen on; by default this machine's own alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    mcp: Annotated[bool, typer.Option("--mcp", help="Be a tool for agents on stdin and stdout, without HTTP.")] = False,
    upstream: Annotated[
        str,
        typer.Option(
            metavar="URL[,URL...]#MODEL",
            help="Let a model behind OpenAI-compatible endpoints write; --model EXPORT says how it was trained.",
        ),
    ] = "",
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait; more are told to come again.")] = 64,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Requests answered at once; by default 8, or 32 for each upstream.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Longest time to an answer, seconds.")] = 120.0,
) -> None:
    """Serve grasps: a web page, OpenAI's chat completions, POST /v1/grasp. GRASPWISE_API_KEY sets an API key."""
    if upstream and is_address(model):
        raise InputError(f"--upstream beside --model {model}; valid is one of them")
    address = upstream or (model if is_address(model) else "")
    if upstream and not is_address(upstream):
        raise InputError(f"--upstream is {upstream!r}; valid is http://HOST:PORT/v1#MODEL")
    import graspwise
    from graspwise.server.limits import Limits

    batch = batch or (UPSTREAM_BATCH * (address.count(",") + 1) if address else BATCH)
    limits = Limits(queue=queue, batch=batch, seconds=timeout)
    key = None if mcp else api_key()
    listening = None if mcp else listen(host, port)
    if address:
        loaded = open_upstream(address, limits=limits, trained="" if is_address(model) else model)
    else:
        loaded = graspwise.load(model or DEFAULT_MODEL, say=say)
    if listening is None:
        from graspwise.server.mcp import create_mcp

        create_mcp(loaded, limits=limits).run("stdio")
    else:
        run_http(loaded, listening, limits=limits, key=key)


def run_http(model: "Model", listening: socket.socket, *, limits: "Limits", key: str | None) -> None:
    """Serves until interrupted; what was accepted by then is answered."""
    import uvicorn

    from graspwise.server.app import create_app
    from graspwise.server.examples import example_folder

    app = create_app(model, limits=limits, api_key=key, examples=example_folder())
    host, port = listening.getsockname()[:2]
    if key is None and not ipaddress.ip_address(host).is_loopback:
        say(f"graspwise: anyone who reaches {host} can ask; set {KEY} to ask for a key")
    say(f"graspwise: {model.name} on http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends)")
    # What was accepted is answered by then; a client that does not read its answers would be waited for for ever.
    patience = math.ceil(limits.seconds) + 1
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=patience)
    uvicorn.Server(config).run(sockets=[listening])


def is_address(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def open_upstream(address: str, *, limits: "Limits", trained: str) -> "Model":
    """The model behind endpoints; one alone may be silent for as long as a request has.

    Args:
        address: `URL[,URL...]#MODEL`.
        limits: What is taken.
        trained: The folder that says how it was trained to be asked; "" is a general model.
    """
    from graspwise.model.endpoint import EndpointResponder
    from graspwise.model.manner import HELD, trained_manner
    from graspwise.predict import Model

    manner = trained_manner(trained) if trained else HELD
    # Of several, another is asked while there is time.
    patience = limits.seconds / 2 if "," in address else limits.seconds
    return Model(EndpointResponder(address, manner=manner, timeout_seconds=patience))


def api_key() -> str | None:
    """The key to ask for; None where the environment sets none.

    Raises:
        InputError: it is set, and blank.
    """
    key = os.environ.get(KEY)
    if key is not None and not key.strip():
        raise InputError(f"{KEY}: set, but blank; valid is a key, or not to set it, which asks for none")
    return key and key.strip()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        InputError: the address is blank or none of this machine's, or the port is taken.
    """
    if not host.strip():
        # To the socket it would mean every address.
        raise InputError(f"--host {host!r}: blank; valid is an address such as 127.0.0.1, or 0.0.0.0 for all")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--host {host} --port {port}: cannot listen there ({reason})") from error


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
