"""Structured logs: events with fields, one line each, on standard error. The supervisor writes the rotated file.

What is known of the present request or job (its id, its address) is bound once and appears on every line under it.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%fZ", utc=True, key="time"),
]
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def get(name: str) -> FilteringBoundLogger:
    """Give the logger of one part of the program."""
    logger: FilteringBoundLogger = structlog.get_logger(part=name)
    return logger


def configure(level: str = "info") -> None:
    """Send our own events and those of the libraries through one formatter."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.LogfmtRenderer(key_order=["time", "level", "event"], bool_as_flag=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_LEVELS[level])
    # A store that is away is one clear line of ours, not three of its client's retries.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    for noisy in ("rq", "uvicorn", "uvicorn.access", "asyncio", "alembic.runtime.plugins", "alembic.runtime.migration"):
        logging.getLogger(noisy).setLevel(max(_LEVELS[level], logging.WARNING))


def bind(**fields: object) -> None:
    """Add fields to every line logged under the present request or job."""
    structlog.contextvars.bind_contextvars(**fields)


def clear() -> None:
    """Forget what was bound: a new request or job begins."""
    structlog.contextvars.clear_contextvars()


def bound(name: str) -> str | None:
    """Give a bound field, such as the request id that a job carries on."""
    value = structlog.contextvars.get_contextvars().get(name)
    return None if value is None else str(value)
