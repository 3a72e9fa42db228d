"""schemathesis against the OpenAPI document: whatever is sent, no answer is a failure of ours or undocumented."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.cli.openapi import written
from archive.runtime import open_runtime
from archive.settings import Addresses, read_settings
from storage.memory import MemoryStore
from tests.support.cluster import Cluster
from tests.support.live import served_in_thread
from tests.support.people import PASSWORD, Person, make

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def api(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The application on a socket, and an admin's headers."""
    asyncio.run(cluster.execute("CREATE DATABASE fuzzed TEMPLATE template"))
    addresses = Addresses(cluster.dsn("fuzzed"), cluster.redis_url, "memory:")
    configured = read_settings(data=Path(tmp_path_factory.mktemp("fuzzed")))
    app = create_app(lambda: open_runtime(configured, addresses, pool_size=5, store=MemoryStore()))

    async def admin() -> Person:
        async with (
            open_runtime(configured, addresses, store=MemoryStore()) as runtime,
            httpx.AsyncClient(base_url=url) as client,
        ):
            return await make(runtime, Person(client), "admin@example.org", admin=True)

    with served_in_thread(app) as url:
        person = asyncio.run(admin())
        cookie = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
        yield {
            "url": url,
            "headers": {
                "Cookie": cookie,
                "X-CSRF-Token": person.http.headers["X-CSRF-Token"],
                # Without it, uploads would refuse everything for the same reason.
                "Tus-Resumable": "1.0.0",
            },
        }


schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
# Without the library's own pytest plugin, whose subtests do not run under xdist.
_document: Any = schemathesis.openapi.from_dict(json.loads(written()))
# The first never ends; the second would sign the fuzzer out.
_document = _document.exclude(path="/api/v1/stream").exclude(path="/api/v1/session", method="DELETE")
OPERATIONS = [found.ok() for found in _document.get_all_operations()]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_nothing_breaks_the_api(operation: Any, api: dict[str, Any]) -> None:
    @given(operation.as_strategy())
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def sent(case: Any) -> None:
        case.call_and_validate(base_url=api["url"], headers=api["headers"], checks=CHECKS)

    sent()


def test_the_fuzzer_was_signed_in(api: dict[str, Any]) -> None:
    answer = httpx.get(api["url"] + "/api/v1/session", headers=api["headers"])
    assert answer.json()["account"]["email"] == "admin@example.org"
    assert PASSWORD not in answer.text
