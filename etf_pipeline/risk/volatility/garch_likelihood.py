"""Numba kernels of the GARCH(1,1) with Student-t errors: log-likelihood, scores, information.

Everything is in the units of the given returns. With ``q_t = (nu - 2) h_t + e_t^2`` one observation's log-likelihood is

    lgamma((nu + 1) / 2) - lgamma(nu / 2) - log(pi) / 2 + nu / 2 log(nu - 2) + nu / 2 log h_t - (nu + 1) / 2 log q_t

so that the sums need no logarithm per session: products of `FACTORS` terms are turned into logarithms together.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats

MU, OMEGA, ALPHA, BETA, NU = range(5)
"""Positions of the parameters in a vector `theta`."""

CHUNK = 256
"""Sessions whose derivatives are kept at a time: they stay in the first-level cache."""
FACTORS = 32
"""Factors per logarithm. In units of the sample's deviation h is in 1e-8..n, so 32 factors stay inside double range."""

vectorised = njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
"""For sums over finite samples: the compiler may reorder them, once and for all, and NaN keeps its meaning."""


@vectorised
def log_likelihoods(returns: Floats, mu: float, nu: float, variance: Floats, backcast: float) -> Floats:
    """Log-likelihood of many variance equations at once, for one mean and one nu.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Finite returns.
    mu, nu : float
        Mean and degrees of freedom.
    variance : ndarray of shape (3, n_equations)
        Rows omega, alpha, beta.
    backcast : float
        Variance before the sample.

    Returns
    -------
    ndarray of shape (n_equations,)
        [nats]
    """
    omega, alpha, beta = variance[0].copy(), variance[1].copy(), variance[2].copy()
    h = omega + (alpha + beta) * backcast
    log_h, log_q, product_h, product_q = np.zeros_like(h), np.zeros_like(h), np.ones_like(h), np.ones_like(h)
    for start in range(0, len(returns), FACTORS):
        for t in range(start, min(start + FACTORS, len(returns))):
            squared = (returns[t] - mu) ** 2
            for k in range(len(h)):
                product_h[k] *= h[k]
                product_q[k] *= (nu - 2.0) * h[k] + squared
                h[k] = omega[k] + alpha[k] * squared + beta[k] * h[k]
        for k in range(len(h)):
            log_h[k] += math.log(product_h[k])
            log_q[k] += math.log(product_q[k])
            product_h[k], product_q[k] = 1.0, 1.0
    values: Floats = len(returns) * _constant(nu) + 0.5 * nu * log_h - 0.5 * (nu + 1.0) * log_q
    return values


@njit(cache=True)
def scores(returns: Floats, theta: Floats, backcast: float, gradient: Floats, information: Floats) -> float:
    """Log-likelihood, with its gradient and the expected information in ``(mu, omega, alpha, beta, 1 / nu)``.

    Notes
    -----
    Exact first derivatives by recursion [1]_. The information is the expected one of a t density with unit variance; its
    terms between the mean and the rest vanish by symmetry. The reciprocal of nu makes the normal an ordinary point.

    The recursion is sequential and runs first over a chunk of sessions; the sums over that chunk then vectorise.

    References
    ----------
    .. [1] G. Fiorentini, G. Calzolari and L. Panattoni, "Analytic derivatives and the computation of GARCH estimates,"
       Journal of Applied Econometrics 11, 1996.
    """
    n, nu = len(returns), theta[NU]
    state = np.array([theta[OMEGA] + (theta[ALPHA] + theta[BETA]) * backcast, 0.0, 1.0, backcast, backcast])
    rows, sums = np.empty((6, CHUNK)), np.zeros(18)
    for start in range(0, n, CHUNK):
        _differentiate(returns[start : start + CHUNK], theta, state, rows)
        m = min(CHUNK, n - start)
        _add_logarithms(rows[0, :m], rows[1, :m], nu, sums)
        _add_sums(rows[0, :m], rows[1, :m], rows[2, :m], rows[3, :m], rows[4, :m], rows[5, :m], nu, sums)
    log_h, log_q, per_h, ratio = sums[0], sums[1], sums[2], sums[3]
    of_h, of_h_nu, of_nu = _unit_information(nu)
    gradient[:4] = sums[4:8]
    gradient[NU] = -nu * nu * (n * _constant_slope(nu) + 0.5 * (log_h - log_q) - 0.5 * (nu + 1.0) * ratio)
    information[:] = 0.0
    information[0, 0] = of_h * sums[8] + nu * (nu + 1.0) / ((nu - 2.0) * (nu + 3.0)) * per_h
    information[1, 1:4], information[2, 2:4], information[3, 3] = sums[12:15], sums[15:17], sums[17]
    information[2, 1], information[3, 1], information[3, 2] = sums[13], sums[14], sums[16]
    information[1:4, 1:4] *= of_h
    information[4, 1:4] = -nu * nu * of_h_nu * sums[9:12]
    information[1:4, 4] = information[4, 1:4]
    information[4, 4] = n * nu**4 * of_nu
    value: float = n * _constant(nu) + 0.5 * nu * log_h - 0.5 * (nu + 1.0) * log_q
    return value


