"""Any estimator by its dotted name: ``lightgbm.LGBMRegressor(n_estimators=50)``, ``my_package.Model``."""

from __future__ import annotations

import ast
import importlib
import inspect
from dataclasses import dataclass, field
from typing import Any

from etf_pipeline.errors import SettingsError


@dataclass(frozen=True)
class DottedModel:
    """An estimator's class and what to make it with.

    Attributes
    ----------
    kind : type
        A class with `fit` and `predict`.
    arguments : dict
        Keyword arguments, plain values.
    """

    kind: type
    arguments: dict[str, Any] = field(default_factory=dict)

    def make(self, seed: int) -> Any:
        """An unfitted estimator; where it takes a `random_state` and was given none, it takes the seed."""
        try:
            model = self.kind(**self.arguments)
        except TypeError as error:
            raise SettingsError(f"forecasting cannot make {self.kind.__qualname__} from {self.arguments}: {error}.") from error
        settings = model.get_params(deep=False) if hasattr(model, "get_params") else {}
        if "random_state" in settings and settings["random_state"] is None:
            model.set_params(random_state=seed)
        return model

    def code(self) -> str:
        """What identifies the code behind it: version of its package, and its source where there is one."""
        package = importlib.import_module(self.kind.__module__.split(".")[0])
        try:
            source = inspect.getsource(self.kind)
        except (OSError, TypeError):  # compiled, or typed in by hand
            source = ""
        return f"{package.__name__} {getattr(package, '__version__', '')} {source}"


def dotted_model(name: str) -> DottedModel:
    """Read a dotted name, with plain keyword arguments in brackets or without any.

    Raises
    ------
    SettingsError
        If it is not such a name, nothing stands there, or what stands there is no class with `fit` and `predict`.

    Examples
    --------
    >>> dotted_model("sklearn.linear_model.Lasso(alpha=0.5)").make(7)
    Lasso(alpha=0.5, random_state=7)
    """
    dotted, arguments = _parsed(name)
    module, _, kind = dotted.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), kind)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"forecasting finds no '{dotted}' ({error}). Install its package, or correct the name.") from error
    if not (inspect.isclass(found) and hasattr(found, "fit") and hasattr(found, "predict")):
        raise SettingsError(f"forecasting needs a class with fit and predict; '{dotted}' is none. Wrap it in one.")
    return DottedModel(found, arguments)


def _parsed(name: str) -> tuple[str, dict[str, Any]]:
    try:
        node = ast.parse(name, mode="eval").body
        arguments = {}
        if isinstance(node, ast.Call) and not node.args:
            arguments = {str(k.arg): ast.literal_eval(k.value) for k in node.keywords if k.arg or _refuse()}
            node = node.func
        dotted = ast.unparse(node)
    except (SyntaxError, ValueError):
        dotted = ""
    if "." not in dotted or not all(part.isidentifier() for part in dotted.split(".")):
        raise SettingsError(
            f"forecasting reads models as package.Class or package.Class(name=value, ...) with plain values; found '{name}'."
        )
    return dotted, arguments


def _refuse() -> bool:
    raise ValueError("** has no name")
