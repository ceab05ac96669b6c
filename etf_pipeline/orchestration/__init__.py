"""Orchestration: the only place, beside the front door, that knows Dagster. It turns recipes into assets and runs them."""
