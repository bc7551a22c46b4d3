"""The one error tree.

    BitreelError
    ├── VideoError                 a file that can not give the frames asked for
    │   ├── UnreadableVideo        empty, junk, truncated before the first frame, unknown codec
    │   ├── NoVideoStream          audio only, or nothing but a cover picture
    │   └── VideoTooLarge          more pixels a frame than the limit
    ├── DataError                  a dataset whose layout, manifest or labels do not hold
    │   └── LeakageError           one group on both sides of a split
    ├── CodesError                 codes of unequal width, a malformed code file
    ├── ModelError                 a model that is missing, damaged or of another version
    │   └── WeightsError           pretrained weights that can not be had
    ├── LibraryError               a library that is missing, damaged, locked or of another version
    │   ├── NotInLibrary           a video or segment that is not there, or not any more
    │   └── ModelMismatch          a library and a model that do not belong together
    │       └── ModelChanged       a library that was given another model while it was in use
    └── ConfigError                an option out of its range

Every message names the file or option, the cause, and what to do next. Catch at the level you need.
"""


class BitreelError(Exception):
    """Base of everything that bitreel raises on purpose."""


class VideoError(BitreelError):
    """A file that can not give the frames asked for."""


class UnreadableVideo(VideoError):
    """Empty, junk, truncated before the first frame, or in a codec that is not known."""


class NoVideoStream(VideoError):
    """Audio only, or nothing but an attached cover picture."""


class VideoTooLarge(VideoError):
    """More pixels a frame than the limit allows."""


class DataError(BitreelError):
    """A dataset whose layout, manifest or labels do not hold."""


class LeakageError(DataError):
    """One group of clips stands on both sides of a split."""


class CodesError(BitreelError):
    """Codes of unequal width, or a malformed code file."""


class ModelError(BitreelError):
    """A model that is missing, damaged or written by another version."""


class WeightsError(ModelError):
    """Pretrained weights that can not be had."""


class LibraryError(BitreelError):
    """A library that is missing, damaged, locked or written by another version."""


class NotInLibrary(LibraryError):
    """A video or segment that is not there, or not any more."""


class ModelMismatch(LibraryError):
    """A library and a model that do not belong together."""


class ModelChanged(ModelMismatch):
    """A library that was given another model while it was in use."""


class ConfigError(BitreelError):
    """An option out of its range."""
