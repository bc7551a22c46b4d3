"""Torch modules, one concept a file."""

from bitreel.network.backbone import DEFAULT_BACKBONE, Backbone
from bitreel.network.code_head import CodeHead
from bitreel.network.encoder import Encoder, find_encoder
from bitreel.network.fusion import READY_FUSIONS
from bitreel.network.hash_head import HashHead, HeadOutput
from bitreel.network.network import Network
from bitreel.network.raft import raft_flow
from bitreel.network.small_backbone import SMALL_BACKBONE, SmallBackbone
from bitreel.network.threads import one_thread
from bitreel.network.video_backbone import VIDEO_BACKBONES, VideoBackbone

__all__ = [
    "DEFAULT_BACKBONE",
    "READY_FUSIONS",
    "SMALL_BACKBONE",
    "VIDEO_BACKBONES",
    "Backbone",
    "CodeHead",
    "Encoder",
    "HashHead",
    "HeadOutput",
    "Network",
    "SmallBackbone",
    "VideoBackbone",
    "find_encoder",
    "one_thread",
    "raft_flow",
]
