"""``tagphoto worker-process``: one worker; what the supervisor runs."""

from __future__ import annotations

import click

from api.cli import common
from archive import log
from archive.embedded import addresses as places_of
from archive.jobs import JOBS
from archive.runtime import open_runtime
from archive.settings import read_settings
from archive.worker.process import work


@click.command("worker-process", hidden=True)
@click.option("--queues", required=True)
@click.option("--name", required=True)
def worker_process(queues: str, name: str) -> None:
    """Work in this process: what the supervisor runs."""
    settings = read_settings()
    log.configure(settings.log_level)
    addresses = places_of(settings)
    common.settle()
    work(lambda: open_runtime(settings, addresses, pool_size=4), JOBS, queues.split(","), addresses.redis, name=name)
