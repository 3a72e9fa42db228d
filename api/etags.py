"""Answers that browsers keep: who has the present one already is told so."""

from __future__ import annotations

import base64
import hashlib

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.content import matches


def tagged(request: Request, document: BaseModel) -> Response:
    """Answer with a document and a strong hash of it, or with 304 where the client has it."""
    body = document.model_dump_json().encode()
    etag = f'"{base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:15]).decode()}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
