"""Why there is no rehearsal."""

from __future__ import annotations


class NoRehearsal(Exception):
    """The rehearsal cannot begin or go on; two sentences say why, and what to do."""
