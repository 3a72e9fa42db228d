"""Which formats and codecs are let in: what cameras, phones and yesterday's computers wrote.

Decoders of games and of screen recorders are left alone: each is more C that reads what strangers send.
"""

from __future__ import annotations

# Containers of one file each. Playlists, picture sequences and scripts (hls, dash, concat, image2, lavfi) open others.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "avi",
    "mpegts",
    "mpeg",
    "flv",
    "asf",
    "ogg",
    "dv",
)


def _names(lines: str) -> frozenset[str]:
    return frozenset(lines.split())


VIDEO_DECODERS = _names("""
    h264 hevc vp8 vp9 libdav1d av1 mpeg4 msmpeg4v1 msmpeg4v2 msmpeg4 mjpeg mpeg1video mpeg2video h263 h263p h263i flv
    wmv1 wmv2 wmv3 vc1 theora prores dnxhd dvvideo cfhd apv vp6 vp6f svq1 svq3 cinepak indeo5 rawvideo huffyuv ffvhuff
    ffv1 qtrle png
""")
AUDIO_DECODERS = _names("""
    aac aac_latm mp1 mp1float mp2 mp2float mp3 mp3float ac3 eac3 dca opus libopus vorbis flac alac amrnb amrwb
    wmav1 wmav2 wmapro adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf qdm2 qdmc mace3 mace6 speex gsm gsm_ms
    pcm_alaw pcm_mulaw pcm_s8 pcm_u8 pcm_s16be pcm_s16le pcm_s24be pcm_s24le pcm_s32be pcm_s32le pcm_f32be pcm_f32le
    pcm_f64be pcm_f64le pcm_bluray pcm_dvd
""")
