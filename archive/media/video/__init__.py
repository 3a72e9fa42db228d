"""Video: what a film is, a still of it, a short silent clip, and a copy that every browser plays. Runs in the child."""

from archive.media.video.clip import clip
from archive.media.video.errors import Corrupt, TooMuch, Unsupported, VideoError
from archive.media.video.play import PlayPolicy, play
from archive.media.video.poster import poster
from archive.media.video.probe import VideoProbe, probe
from archive.media.video.stills import stills

__all__ = [
    "Corrupt",
    "PlayPolicy",
    "TooMuch",
    "Unsupported",
    "VideoError",
    "VideoProbe",
    "clip",
    "play",
    "poster",
    "probe",
    "stills",
]
