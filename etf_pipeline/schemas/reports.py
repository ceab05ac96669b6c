"""Reports room: what people read. SQL over marts and results."""

from __future__ import annotations
