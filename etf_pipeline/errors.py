"""Every error of the project, in one tree.

::

    EtfPipelineError
    ├── SettingsError        a setting is missing, misspelled or contradicts another
    ├── DataError            data do not allow what was asked
    │   ├── ContractError    a table breaks its schema
    │   └── ProviderError    a source cannot be read
    │       └── SourceUnreachable   a source did not answer; asked later it may
    ├── WarehouseError       the store refuses
    │   ├── Conflict         somebody committed first
    │   ├── SchemaDrift      a table changed its columns without saying so
    │   └── NotMaterialised  a table was read before it was made
    └── EstimationError      a model cannot be fitted
        └── Infeasible       no portfolio meets every limit

A message says what was needed, what was found, where, and what to do next, and never a secret.
"""

from __future__ import annotations

from etf_pipeline.redaction import redact


class EtfPipelineError(Exception):
    """Root of the tree: catch this to catch everything that the project raises on purpose."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(redact(arg) if isinstance(arg, str) else arg for arg in args))


class SettingsError(EtfPipelineError):
    """A setting is missing, misspelled or contradicts another."""


class DataError(EtfPipelineError):
    """The data do not allow what was asked."""


class ContractError(DataError):
    """A table breaks its schema."""


class ProviderError(DataError):
    """A source cannot be read."""


class SourceUnreachable(ProviderError):
    """A source did not answer, or asked to be left alone for a while.

    Attributes
    ----------
    wait : float or None
        How long the source asked to be left alone, where it said so. [seconds]
    """

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class WarehouseError(EtfPipelineError):
    """The store refuses."""


class Conflict(WarehouseError):
    """Somebody committed first."""


class SchemaDrift(WarehouseError):
    """A table changed its columns without saying so."""


class NotMaterialised(WarehouseError):
    """A table was read before it was made."""


class EstimationError(EtfPipelineError):
    """A model cannot be fitted."""


class Infeasible(EstimationError):
    """No portfolio meets every limit; `reason` names the one that cannot be met."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
