"""Factor models: what funds have in common goes through a few series, the rest is each fund's own."""

from __future__ import annotations

import numpy as np

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.covariance.products import sample_covariance
from etf_pipeline.risk.covariance.sample import scales


def n_factors(eigenvalues: Floats, n_sessions: int) -> int:
    """How many principal components stand above noise.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_assets,)
        Of a sample correlation matrix.
    n_sessions : int
        Sessions in the sample.

    Returns
    -------
    int
        Eigenvalues above ``(1 + sqrt(n_assets / n_sessions))**2``, the largest that independent returns reach [1]_, but at
        least one and fewer than funds.

    References
    ----------
    .. [1] L. Laloux, P. Cizeau, J.-P. Bouchaud, M. Potters, "Noise dressing of financial correlation matrices," Phys. Rev.
       Lett. 83, 1999. doi:10.1103/PhysRevLett.83.1467

    Examples
    --------
    >>> n_factors(np.array([0.1, 0.4, 1.9, 5.6]), 100)
    2
    """
    edge = (1.0 + np.sqrt(len(eigenvalues) / n_sessions)) ** 2
    return int(min(max(np.sum(eigenvalues > edge), 1), max(len(eigenvalues) - 1, 1)))


def principal_directions(returns: Floats) -> Floats:
    """Portfolios of scaled funds whose returns are the common factors.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_assets)
        Complete. [fraction]

    Returns
    -------
    ndarray of shape (n_assets, n_factors)
        Leading eigenvectors of the correlation matrix over each fund's volatility, as many as `n_factors` says.
    """
    scale = scales(returns)
    values, vectors = np.linalg.eigh(sample_covariance(returns / scale))
    count = n_factors(values, len(returns))
    return np.asarray(vectors[:, : -count - 1 : -1] / scale[:, None], dtype=np.float64)


def statistical_factor_covariance(returns: Floats) -> Floats:
    """Principal components of the correlation matrix, and each fund's own remainder.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_assets)
        Complete. [fraction]

    Returns
    -------
    ndarray of shape (n_assets, n_assets)
        ``D (V L V' + diag(1 - V L V')) D``: variances are those of the sample. [fraction squared per session]

    Notes
    -----
    The components are of scaled returns, so that a calm fund's common part is not lost behind volatile ones [1]_.

    References
    ----------
    .. [1] J. Fan, Y. Liao, M. Mincheva, "Large covariance estimation by thresholding principal orthogonal complements," J. R.
       Statist. Soc. B 75, 2013. doi:10.1111/rssb.12016 (here with a diagonal remainder)
    """
    scale = scales(returns)
    correlation = sample_covariance(returns / scale)
    values, vectors = np.linalg.eigh(correlation)
    count = n_factors(values, len(returns))
    leading = vectors[:, -count:]
    common = (leading * values[-count:]) @ leading.T
    np.fill_diagonal(common, np.diag(correlation))
    return np.asarray(common * np.outer(scale, scale), dtype=np.float64)


def observed_factor_covariance(returns: Floats, factors: Floats, bill: Floats, min_sessions: int) -> tuple[Floats, int]:
    """Loadings on priced factors by least squares, and each fund's own remainder.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_assets)
        Complete. [fraction]
    factors : ndarray of shape (n_sessions, n_factors)
        NaN where not yet released: the sample ends there. [fraction]
    bill : ndarray of shape (n_sessions,)
        What funds earn in excess of. [fraction]
    min_sessions : int
        Sessions with released factors that are needed.

    Returns
    -------
    covariance : ndarray of shape (n_assets, n_assets)
        ``B F B' + diag(residual variance)``, ddof 0 throughout, so that the diagonal is the excess returns' variance.
        [fraction squared per session]
    n_sessions : int
        Sessions with released factors.

    Raises
    ------
    EstimationError
        If too few sessions have released factors.

    References
    ----------
    .. [1] E. Fama and K. French, "A five-factor asset pricing model," J. Financial Economics 116, 2015.
       doi:10.1016/j.jfineco.2014.10.010
    """
    released = np.isfinite(factors).all(axis=1) & np.isfinite(bill)
    count, needed = int(released.sum()), max(min_sessions, factors.shape[1] + 2)
    if count < needed:
        raise EstimationError(
            f"fama_french_factor needs {needed} sessions with released factors in the sample; found {count}. Load raw_factors, "
            "lengthen the window, or choose another estimator."
        )
    x, y = factors[released], returns[released] - bill[released, None]
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    moments = x.T @ x / count
    loadings = np.linalg.lstsq(x, y, rcond=None)[0]
    covariance = loadings.T @ moments @ loadings
    own = np.mean((y - x @ loadings) ** 2, axis=0)
    covariance.flat[:: len(covariance) + 1] += own
    return 0.5 * (covariance + covariance.T), count
