"""Reporting room: tables to pictures for the Dagster UI and to one HTML report that a person can read, print and pass on.

It computes nothing: numbers come from the tables as they are and are only reshaped, picked and formatted.
"""

__all__: list[str] = []
