"""Codes and metadata in files that others read too, and back.

`exported` is what a file holds; `npz`, `parquet` and `faiss` write and read it, `files` says which
of them; `out_of_library` and `into_library` are the two ways.
"""

from bitreel.library.exchange.exported import Exported
from bitreel.library.exchange.files import read_codes
from bitreel.library.exchange.into_library import check_made_by, import_codes
from bitreel.library.exchange.out_of_library import ExportReport, export_codes

__all__ = [
    "ExportReport",
    "Exported",
    "check_made_by",
    "export_codes",
    "import_codes",
    "read_codes",
]
