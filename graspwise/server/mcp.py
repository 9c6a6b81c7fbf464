"""The same call as a tool for agents and planners: the Model Context Protocol over stdin and stdout."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from anyio.to_thread import run_sync
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

import graspwise
from graspwise.errors import InputError
from graspwise.predict import Model
from graspwise.server.asking import Desk
from graspwise.server.batcher import Batcher
from graspwise.server.limits import Limits
from graspwise.server.metrics import Metrics
from graspwise.server.problem import Problem
from graspwise.server.reading import Asked, box, turns
from graspwise.server.schema import EARLIER, EarlierTurn, GraspAnswer, ImageText, Workspace

TOOL = (
    "Find a grasp for a parallel gripper on a photograph, and say why. x and y are fractions of the picture's width "
    "and height, theta is the direction of the jaw opening in radians, counter-clockwise as seen; grasp_px and "
    "rectangle are in pixels. grasp is null where nothing in view serves the instruction."
)


def create_mcp(model: Model, *, limits: Limits) -> MCPServer:
    """An MCP server with the tool `grasp`; `run("stdio")` serves it.

    Args:
        model: Who answers.
        limits: What is taken.

    Raises:
        InputError: the model needs depth.
    """
    if model.takes_depth:
        raise InputError(f"model {model.name}: needs depth, which no call brings; valid is a model of colours alone")
    batcher = Batcher(limits=limits, metrics=Metrics(), elsewhere=model.is_elsewhere)
    desk = Desk(model, batcher=batcher, limits=limits)

    @asynccontextmanager
    async def lifespan(server: MCPServer) -> AsyncIterator[None]:
        batcher.start()
        yield
        await run_sync(batcher.close)

    server = MCPServer("graspwise", version=graspwise.__version__, lifespan=lifespan, log_level="WARNING")

    @server.tool(description=TOOL)
    async def grasp(
        image: ImageText,
        instruction: Annotated[str, Field(description="What to pick up, in words.")],
        workspace: Workspace | None = None,
        messages: Annotated[list[EarlierTurn] | None, Field(description=EARLIER)] = None,
    ) -> GraspAnswer:
        asked = Asked(image, turns(messages or [], instruction), box(workspace))
        try:
            with batcher.seat():
                deadline = desk.deadline()
                with batcher.ask(await desk.prepare(asked, deadline=deadline)) as job:
                    return GraspAnswer(**(await job.answer(deadline=deadline)).to_json())
        except (InputError, Problem) as error:
            raise ToolError(str(error)) from error

    return server
