"""Parameters of the room."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.errors import SettingsError
from etf_pipeline.scoring.weightings import WEIGHTINGS
from etf_pipeline.scoring.weights import weight_table


@dataclass(frozen=True)
class ScoreParameters:
    """How parts become a score.

    Attributes
    ----------
    winsor : float
        Largest absolute z-score: one extreme fund must not decide alone. [z-score]
    weighting : str
        What the weights follow: `regime` (the rule's regime), `blend` (bull and bear by the probability of stress), `fixed`
        (those of `sideways` always) or `equal`.
    weights : tuple of str
        Own weights, ``regime:part=weight``; the shares of a regime must still sum to one.
    """

    winsor: float = 3.0
    weighting: str = "regime"
    weights: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.weighting not in WEIGHTINGS:
            raise SettingsError(f"scoring knows the weightings {', '.join(WEIGHTINGS)}; found '{self.weighting}'. Choose one.")
        _check(self.winsor, self.weights)


@dataclass(frozen=True)
class RecordParameters:
    """How scores under every weighting are held against what came of them.

    Attributes
    ----------
    winsor : float
        As in the scores. [z-score]
    weights : tuple of str
        As in the scores: own weights, ``regime:part=weight``.
    quantile : float
        Share of the session's funds that count as its best. [fraction]
    top : int
        Funds of the long-only portfolio whose turnover is counted.
    turnover_sessions : int
        Sessions between its two rebalances. [sessions]
    """

    winsor: float = 3.0
    weights: tuple[str, ...] = ()
    quantile: float = 0.2
    top: int = 10
    turnover_sessions: int = 21

    def __post_init__(self) -> None:
        _check(self.winsor, self.weights)
        if not 0 < self.quantile < 1 or self.top < 1 or self.turnover_sessions < 1:
            raise SettingsError(
                "the record of scores needs a quantile inside (0, 1), a top of at least 1 and turnover over at least 1 session; "
                f"found {self.quantile}, {self.top}, {self.turnover_sessions}."
            )


@dataclass(frozen=True)
class ScoringComparisonParameters:
    """How weightings are compared.

    Attributes
    ----------
    level : float
        Chance of any false claim in the whole table. [probability]
    """

    level: float = 0.05


def _check(winsor: float, weights: tuple[str, ...]) -> None:
    weight_table(weights)
    if not winsor > 0:
        raise SettingsError(f"scoring needs a winsor above 0; found {winsor}. The usual value is 3.")
