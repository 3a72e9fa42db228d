"""Who may see bytes that also have signed links: a caller with the right to read, or whoever has the link."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Security

from api.deps import BEARER_SCHEME, COOKIE_SCHEME, Running, caller
from api.signing import Expires, Signature, require_signed
from archive.access import Caller, Scope


def seer(purpose: str, *names: str) -> Any:  # noqa: ANN401  # what FastAPI's Depends gives
    """Make the dependency of a route whose links are signed for a purpose and for these parameters of its path.

    It gives the caller, who is still to be asked whether this is theirs; and nobody where a link has answered that.
    """

    async def find(
        request: Request,
        runtime: Running,
        _cookie: Annotated[object, Security(COOKIE_SCHEME)],
        _bearer: Annotated[object, Security(BEARER_SCHEME)],
        expires: Expires = None,
        signature: Signature = None,
    ) -> Caller | None:
        if signature is not None and expires is not None:
            signed = "/".join(request.path_params[name] for name in names)
            require_signed(runtime.keyring, purpose, signed, expires, signature)
            return None
        found = await caller(request, runtime, _cookie, _bearer)
        found.require(Scope.READ)
        return found

    return Depends(find)
