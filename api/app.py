"""The HTTP application: routes, what surrounds them, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from api import (
    account,
    accounts,
    albums,
    apikeys,
    assets,
    backups,
    batches,
    conversions,
    duplicates,
    editing,
    health,
    integrity,
    jobs,
    libraries,
    links,
    metrics,
    middleware,
    problems,
    quality,
    renditions,
    reports,
    resolutions,
    selections,
    session,
    shares,
    space,
    stream,
    tags,
    timeline,
    uploads,
    web,
)
from archive import __version__
from archive.events.hub import Hub
from archive.runtime import Runtime

_PARTS = (
    session,
    links,
    account,
    apikeys,
    libraries,
    uploads,
    batches,
    assets,
    editing,
    renditions,
    conversions,
    timeline,
    tags,
    albums,
    duplicates,
    resolutions,
    quality,
    shares,
    selections,
    reports,
    space,
    accounts,
    jobs,
    backups,
    integrity,
    stream,
    health,
    metrics,
    problems,
)
_ABOUT = """A smart photo archive.

Sign in with `POST /session` (a cookie; send `X-CSRF-Token` with every request that changes something), or send an API
key as `Authorization: Bearer tp_…`. Errors are problem documents (RFC 9457). Lists are pages: send `next` back as
`cursor`.
"""


def create_app(open_runtime: Callable[[], AbstractAsyncContextManager[Runtime]], *, max_body: int = 1 << 20) -> FastAPI:
    """Build the application; the runtime is opened when it starts to serve."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime() as runtime:
            hub = Hub(runtime.database)
            async with hub.open():
                app.state.runtime, app.state.hub = runtime, hub
                yield

    app = FastAPI(
        title="Tagphoto",
        version=__version__,
        description=_ABOUT,
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        # Their pages load scripts from elsewhere, which our own policy forbids.
        docs_url=None,
        redoc_url=None,
        license_info={"name": "AGPL-3.0-or-later"},
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.examination = health.Examination()
    for part in _PARTS:
        app.include_router(part.router, prefix="/api/v1")
    web.install(app)
    problems.install(app)
    # The last one added is the first to see a request.
    app.add_middleware(middleware.BodyLimit, limit=max_body)
    app.add_middleware(middleware.Failures)
    app.add_middleware(middleware.RequestContext)
    _describe_problems(app)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Show our problem documents in OpenAPI where the framework would show its own error format."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        schemas = document["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, schema in schemas["Problem"].pop("$defs", {}).items():
            schemas[name] = schema
        invalid = problems.responses(422)[422]
        for path in document["paths"].values():
            for operation in path.values():
                if "422" in operation["responses"]:
                    operation["responses"]["422"] = invalid
        return document

    app.openapi = openapi  # type: ignore[method-assign]
