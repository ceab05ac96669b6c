"""Launchpad forms from the rooms' parameter dataclasses: defaults live in the room, a profile may override them."""

from __future__ import annotations

import dataclasses
import functools
import types
from pathlib import Path
from typing import Any, cast, get_args, get_origin, get_type_hints

import dagster as dg
import yaml
from pydantic import Field, create_model

from etf_pipeline.errors import SettingsError

PROFILES = Path(__file__).parent / "profiles"

ACCEPTED: dict[Any, Any] = {float: (int, float), int: int, str: str, bool: bool, tuple: (list, tuple)}
"""What YAML may give for a parameter of a type."""


@functools.cache
def profile_overrides(profile: str) -> dict[str, dict[str, Any]]:
    """Parameters that a profile changes, by recipe name."""
    path = PROFILES / f"{profile}.yaml"
    if not path.exists():
        raise SettingsError(
            f"profile '{profile}' needs {path.name} in orchestration/profiles; "
            f"found {sorted(p.name for p in PROFILES.glob('*.yaml'))}."
        )
    return cast("dict[str, dict[str, Any]]", yaml.safe_load(path.read_text(encoding="utf-8")) or {})


@functools.cache
def own_overrides(path: Path | None) -> dict[str, dict[str, Any]]:
    """Parameters that a person's own file changes, by recipe name.

    Raises
    ------
    SettingsError
        If the file cannot be read, or does not map recipes to parameters.
    """
    if path is None:
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"ETF_PARAMETERS needs a YAML file that can be read; {path.name} cannot: {error}.") from error
    if not isinstance(found, dict) or not all(isinstance(values, dict) for values in found.values()):
        raise SettingsError(
            f"{path.name} needs lines such as 'target_weights:' with '  var_limit: 0.015' below; found {type(found).__name__}. "
            "Name the recipe first, then its parameters, indented."
        )
    return found


def check_recipes(path: Path | None, recipes: set[str]) -> None:
    """Refuse a file that names a recipe which does not exist or has no parameters: its values would change nothing.

    Raises
    ------
    SettingsError
        If it does.
    """
    unknown = set(own_overrides(path)) - recipes
    if unknown and path is not None:
        raise SettingsError(
            f"{path.name} sets parameters of {sorted(unknown)}; recipes that have some are {', '.join(sorted(recipes))}. "
            "Correct the name."
        )


def default_parameters(kind: type, recipe: str, profile: str, exchange: str = "XNYS", own: Path | None = None) -> Any:
    """A room's parameter dataclass as the profile and a person's own file want it, on the main exchange's calendar.

    Raises
    ------
    SettingsError
        If the profile or the file names a parameter that the room does not have.
    """
    names = {f.name for f in dataclasses.fields(kind)}
    home = {"exchange": exchange} if "exchange" in names else {}
    overrides = home | profile_overrides(profile).get(recipe, {}) | own_overrides(own).get(recipe, {})
    unknown = set(overrides) - names
    if unknown:
        where = own.name if own and unknown & set(own_overrides(own).get(recipe, {})) else f"profile '{profile}'"
        raise SettingsError(f"{where} sets {sorted(unknown)} of {recipe}, which has {sorted(names)}. Mend it.")
    hints = get_type_hints(kind)
    for name, value in overrides.items():
        if not isinstance(value, ACCEPTED.get(get_origin(hints[name]) or hints[name], object)):
            raise SettingsError(f"{recipe}.{name} needs {hints[name]}; found {value!r}. Correct it in the profile or your file.")
    return kind(**{name: _from_form(value) for name, value in overrides.items()})


def config_for(parameters: Any) -> type[dg.Config]:
    """The launchpad form of a parameter dataclass, with the instance's values as defaults."""
    kind = type(parameters)
    hints = get_type_hints(kind)
    notes = _field_notes(kind)
    fields: dict[str, Any] = {}
    for f in dataclasses.fields(kind):
        value = getattr(parameters, f.name)
        fields[f.name] = (_form_type(hints[f.name]), Field(default=_to_form(value), description=notes.get(f.name, "")))
    return cast("type[dg.Config]", create_model(kind.__name__ + "Form", __base__=dg.Config, **fields))


def parameters_from(form: dg.Config, kind: type) -> Any:
    """The parameter dataclass that a filled form stands for."""
    values = form.model_dump()
    return kind(**{f.name: _from_form(values[f.name]) for f in dataclasses.fields(kind)})


def _form_type(hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return list[get_args(hint)[0]]  # type: ignore[misc]
    if get_origin(hint) is types.UnionType:
        return hint
    return hint if hint in (int, float, str, bool) else str


def _to_form(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _from_form(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _field_notes(kind: type) -> dict[str, str]:
    """Descriptions of the fields, read from the dataclass's numpydoc."""
    notes: dict[str, str] = {}
    current: list[str] = []
    for line in (kind.__doc__ or "").splitlines():
        text = line.strip()
        if " : " in text and not line.startswith("        "):
            current = [name.strip() for name in text.split(" : ")[0].split(",")]
        elif current and text and not text.startswith("---"):
            for name in current:
                notes[name] = (notes.get(name, "") + " " + text).strip()
    return notes
