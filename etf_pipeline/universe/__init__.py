"""Universe room: which funds existed and qualified in each session, and why the others did not.

Every figure is the one known at the session's close. `lifecycle` carries what was known of each fund's beginning and end, from
bars, actions, curated events and the silence of a series; `membership` screens every bar; `detect_actions` proposes splits that
prices show and nobody told. Where a source has no figure in point-in-time form (today's AUM, volume in today's shares), the row
says so and the traded value, which no later split or snapshot can change, is screened instead.
"""

from __future__ import annotations

from etf_pipeline.universe.detection import detect_actions
from etf_pipeline.universe.lives import lifecycle
from etf_pipeline.universe.parameters import DetectionParameters, LifecycleParameters, ScreenParameters
from etf_pipeline.universe.screens import membership

__all__ = [
    "DetectionParameters",
    "LifecycleParameters",
    "ScreenParameters",
    "detect_actions",
    "lifecycle",
    "membership",
]
