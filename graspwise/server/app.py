"""The server: one model behind HTTP, with its page, its documents and its metrics."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

import graspwise
from graspwise.errors import InputError
from graspwise.predict import Model
from graspwise.server.asking import Desk
from graspwise.server.batcher import Batcher
from graspwise.server.door import GUARDED, Door
from graspwise.server.examples import example_pictures
from graspwise.server.limits import Limits
from graspwise.server.metrics import Metrics
from graspwise.server.problem import ClientGone, Problem
from graspwise.server.reading import invalid
from graspwise.server.routes import router
from graspwise.server.schema import (
    ChatRequest,
    ErrorAnswer,
    ExampleList,
    GraspForm,
    GraspRequest,
    Health,
    LimitsAnswer,
    ModelList,
    faults,
)

PAGE = Path(__file__).parent / "page"
# The page runs its own script and nothing else's, and shows the user's pictures.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DESCRIPTION = (
    "A photograph and a sentence in, a reasoned grasp out. Coordinates are in the frame of the picture as displayed."
)


def create_app(model: Model, *, limits: Limits, api_key: str | None = None, examples: Path | None = None) -> FastAPI:
    """A server for one model; its thread runs from startup to shutdown.

    Args:
        model: Who answers.
        limits: What is taken.
        api_key: Asked for under /v1 and for /metrics; None asks for none.
        examples: Folder of photographs to try; None shows none.

    Raises:
        InputError: the model needs depth, which no request brings.
    """
    if model.takes_depth:
        raise InputError(f"model {model.name}: needs depth, which no request brings; valid is a model of colours alone")
    metrics = Metrics()
    batcher = Batcher(limits=limits, metrics=metrics, elsewhere=model.is_elsewhere)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        batcher.start()
        yield
        await run_sync(batcher.close)

    app = FastAPIOffline(
        title="Graspwise",
        description=DESCRIPTION,
        version=graspwise.__version__,
        lifespan=lifespan,
        redoc_url=None,
    )
    app.state.desk = desk = Desk(model, batcher=batcher, limits=limits)
    app.add_middleware(Door, batcher=batcher, limits=limits, metrics=metrics, api_key=api_key)
    add_handlers(app)
    app.include_router(router)
    add_facts(app, name=desk.name, batcher=batcher, limits=limits, metrics=metrics, has_key=api_key is not None)
    add_page(app, examples=examples)
    app.openapi = lambda: document(app, has_key=api_key is not None)  # type: ignore[method-assign]
    return app


def add_handlers(app: FastAPI) -> None:
    """Every error in OpenAI's shape."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(InputError)
    async def bad_input(request: Request, error: InputError) -> Response:
        return Problem(400, str(error)).response()

    @app.exception_handler(RequestValidationError)
    async def bad_shape(request: Request, error: RequestValidationError) -> Response:
        return invalid(error.errors()).response()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return Problem(error.status_code, str(error.detail), headers=error.headers).response()

    @app.exception_handler(ClientGone)
    async def gone(request: Request, error: ClientGone) -> Response:
        return Response(status_code=499)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return Problem(500, "the server failed on this request; its log says why").response()


def add_facts(app: FastAPI, *, name: str, batcher: Batcher, limits: Limits, metrics: Metrics, has_key: bool) -> None:
    """What the server says about itself."""
    created = int(time.time())

    @app.get("/v1/models", responses={200: {"model": ModelList}, **faults(401)})
    async def models() -> Response:
        """The one model that is served."""
        card = {"id": name, "object": "model", "created": created, "owned_by": "graspwise"}
        return JSONResponse({"object": "list", "data": [card]})

    @app.get("/healthz", responses={200: {"model": Health}, 503: {"model": Health}})
    async def health() -> Response:
        """Whether it answers."""
        is_open = batcher.is_open
        facts = {"status": "ok" if is_open else "closing", "model": name, "waiting": batcher.waiting}
        return JSONResponse(facts, 200 if is_open else 503)

    @app.get("/limits", responses={200: {"model": LimitsAnswer}})
    async def taken() -> Response:
        """What a request may hold, and whether it needs a key."""
        sizes = {"body": limits.body, "pixels": limits.pixels, "turns": limits.turns, "seconds": limits.seconds}
        return JSONResponse({**sizes, "key": has_key})

    @app.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **faults(401)},
    )
    async def prometheus() -> Response:
        """For Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def add_page(app: FastAPI, *, examples: Path | None) -> None:
    """The page, its files and its examples."""
    pictures = example_pictures(examples)

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": PAGE_POLICY})

    app.mount("/page", StaticFiles(directory=PAGE), name="page")

    @app.get("/examples", responses={200: {"model": ExampleList}})
    async def listed() -> Response:
        """Photographs to try."""
        entries = [{"name": path.stem, "url": f"examples/{name}"} for name, path in pictures.items()]
        return JSONResponse({"examples": entries})

    @app.get(
        "/examples/{name}",
        response_class=Response,
        responses={200: {"content": {"image/*": {}}}, **faults(404)},
    )
    async def example(name: str) -> Response:
        """One of them."""
        if name not in pictures:
            raise Problem(404, f"example {name!r}: there is none of that name; /examples lists them")
        return FileResponse(pictures[name])


def document(app: FastAPI, *, has_key: bool) -> dict[str, Any]:
    """The OpenAPI document, with the two bodies that `/v1/grasp` takes, and the key where one is asked for."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        bodies = models_json_schema(
            [
                (GraspRequest, "validation"),
                (GraspForm, "validation"),
                (ChatRequest, "validation"),
                (ErrorAnswer, "serialization"),
            ],
            ref_template="#/components/schemas/{model}",
        )[1]
        schemas = found["components"]["schemas"]
        schemas |= bodies["$defs"]
        # FastAPI writes its own error shape into every document; here it is never sent.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path, methods in found["paths"].items():
            for operation in methods.values():
                operation["responses"].pop("422", None)
                if has_key and path.startswith(GUARDED):
                    operation["security"] = [{"key": []}]
        if has_key:
            found["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        app.openapi_schema = found
    return app.openapi_schema