@njit(cache=True)
def _differentiate(returns: Floats, theta: Floats, state: Floats, rows: Floats) -> None:
    """Rows: e, h and the derivatives of h in mu, omega, alpha, beta; `state` goes on to the next chunk."""
    mu, omega, alpha, beta, _ = theta
    h, d_mu, d_omega, d_alpha, d_beta = state
    for t in range(len(returns)):
        e = returns[t] - mu
        rows[0, t], rows[1, t] = e, h
        rows[2, t], rows[3, t], rows[4, t], rows[5, t] = d_mu, d_omega, d_alpha, d_beta
        d_mu = beta * d_mu - 2.0 * alpha * e
        d_omega = 1.0 + beta * d_omega
        d_alpha = e * e + beta * d_alpha
        d_beta = h + beta * d_beta
        h = omega + alpha * e * e + beta * h
    state[:] = (h, d_mu, d_omega, d_alpha, d_beta)


@vectorised
def _add_sums(
    e: Floats, h: Floats, d_mu: Floats, d_omega: Floats, d_alpha: Floats, d_beta: Floats, nu: float, sums: Floats
) -> None:
    """Add a chunk to sums 2-17: 1 / h, h / q, the gradient, relative slopes of h once and times each other."""
    per_h, ratio = 0.0, 0.0
    g_mu, g_omega, g_alpha, g_beta = 0.0, 0.0, 0.0, 0.0
    mm, o, a, b = 0.0, 0.0, 0.0, 0.0
    oo, oa, ob, aa, ab, bb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(len(e)):
        squared = e[t] * e[t]
        q = (nu - 2.0) * h[t] + squared
        inverse = 1.0 / (h[t] * q)
        over_h, over_q = inverse * q, inverse * h[t]
        weight = 0.5 * ((nu + 1.0) * squared * over_q - 1.0)  # h times the slope of the log-likelihood in h
        r_mu, r_omega, r_alpha, r_beta = d_mu[t] * over_h, d_omega[t] * over_h, d_alpha[t] * over_h, d_beta[t] * over_h
        per_h += over_h
        ratio += h[t] * over_q
        g_mu += weight * r_mu + (nu + 1.0) * e[t] * over_q
        g_omega += weight * r_omega
        g_alpha += weight * r_alpha
        g_beta += weight * r_beta
        mm += r_mu * r_mu
        o += r_omega
        a += r_alpha
        b += r_beta
        oo += r_omega * r_omega
        oa += r_omega * r_alpha
        ob += r_omega * r_beta
        aa += r_alpha * r_alpha
        ab += r_alpha * r_beta
        bb += r_beta * r_beta
    for k, value in enumerate((per_h, ratio, g_mu, g_omega, g_alpha, g_beta, mm, o, a, b, oo, oa, ob, aa, ab, bb)):
        sums[2 + k] += value


@vectorised
def _add_logarithms(e: Floats, h: Floats, nu: float, sums: Floats) -> None:
    """Add a chunk to sums 0 and 1: the logarithms of h and q."""
    for start in range(0, len(e), FACTORS):
        product_h, product_q = 1.0, 1.0
        for t in range(start, min(start + FACTORS, len(e))):
            product_h *= h[t]
            product_q *= (nu - 2.0) * h[t] + e[t] * e[t]
        sums[0] += math.log(product_h)
        sums[1] += math.log(product_q)


@njit(cache=True)
def _constant(nu: float) -> float:
    return math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(math.pi) + 0.5 * nu * math.log(nu - 2.0)


@njit(cache=True)
def _constant_slope(nu: float) -> float:
    gammas = 0.5 * (_digamma(0.5 * (nu + 1.0)) - _digamma(0.5 * nu))
    return gammas + 0.5 * math.log(nu - 2.0) + 0.5 * nu / (nu - 2.0)


@njit(cache=True)
def _unit_information(nu: float) -> tuple[float, float, float]:
    """Expected information of one observation in (h / h, nu): by the chain rule from the t's log-scale and nu."""
    scale, cross = 2.0 * nu / (nu + 3.0), -2.0 / ((nu + 1.0) * (nu + 3.0))
    own = _trigamma(0.5 * nu) - _trigamma(0.5 * (nu + 1.0)) - 2.0 * (nu + 5.0) / (nu * (nu + 1.0) * (nu + 3.0))
    slope = 1.0 / (nu * (nu - 2.0))  # of the log-scale in nu, at constant variance
    return 0.25 * scale, 0.5 * (slope * scale + cross), 0.25 * own + 2.0 * slope * cross + slope * slope * scale


@njit(cache=True)
def _digamma(x: float) -> float:
    shift = 0.0
    while x < 10.0:
        shift -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    return shift + math.log(x) - 0.5 / x - y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y / 240.0)))


@njit(cache=True)
def _trigamma(x: float) -> float:
    shift = 0.0
    while x < 10.0:
        shift += 1.0 / (x * x)
        x += 1.0
    y = 1.0 / (x * x)
    return shift + (1.0 + 0.5 / x + y * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y / 30.0)))) / x
