"""Dashboard: a front door that shows the tables of any finished run to a person, and computes nothing that a room computes.

`launch` says how the server is started: bound to this machine, without telemetry, with nothing fetched from elsewhere. `app` is
the script that Streamlit runs; it picks run and strategy and hands them to one of the `views`. A view asks questions of
`queries` through a `Look`, which is one state of one warehouse, read-only: tables are read as of the chosen run, so that a night
that writes beside it changes nothing on the screen. Every answer carries the SQL that gave it, ready for `etf sql --at`, and a
table that an old run does not have is one clear line.
"""

from etf_pipeline.dashboard.launch import command
from etf_pipeline.dashboard.look import Answer, Look, newest_look, open_warehouse

__all__ = ["Answer", "Look", "command", "newest_look", "open_warehouse"]
