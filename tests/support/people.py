"""People who use the API: each with a browser of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from archive.accounts import passwords
from archive.accounts import service as accounts
from archive.libraries import service as libraries
from archive.runtime import Runtime

PASSWORD = "correct horse battery"
_hashes: dict[str, str] = {}


@dataclass
class Person:
    """A browser, and who sits in front of it."""

    http: httpx.AsyncClient
    id: str = ""
    email: str = ""
    library: str = ""

    async def sign_in(self, password: str = PASSWORD, code: str | None = None) -> httpx.Response:
        body = {"email": self.email, "password": password} | ({"code": code} if code else {})
        response = await self.post("/session", body)
        if response.status_code == 200:
            self.http.headers["X-CSRF-Token"] = response.json()["csrf_token"]
        return response

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get("/api/v1" + path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.http.post("/api/v1" + path, json=body, **more)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.http.patch("/api/v1" + path, json=body)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.http.put("/api/v1" + path, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.http.delete("/api/v1" + path)


async def make(runtime: Runtime, person: Person, email: str, *, admin: bool = False) -> Person:
    """Make an account with a library, and sign it in."""
    if PASSWORD not in _hashes:  # hashed once: Argon2 is slow on purpose
        _hashes[PASSWORD] = await passwords.hash_password(PASSWORD)
    async with runtime.database.transaction() as session:
        account = await accounts.create(
            session, email=email, name=email.split("@", maxsplit=1)[0], password_hash=_hashes[PASSWORD], is_admin=admin
        )
        library = await libraries.make_for(session, account.id, account.name)
    person.id, person.email, person.library = str(account.id), email, str(library.id)
    assert (await person.sign_in()).status_code == 200
    return person


def code_of(response: httpx.Response) -> str:
    """The code of a problem document, once it was seen to be one."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    return str(body["type"].removeprefix("/api/v1/problems/"))
