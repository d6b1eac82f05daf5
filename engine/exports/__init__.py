"""Takes a session home: a plain Python script, a notebook, and the loss history."""

from engine.exports.export import Export, export
from engine.exports.files import write_exports

__all__ = ["Export", "export", "write_exports"]
