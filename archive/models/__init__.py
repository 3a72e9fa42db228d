"""The tables, one file a noun. Importing this package gives the whole schema, as migrations need it."""

from archive.models.account import Account, ApiKey, Attempt, RecoveryCode, Session
from archive.models.album import Album, AlbumAsset, Share
from archive.models.asset import Asset, AssetName, Metadata, Rendition, SelectedAsset, Selection, Usage
from archive.models.audit import AuditEntry
from archive.models.backup import Backup
from archive.models.base import Base
from archive.models.batch import Batch, BatchAsset
from archive.models.duplicate import Different, Group, GroupMember, Likeness, Look, Resolution, Resolved
from archive.models.event import Event
from archive.models.file import Deletion, File, LibraryKey, Object, Stray, Tombstone
from archive.models.installation import Installation
from archive.models.job import Job, Worker
from archive.models.library import Library, Membership
from archive.models.link import Link
from archive.models.quality import Quality
from archive.models.space import Form, Policy, Recompression, SpaceDay, SpacePreview
from archive.models.step import Step
from archive.models.tag import AssetTag, Tag
from archive.models.timeline import TimelineChange, TimelineDay
from archive.models.upload import Upload

__all__ = [
    "Account",
    "Album",
    "AlbumAsset",
    "ApiKey",
    "Asset",
    "AssetName",
    "AssetTag",
    "Attempt",
    "AuditEntry",
    "Backup",
    "Base",
    "Batch",
    "BatchAsset",
    "Deletion",
    "Different",
    "Event",
    "File",
    "Form",
    "Group",
    "GroupMember",
    "Installation",
    "Job",
    "Library",
    "LibraryKey",
    "Likeness",
    "Link",
    "Look",
    "Membership",
    "Metadata",
    "Object",
    "Policy",
    "Quality",
    "Recompression",
    "RecoveryCode",
    "Rendition",
    "Resolution",
    "Resolved",
    "SelectedAsset",
    "Selection",
    "Session",
    "Share",
    "SpaceDay",
    "SpacePreview",
    "Step",
    "Stray",
    "Tag",
    "TimelineChange",
    "TimelineDay",
    "Tombstone",
    "Upload",
    "Usage",
    "Worker",
]
