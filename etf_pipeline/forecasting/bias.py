"""Bias correction: the line that realised errors support, as far as they support it.

The action plan subtracts ``mean(prediction - label)`` over the training rows. Least squares makes that zero for any model with an
intercept, and a forest nearly so: it corrects nothing. Here the errors are those of forecasts whose label ended later than
everything their model saw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etf_pipeline.forecasting.design import established_classes
from etf_pipeline.panel import Floats
from etf_pipeline.validation import bandwidth, bartlett_variance, fixed_b_critical_value

NORMAL_975 = 1.96


@dataclass(frozen=True)
class SessionSums:
    """Per-session sums over funds: all that the correction line and its errors need.

    Attributes
    ----------
    n, f, y, ff, fy, yy : ndarray of shape (n_sessions,)
        Rows with a known label, and over them the sums of forecast, label and their products.
    """

    n: Floats
    f: Floats
    y: Floats
    ff: Floats
    fy: Floats
    yy: Floats

    @classmethod
    def of(cls, forecast: Floats, label: Floats) -> SessionSums:
        """Sum wide arrays of shape (n_sessions, n_assets) over funds; a row counts where both are known."""
        known = ~np.isnan(forecast) & ~np.isnan(label)
        f, y = np.where(known, forecast, 0.0), np.where(known, label, 0.0)
        parts = (known.astype(np.float64), f, y, f * f, f * y, y * y)
        return cls(*(part.sum(axis=1) for part in parts))

    def until(self, stop: int) -> SessionSums:
        """The sessions before `stop`."""
        return self._cut(slice(0, stop))

    def trimmed(self) -> SessionSums:
        """Without empty sessions at either end: time before a fund existed is no evidence about it."""
        active = np.flatnonzero(self.n > 0)
        return self._cut(slice(active[0], active[-1] + 1) if len(active) else slice(0))

    def _cut(self, span: slice) -> SessionSums:
        return SessionSums(*(part[span] for part in (self.n, self.f, self.y, self.ff, self.fy, self.yy)))

    @property
    def sessions(self) -> int:
        """Sessions that have a row."""
        return int((self.n > 0).sum())

    @property
    def squared_error(self) -> Floats:
        """Sum of squared errors per session."""
        return self.yy - 2 * self.fy + self.ff


@dataclass(frozen=True)
class CorrectionLine:
    """Add ``shift + tilt * (forecast - centre)`` to a forecast.

    Attributes
    ----------
    centre : float
        Mean of the forecasts that the line was fitted on. [fraction per horizon]
    shift, tilt : float
        After shrinkage: minus the bias at the centre, and the Mincer-Zarnowitz slope less one.
    t_shift, t_tilt : float
        Their t statistics before shrinkage, on the normal scale.
    """

    centre: float = 0.0
    shift: float = 0.0
    tilt: float = 0.0
    t_shift: float = 0.0
    t_tilt: float = 0.0

    def apply(self, forecast: Floats) -> Floats:
        """Corrected forecasts; unknown ones stay unknown."""
        return forecast + self.shift + self.tilt * (forecast - self.centre)


def fit_line(sums: SessionSums, horizon: int) -> CorrectionLine:
    """Shrunk Mincer-Zarnowitz line of labels on forecasts.

    Parameters
    ----------
    sums : SessionSums
        Contiguous sessions (or evenly thinned ones), all with ended labels; empty ones at the ends are left out.
    horizon : int
        Sums over which labels overlap.

    Notes
    -----
    The line ``y = a + b f`` [1]_ is written around the mean forecast c, ``y - f = shift + tilt * (f - c)``, which is the same
    line: shift = a + (b - 1) c, tilt = b - 1. Written so, shift *is* minus the bias and does not lean on the slope; around zero
    a noisy slope would drag the intercept along, and shrinking each alone would leave a biased mean. Each is then multiplied by
    t^2 / (1 + t^2), an estimate of how much of its square is signal [2]_. With an unsupported slope what remains is a constant.
    Errors cluster by session, with a Bartlett kernel; t is put on the normal scale by the fixed-b critical value. A corrected
    slope below zero would trade against the model, which is not what correcting a bias means: tilt stops at -1.

    References
    ----------
    .. [1] J. Mincer, V. Zarnowitz, "The evaluation of economic forecasts," NBER 1969.
    .. [2] J. Thompson, "Some shrinkage techniques for estimating the mean," J. American Statistical Association 63, 1968.
       doi:10.1080/01621459.1968.11009226
    """
    sums = sums.trimmed()
    rows, sessions = float(sums.n.sum()), len(sums.n)
    if rows < 3 or sessions < 4:
        return CorrectionLine()
    centre = float(sums.f.sum()) / rows
    shift = float(sums.y.sum() - sums.f.sum()) / rows
    spread = sums.ff - 2 * centre * sums.f + sums.n * centre**2
    joint = (sums.fy - sums.ff) - centre * (sums.y - sums.f)
    total = float(spread.sum())
    tilt = float(joint.sum()) / total if total > 1e-12 * rows * centre**2 + 1e-300 else 0.0
    distance = sums.f - sums.n * centre
    shift_score = (sums.y - sums.f) - shift * sums.n - tilt * distance
    tilt_score = joint - shift * distance - tilt * spread
    t_shift = _t(shift, shift_score, rows, horizon)
    t_tilt = _t(tilt, tilt_score, total, horizon) if tilt else 0.0
    return CorrectionLine(centre, shift * _share(t_shift), max(tilt * _share(t_tilt), -1.0), t_shift, t_tilt)


def correct(
    forecast: Floats,
    label: Floats,
    groups: npt.NDArray[np.object_],
    starts: npt.NDArray[np.int64],
    warm_up: list[tuple[SessionSums, dict[str, SessionSums]]],
    *,
    label_sessions: int,
    train_every: int,
    min_realised: int,
    min_class_funds: int = 1,
) -> Floats:
    """Correct every forecast by the line known when it was made.

    Parameters
    ----------
    forecast, label : ndarray of shape (n_sessions, n_assets)
        From the first forecast session on; a label is used `label_sessions` after its session, never earlier.
    groups : ndarray of shape (n_assets,)
        Asset class of each fund.
    starts : ndarray of shape (n_blocks,)
        First session of each block; the line is estimated there and holds until the next.
    warm_up : list of (SessionSums, dict of SessionSums), one per block
        Inner-fold sums over all funds and per established group, used until `min_realised` sessions have realised.
    train_every : int
        Sessions between two of `warm_up`: labels overlap over fewer of its sessions, and fewer of them are enough.
    min_realised, min_class_funds : int
        Sessions and funds with realised errors that a group needs for its own line; without them it has the line of all.

    Returns
    -------
    ndarray of shape (n_sessions, n_assets)
    """
    names = sorted(set(groups))
    pooled = SessionSums.of(forecast, label)
    by_group = {g: SessionSums.of(forecast[:, groups == g], label[:, groups == g]) for g in names}
    known = ~np.isnan(forecast) & ~np.isnan(label)
    out = np.full(forecast.shape, np.nan)
    for k, start in enumerate(starts):
        stop = int(starts[k + 1]) if k + 1 < len(starts) else len(forecast)
        realised = max(int(start) - label_sessions + 1, 0)
        if pooled.until(realised).sessions >= min_realised:
            seen = np.flatnonzero(known[:realised].any(axis=0))
            established = established_classes(groups, seen, min_class_funds)
            everyone, single = pooled.until(realised), {g: by_group[g].until(realised) for g in established}
            horizon, enough = label_sessions, min_realised
        else:
            everyone, single = warm_up[k]
            horizon, enough = -(-label_sessions // train_every), min_realised // train_every
        shared = fit_line(everyone, horizon)
        for g in names:
            own = single.get(g)
            line = fit_line(own, horizon) if own is not None and own.sessions >= enough else shared
            funds = groups == g
            out[start:stop, funds] = line.apply(forecast[start:stop, funds])
    return out


def _t(estimate: float, score: Floats, scale: float, horizon: int) -> float:
    """t statistic of ``sum(score) / scale`` style estimates, rescaled so that 1.96 is its 95 % point."""
    n = len(score)
    width = bandwidth(n, horizon)
    error = math.sqrt(n * bartlett_variance(score, width)) / scale
    if error == 0:
        return math.copysign(math.inf, estimate) if estimate else 0.0
    return estimate / error * NORMAL_975 / fixed_b_critical_value(width / n)


def _share(t: float) -> float:
    return 1.0 if math.isinf(t) else t * t / (1 + t * t)
