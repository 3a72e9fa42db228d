"""The built web client, on the same origin. Its pages are one file; its assets have their hash in the name."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

DIST = Path(__file__).resolve().parents[1] / "web" / "dist"
_NOT_BUILT = "The web client is not built. Run './run' (or 'npm ci && npm run build' in web/) and reload.\n"


class _Client(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file, or the client's one page for every address that only the client knows."""
        if path in {".", "index.html"}:
            return self._page()
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            # What is missing stays missing for programs: a page instead of a script or a document would only confuse.
            if error.status_code != 404 or path.startswith("api/") or "." in path.rpartition("/")[2]:  # noqa: PLR2004
                raise
            return self._page()
        if path.startswith("assets/"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    @staticmethod
    def _page() -> Response:
        return FileResponse(DIST / "index.html", headers={"Cache-Control": "no-cache"})


def install(app: FastAPI) -> None:
    """Serve the client below '/', behind every route of the API."""
    if (DIST / "index.html").is_file():
        app.mount("/", _Client(directory=DIST), name="web")
    else:
        app.add_route("/", lambda _request: PlainTextResponse(_NOT_BUILT, 503), include_in_schema=False)
