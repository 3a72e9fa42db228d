"""What all tables share: names of constraints, column types, and the identifier."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import DateTime, MetaData, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from archive.ids import new_id

Json = dict[str, Any]
Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Created = Annotated[datetime, mapped_column(server_default=func.now())]
# What a clock on the wall showed: without a zone, which may not be known.
WallClock = Annotated[datetime, mapped_column(DateTime(timezone=False))]


class Base(DeclarativeBase):
    """Base of all tables. Constraint names are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True), Json: JSONB}  # noqa: RUF012  # SQLAlchemy's own idiom
