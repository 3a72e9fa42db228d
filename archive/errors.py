"""What can go wrong, as the domain names it. ``api/problems.py`` alone turns these into HTTP.

TagphotoError
├── StartRefused            the service cannot start here; one clear line and a non-zero exit
├── NotFound                there is no such thing, or this caller may not see it
│   └── LinkNotFound
├── LinkExpired             a one-time link that was used, revoked or grew old
│   └── ShareEnded          a link to an album that was taken back, or grew old
├── NotSignedIn             nobody is calling
│   ├── PassExpired         a guest has to open the link again
│   ├── SharePasswordRequired
│   ├── SharePasswordWrong
│   ├── SignInFailed
│   ├── SecondFactorRequired
│   └── SecondFactorFailed
├── TooManyAttempts
├── Forbidden               somebody is calling, but not with this right
│   ├── SessionRequired     an API key cannot do this, a signed-in person can
│   └── CsrfFailed
│       └── OtherSite       another site made the browser send it
├── Invalid                 well-formed, but the value cannot be accepted
│   └── WeakPassword
├── Conflict                the state of things does not allow it
│   ├── AccountExists
│   ├── LastOwner
│   └── LibraryNotEmpty
├── MailNotConfigured
├── UploadRefused           an upload, or a piece of one, that cannot be taken
│   ├── UploadGone          expired, terminated or refused before
│   ├── UploadLocked        another request is writing to it just now
│   ├── OffsetMismatch
│   ├── ChecksumMismatch
│   ├── TooLarge
│   ├── UploadVersion       the client speaks another version of the protocol
│   └── UploadBodyType
├── QuotaExceeded
├── TooManyUploads
├── BackupNotConfigured
├── BackupFailed            a backup that cannot be made, or not be used
│   └── BackupRunning       another one is being made just now
└── Damaged                 what is kept does not open any more
"""

from __future__ import annotations


class TagphotoError(Exception):
    """Base of every expected error; its message says what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        """Say the message, also where a subclass has set one of its own."""
        return self.message


class StartRefused(TagphotoError):
    """The service cannot start here."""


class NotFound(TagphotoError):
    """There is no such thing, or this caller may not see it: the two must look the same from outside."""

    def __init__(self, noun: str) -> None:
        super().__init__(f"There is no {noun} with this id that you may see.")


class LinkNotFound(NotFound):
    """No one-time link has this token."""

    def __init__(self) -> None:
        super().__init__("link")
        self.message = "This link is not known here. Check that it was copied whole, or ask for a new one."


class LinkExpired(TagphotoError):
    """The one-time link was used, revoked or grew old."""

    def __init__(self) -> None:
        super().__init__("This link was already used or has expired. Ask for a new one.")


class ShareEnded(LinkExpired):
    """The link to an album was taken back or grew old, or who made it may no longer show the album."""

    def __init__(self) -> None:
        super().__init__()
        self.message = "This link no longer works. Ask who gave it to you for a new one."


class NotSignedIn(TagphotoError):
    """Nobody is calling."""

    def __init__(self, message: str = "Sign in, or send an API key as 'Authorization: Bearer tp_…'.") -> None:
        super().__init__(message)


class SignInFailed(NotSignedIn):
    """Wrong e-mail or wrong password: which of the two is not said."""

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class SecondFactorRequired(NotSignedIn):
    """The password was right; the second factor is missing."""

    def __init__(self) -> None:
        super().__init__("Send the same request again with 'code': the six digits of your app, or a recovery code.")


class SecondFactorFailed(NotSignedIn):
    """The password was right; the code was not, or was used before."""

    def __init__(self) -> None:
        super().__init__("The code is wrong or was used before. Wait for the next one and try again.")


class PassExpired(NotSignedIn):
    """A guest's pass is over, was changed, or was given for another password."""

    def __init__(self) -> None:
        super().__init__("Open the link again: POST /api/v1/shares/open gives a new pass.")


class SharePasswordRequired(NotSignedIn):
    """The link is right; it also has a password."""

    def __init__(self) -> None:
        super().__init__("This link has a password. Send the same request again with 'password'.")


class SharePasswordWrong(NotSignedIn):
    """The link is right; the password is not."""

    def __init__(self) -> None:
        super().__init__("The password is wrong.")


class TooManyAttempts(TagphotoError):
    """Rate limit; says when to come back."""

    def __init__(self, retry_after: int, *, first: bool = False) -> None:
        super().__init__(f"Too many attempts. Try again in {retry_after} seconds.")
        self.retry_after = retry_after
        # The first refusal is worth an entry in the audit log; the thousandth is not.
        self.first = first


class Forbidden(TagphotoError):
    """Somebody is calling, but not with this right."""


