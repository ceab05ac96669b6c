"""Executors by setting: one process by default, more where a deployment has them."""

import importlib
from typing import Any

import dagster as dg

from etf_pipeline.errors import SettingsError

EXTRAS = {
    "dask": ("dagster_dask", "dask_executor"),
    "k8s": ("dagster_k8s", "k8s_job_executor"),
    "celery": ("dagster_celery", "celery_executor"),
}


def executor(name: str) -> Any:
    """The executor that `ETF_EXECUTOR` names.

    Raises
    ------
    SettingsError
        If its package is not installed.
    """
    if name == "in_process":
        return dg.in_process_executor
    if name == "multiprocess":
        # a preloading forkserver halves the imports that every step's own process pays
        return dg.multiprocess_executor.configured(
            {"max_concurrent": 2, "start_method": {"forkserver": {"preload_modules": ["etf_pipeline.definitions"]}}}
        )
    package, attribute = EXTRAS[name]
    try:
        return getattr(importlib.import_module(package), attribute)
    except ImportError as error:
        raise SettingsError(
            f"ETF_EXECUTOR={name} needs the package {package.replace('_', '-')}, which is not installed. "
            f"Install it (pip install {package.replace('_', '-')}) or choose in_process."
        ) from error
