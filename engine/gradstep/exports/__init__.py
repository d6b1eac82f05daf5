"""Exports of a session: a plain Python script, a notebook, and the loss history."""

from gradstep.exports.export import Export, export
from gradstep.exports.export_files import write_exports

__all__ = ["Export", "export", "write_exports"]