class SessionRequired(Forbidden):
    """An API key cannot do this: a stolen key must not be able to take the account over."""

    def __init__(self) -> None:
        super().__init__("This can only be done by a signed-in person, not with an API key.")


class CsrfFailed(Forbidden):
    """An unsafe request by cookie without proof that our own page sent it."""

    def __init__(self) -> None:
        super().__init__("Send the csrf_token of GET /api/v1/session in the header X-CSRF-Token.")


class OtherSite(CsrfFailed):
    """The browser says that another site made it send this."""

    def __init__(self, public_url: str) -> None:
        super().__init__()
        self.message = (
            f"This request came from another site than {public_url}. If that is not the address people use, set "
            "TAGPHOTO_PUBLIC_URL to the right one."
        )


class Invalid(TagphotoError):
    """Well-formed, but the value cannot be accepted."""


class WeakPassword(Invalid):
    """The password would not hold."""


class Conflict(TagphotoError):
    """The state of things does not allow it."""


class AccountExists(Conflict):
    """An invited address already has an account."""

    def __init__(self) -> None:
        super().__init__(
            "There is already an account with this e-mail address. Sign in to it, then open the link again."
        )


class LastOwner(Conflict):
    """A library always has an owner, and an installation an admin."""


class LibraryNotEmpty(Conflict):
    """Only an empty library can be deleted."""

    def __init__(self) -> None:
        super().__init__("This library still holds something. Empty it first, then delete it.")


class MailNotConfigured(TagphotoError):
    """No SMTP server is configured."""

    def __init__(self) -> None:
        super().__init__("This installation sends no mail. Ask its admin for a password reset link.")


class UploadRefused(TagphotoError):
    """An upload, or a piece of one, cannot be taken."""


class UploadGone(UploadRefused):
    """The upload expired, was terminated, or was refused."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This upload is no longer there: {reason}. Begin a new one.")


class UploadLocked(UploadRefused):
    """Another request is writing to the upload just now."""

    def __init__(self) -> None:
        super().__init__("Another request is writing to this upload just now. Ask for its offset and go on from there.")


class OffsetMismatch(UploadRefused):
    """The bytes do not begin where the upload ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"The upload has {offset} bytes; go on from there.")
        self.offset = offset


class ChecksumMismatch(UploadRefused):
    """The bytes are not those that were announced."""


class TooLarge(UploadRefused):
    """More bytes than were announced, or than are allowed."""


class UploadVersion(UploadRefused):
    """The client speaks another version of the upload protocol, or none."""

    def __init__(self) -> None:
        super().__init__("Send 'Tus-Resumable: 1.0.0' with every request: this is a tus 1.0 server.")


class UploadBodyType(UploadRefused):
    """The body is not of the type the upload protocol wants."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"Send the bytes with 'Content-Type: {wanted}'.")


class QuotaExceeded(TagphotoError):
    """The library's quota leaves no room."""

    def __init__(self, *, wanted: int, used: int, reserved: int, quota: int) -> None:
        super().__init__(
            f"The library's quota leaves no room for {wanted} bytes: {used} of {quota} are used and {reserved} are "
            "reserved by unfinished uploads. Empty the trash, end uploads, or ask an admin for a larger quota."
        )
        self.figures = {"wanted": wanted, "used": used, "reserved": reserved, "quota": quota}


class TooManyUploads(TagphotoError):
    """The account has as many transfers under way as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"Your account has {limit} transfers under way, as many as it may. Wait for one to end.")
        self.retry_after = 1


class NotConvertible(TagphotoError):
    """An asset cannot be had in the format that was asked for, and the decoder or encoder said why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"This cannot be converted so: {why}. The original is there to be downloaded.")


class NothingAcceptable(TagphotoError):
    """The client takes none of the formats there are conversions to."""

    def __init__(self, formats: str) -> None:
        super().__init__(f"None of what the header Accept names can be made. Accept one of {formats}.")


class TooManyConversions(TagphotoError):
    """More conversions are asked for than can be made just now."""

    def __init__(self) -> None:
        super().__init__("Too many conversions are being made just now. Try again in a moment.")
        self.retry_after = 5


class BackupNotConfigured(TagphotoError):
    """There is no place for backups."""

    def __init__(self) -> None:
        super().__init__("Backups have no place yet. Set TAGPHOTO_BACKUP_URL to a folder or bucket and restart.")


class BackupFailed(TagphotoError):
    """A backup cannot be made, or cannot be used."""


class BackupRunning(BackupFailed):
    """Another backup is being made just now."""

    def __init__(self) -> None:
        super().__init__("Another backup of this installation is being made just now. Wait for it to end.")


class Damaged(TagphotoError):
    """What is kept does not open any more: bytes or rows were changed or lost. Nothing of it is given out."""
