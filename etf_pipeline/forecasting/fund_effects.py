"""What each fund returned before, as far as its history supports it: the panel's term per fund, and the honest baseline."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats


def shrunk_fund_means(
    label: Floats,
    classes: npt.NDArray[np.object_],
    *,
    label_sessions: int,
    prior_labels: float,
    min_class_funds: int,
    unlearnt: str,
) -> tuple[Floats, Floats]:
    """Mean label of each fund so far, drawn to its class, from labels that had ended at the session's close.

    Parameters
    ----------
    label : ndarray of shape (n_sessions, n_assets)
        NaN where there is none that counts. [fraction per horizon]
    classes : ndarray of shape (n_assets,)
        Asset class of each fund.
    label_sessions : int
        A label of session s is known at the close of ``s + label_sessions``. [sessions]
    prior_labels : float
        Labels without overlap that the class's mean counts for. [count]
    min_class_funds : int
        Funds with an ended label that a class needs; smaller ones, and the class `unlearnt`, are drawn to the mean of all.

    Returns
    -------
    mean, effect : ndarray of shape (n_sessions, n_assets)
        The shrunk mean, and how far it lies from the mean that it is drawn to. Before any label has ended the mean is zero.
        [fraction per horizon]

    Notes
    -----
    ``c + n / (n + prior) * (m - c)``: the best linear predictor of a random effect [1]_ whose variance is that of one label over
    `prior_labels`. n counts a fund's labels over their overlap. Sums over funds run one after the other, so that a fund that
    joins later, with zeros until then, changes no bit of what was before.

    References
    ----------
    .. [1] G. Robinson, "That BLUP is a good thing: the estimation of random effects," Statistical Science 6 (1), 1991.
       doi:10.1214/ss/1177011926

    Examples
    --------
    >>> label = np.array([[0.02, 0.0], [0.04, 0.0], [np.nan, np.nan]])
    >>> mean, _ = shrunk_fund_means(label, np.array(["bond", "bond"], dtype=object), label_sessions=1, prior_labels=1.0,
    ...                             min_class_funds=1, unlearnt="unknown")
    >>> mean.round(4).tolist()
    [[0.0, 0.0], [0.015, 0.005], [0.025, 0.005]]
    """
    total, count = _ended(label, label_sessions)
    centre = np.repeat(_ratio(_over_funds(total), _over_funds(count))[:, None], len(classes), axis=1)
    for name in sorted(set(classes) - {unlearnt}):
        funds = classes == name
        own = _ratio(_over_funds(total[:, funds]), _over_funds(count[:, funds]))
        established = (count[:, funds] > 0).sum(axis=1) >= min_class_funds
        centre[:, funds] = np.where(established, own, centre[:, funds][:, 0])[:, None]
    independent = count / label_sessions
    effect = independent / (independent + prior_labels) * np.where(count > 0, _ratio(total, count) - centre, 0.0)
    return centre + effect, effect


def _ended(label: Floats, label_sessions: int) -> tuple[Floats, Floats]:
    """Running sums and counts per fund of the labels that had ended at each session."""
    known = ~np.isnan(label)
    out = []
    for values in (np.where(known, label, 0.0), known.astype(np.float64)):
        ended = np.zeros(label.shape)
        ended[label_sessions:] = np.cumsum(values, axis=0)[: max(len(label) - label_sessions, 0)]
        out.append(ended)
    return out[0], out[1]


def _over_funds(values: Floats) -> Floats:
    return np.asarray(np.add.accumulate(values, axis=1)[:, -1])


def _ratio(total: Floats, count: Floats) -> Floats:
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)
