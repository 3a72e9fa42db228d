"""``tagphoto api-process``: the API on an inherited socket; what the supervisor runs."""

from __future__ import annotations

import socket
from ipaddress import IPv4Network, ip_network

import click
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.cli import common
from api.counters import observe_store
from archive import log
from archive.embedded import addresses as places_of
from archive.runtime import open_runtime
from archive.settings import read_settings

_GRACE = 5


@click.command("api-process", hidden=True)
@click.option("--descriptor", type=int, required=True)
def api_process(descriptor: int) -> None:
    """Serve the API on an inherited socket: what the supervisor runs."""
    settings = read_settings()
    log.configure(settings.log_level)
    addresses = places_of(settings)
    app = create_app(lambda: open_runtime(settings, addresses, observe=observe_store), max_body=settings.max_body)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        proxy_headers=True,
        forwarded_allow_ips=_trusted(settings.trusted_proxies),
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=30,
    )
    _Server(config, app).run(sockets=[socket.socket(fileno=descriptor)])


def _trusted(proxies: str) -> list[str]:
    # A socket on '::' shows an IPv4 proxy as ::ffff:127.0.0.1; it is the same proxy.
    named = [proxy.strip() for proxy in proxies.split(",")]
    networks = [ip_network(proxy) for proxy in named if proxy != "*"]
    mapped = [net for net in networks if isinstance(net, IPv4Network)]
    return named + [f"::ffff:{net.network_address}/{96 + net.prefixlen}" for net in mapped]


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and from then on leave alone what will live as long as the process."""
        await super().startup(sockets)
        common.settle()

    def handle_exit(self, sig: int, frame: object) -> None:
        """End the event streams first: they would hold the shutdown up until its grace is over."""
        hub = getattr(self._app.state, "hub", None)
        if hub is not None:
            hub.end_streams()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]  # typed as the frame it never looks at
