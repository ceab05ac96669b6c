"""Universe room: which funds existed and qualified in each session, and why the others did not.

Every figure is the one known at the session's close. Where a source has none in point-in-time form (today's AUM, volume in
today's shares), the row says so and the traded value, which no later split or snapshot can change, is screened instead.
"""

from __future__ import annotations

from etf_pipeline.universe.screens import ScreenParameters, membership

__all__ = ["ScreenParameters", "membership"]
