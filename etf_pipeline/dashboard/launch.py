"""How the server is started: on this machine only, without telemetry, in the colours of the report."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from etf_pipeline.reporting.palette import GRID, PAPER, SERIES, SERIES_DARK

SCRIPT: Final = Path(__file__).with_name("app.py")
TEXT: Final = "#0f1722"
"""A little darker than the report's ink: Streamlit fades captions to six tenths of it, and they stay readable."""
DARK_PAPER: Final = "#14181d"
DARK_INK: Final = "#e4e9ee"

OPTIONS: Final[Mapping[str, str]] = {
    "browser.gatherUsageStats": "false",
    "server.headless": "true",  # opens no browser and asks nobody for an address
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "server.showEmailPrompt": "false",
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",  # a traceback may hold paths; the server's own output keeps it
    "client.showErrorLinks": "false",
    "theme.baseFontSize": "15",
    "theme.headingFontSizes": "2rem, 1.5rem, 1.2rem, 1rem, 1rem, 1rem",
    "theme.metricValueFontSize": "1.5rem",
    "theme.paddingTop": "3.5rem",
    "theme.baseRadius": "small",
    "theme.light.primaryColor": SERIES[0],
    "theme.light.linkColor": SERIES[0],
    "theme.light.backgroundColor": PAPER,
    "theme.light.secondaryBackgroundColor": "#f4f6f8",
    "theme.light.textColor": TEXT,
    "theme.light.borderColor": GRID,
    "theme.dark.primaryColor": SERIES_DARK[0],
    "theme.dark.linkColor": SERIES_DARK[0],
    "theme.dark.backgroundColor": DARK_PAPER,
    "theme.dark.secondaryBackgroundColor": "#1e252d",
    "theme.dark.textColor": DARK_INK,
    "theme.dark.borderColor": "#36404b",
}
"""Streamlit's settings. Given on the command line they outrank every file and variable of the machine."""


def command(port: int, host: str = "127.0.0.1") -> list[str]:
    """The command that serves the dashboard.

    Parameters
    ----------
    port : int
        Port to listen on.
    host : str, default "127.0.0.1"
        Address to listen on; the default is heard by this machine alone. The dashboard knows no passwords.

    Examples
    --------
    >>> "--server.address=127.0.0.1" in command(8501)
    True
    """
    options = {"server.address": host, "browser.serverAddress": host, "server.port": str(port), **OPTIONS}
    return [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *(f"--{name}={value}" for name, value in options.items())]
