"""Assets: photos and videos exactly as received, the names they came under, and what was derived from them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Computed, ForeignKey, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id, Json, WallClock

KINDS = ("photo", "video", "sidecar", "other")
PARTS = ("motion", "raw", "sidecar")
VERDICTS = ("unsupported", "corrupt", "resource_limit", "timeout", "crash")


class Asset(Base):
    """One photo or video. Its identity is a keyed hash of the bytes received, whatever is stored later.

    What it shows (time, title, place…) is what holds now: read from the file, unless ``corrected`` names it.
    """

    __tablename__ = "asset"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"part IN {PARTS}", name="part"),
        CheckConstraint(f"problem IN {VERDICTS}", name="problem"),
        CheckConstraint("rating BETWEEN -1 AND 5", name="rating"),
        # What a page of the timeline reads, and what each of its filters does where it is selective.
        Index(
            "ix_asset_timeline", "library_id", "taken_at", "id", postgresql_where=text("in_timeline AND NOT archived")
        ),
        Index("ix_asset_archived", "library_id", "taken_at", "id", postgresql_where=text("in_timeline AND archived")),
        # Photos are nearly all there is: only others are worth an index.
        Index(
            "ix_asset_kind",
            "library_id",
            "kind",
            "taken_at",
            "id",
            postgresql_where=text("in_timeline AND kind <> 'photo'"),
        ),
        Index("ix_asset_favourite", "library_id", "taken_at", "id", postgresql_where=text("favourite AND in_timeline")),
        Index(
            "ix_asset_problem",
            "library_id",
            "taken_at",
            "id",
            postgresql_where=text("problem IS NOT NULL AND in_timeline"),
        ),
        # With all that a count by them asks for, so that it need not look at the rows.
        *(
            Index(
                f"ix_asset_{column}",
                "library_id",
                column,
                "taken_at",
                postgresql_include=["archived"],
                postgresql_where=text(f"{column} IS NOT NULL AND in_timeline"),
            )
            for column in ("camera", "lens", "place_id")
        ),
        Index("ix_asset_shown_with", "shown_with", postgresql_where=text("shown_with IS NOT NULL")),
        # What belongs together.
        Index("ix_asset_live_id", "library_id", "live_id", postgresql_where=text("live_id IS NOT NULL")),
        Index("ix_asset_shot_key", "library_id", "shot_key", postgresql_where=text("shot_key IS NOT NULL")),
        Index("uq_asset_identity", "library_id", "identity", unique=True),
        Index("ix_asset_identity_sha1", "library_id", "identity_sha1"),
        Index("ix_asset_trashed_at", "trashed_at", postgresql_where=text("trashed_at IS NOT NULL")),
        # What a page of a library reads.
        Index("ix_asset_library_id", "library_id", "id"),
    )

    id: Mapped[Id]
    # Without a cascade: while it holds an asset, a library cannot be deleted.
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id"))
    original_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"), unique=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    identity: Mapped[bytes]
    identity_sha1: Mapped[bytes]
    created_at: Mapped[Created]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    trashed_at: Mapped[datetime | None]
    # Grows with every change that somebody looking at it would see.
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    kind: Mapped[str] = mapped_column(server_default=text("'other'"))
    # The wall clock where it was taken; the offset, in minutes east of UTC, where it is known.
    taken_at: Mapped[WallClock] = mapped_column(server_default=text("(now() AT TIME ZONE 'UTC')"))
    taken_offset: Mapped[int | None]
    taken_from: Mapped[str] = mapped_column(server_default=text("'received'"))
    # The file's date as its sender said.
    sent_at: Mapped[datetime | None]
    # As displayed.
    width: Mapped[int | None]
    height: Mapped[int | None]
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    thumbhash: Mapped[bytes | None]
    camera: Mapped[str | None]
    lens: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    place_id: Mapped[int | None]
    country: Mapped[str | None]
    title: Mapped[str | None]
    description: Mapped[str | None]
    rating: Mapped[int | None]
    favourite: Mapped[bool] = mapped_column(server_default=text("false"))
    archived: Mapped[bool] = mapped_column(server_default=text("false"))
    # The worst verdict of its steps; none when all is well.
    problem: Mapped[str | None]
    # What the user has set: describing the file anew leaves it alone.
    corrected: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'"))
    # What one shot or one live photo have in common.
    live_id: Mapped[str | None]
    shot_key: Mapped[str | None]
    # The asset it is shown as a part of, and as which part; without the first the second says nothing.
    shown_with: Mapped[UUID | None] = mapped_column(ForeignKey("asset.id", ondelete="SET NULL"))
    part: Mapped[str | None]
    in_timeline: Mapped[bool] = mapped_column(
        Computed("trashed_at IS NULL AND shown_with IS NULL AND kind <> 'sidecar'", persisted=True)
    )


class Metadata(Base):
    """What a file says of itself: the typed record, and the tags as they were written."""

    __tablename__ = "metadata"

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    record: Mapped[Json]
    raw: Mapped[Json]
    read_at: Mapped[Created]


class AssetName(Base):
    """A name under which an asset's bytes were sent; the same bytes may come under several."""

    __tablename__ = "asset_name"

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    added_at: Mapped[Created]
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)


class Rendition(Base):
    """A file derived from an asset: a preview, a thumbnail."""

    __tablename__ = "rendition"

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"), unique=True)
    media_type: Mapped[str]
    created_at: Mapped[Created]


class Usage(Base):
    """A library's bytes by what they are for, kept in step by whoever changes them, and its quota."""

    __tablename__ = "usage"

    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), primary_key=True)
    originals: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    renditions: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    trash: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # Bytes that originals, renditions and trash may have, each counted where its own column says so; none: no limit.
    quota: Mapped[int | None] = mapped_column(BigInteger)
    counts_renditions: Mapped[bool] = mapped_column(server_default=text("false"))
    counts_trash: Mapped[bool] = mapped_column(server_default=text("true"))


class Selection(Base):
    """Assets to be downloaded as one zip, chosen a moment before."""

    __tablename__ = "selection"

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SelectedAsset(Base):
    """One of the assets of a selection."""

    __tablename__ = "selected_asset"

    selection_id: Mapped[UUID] = mapped_column(ForeignKey("selection.id", ondelete="CASCADE"), primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, index=True)
