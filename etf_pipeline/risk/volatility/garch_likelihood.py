"""Numba kernels of the GARCH(1,1) and GJR-GARCH with Student-t or normal errors: log-likelihood, scores, information.

The variance of the next session is ``h' = omega + a e^2 + beta h``, where *a* is `alpha` after a rise and `fall` after a
fall; the symmetric model is the one with ``fall = alpha``, and ``gamma = fall - alpha`` is that of GJR. Everything is in the
units of the given returns. With ``q_t = (nu - 2) h_t + e_t^2`` one observation's log-likelihood is

    lgamma((nu + 1) / 2) - lgamma(nu / 2) - log(pi) / 2 + nu / 2 log(nu - 2) + nu / 2 log h_t - (nu + 1) / 2 log q_t

so that the sums need no logarithm per session: products of `FACTORS` terms are turned into logarithms together. Normal errors
are those with an infinite `nu`: there it is ``-(log(2 pi) + log h_t + e_t^2 / h_t) / 2``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats

MU, OMEGA, ALPHA, BETA, NU, FALL = range(6)
"""Positions of the parameters in a vector `theta`."""
SIZE = 6

CHUNK = 256
"""Sessions whose derivatives are kept at a time: they stay in the first-level cache."""
FACTORS = 32
"""Factors per logarithm. In units of the sample's deviation h is in 1e-8..n, so 32 factors stay inside double range."""

LOG_2_PI = math.log(2.0 * math.pi)

LANES = CHUNK // FACTORS
"""Products that grow side by side over a chunk."""

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
        Mean and degrees of freedom; an infinite `nu` means normal errors.
    variance : ndarray of shape (4, n_equations)
        Rows omega, alpha, beta, fall.
    backcast : float
        Variance before the sample.

    Returns
    -------
    ndarray of shape (n_equations,)
        [nats]
    """
    omega, beta = variance[0].copy(), variance[2].copy()
    rise, fall = variance[1].copy(), variance[3].copy()
    normal = math.isinf(nu)
    share = 1.0 if normal else nu - 2.0
    h = omega + (0.5 * (rise + fall) + beta) * backcast
    log_h, log_q, product_h, product_q = np.zeros_like(h), np.zeros_like(h), np.ones_like(h), np.ones_like(h)
    for start in range(0, len(returns), FACTORS):
        for t in range(start, min(start + FACTORS, len(returns))):
            e = returns[t] - mu
            squared = e * e
            news = fall if e < 0.0 else rise
            if normal:
                for k in range(len(h)):
                    log_q[k] += squared / h[k]
                    product_h[k] *= h[k]
                    h[k] = omega[k] + news[k] * squared + beta[k] * h[k]
            else:
                for k in range(len(h)):
                    product_h[k] *= h[k]
                    product_q[k] *= share * h[k] + squared
                    h[k] = omega[k] + news[k] * squared + beta[k] * h[k]
        for k in range(len(h)):
            log_h[k] += math.log(product_h[k])
            log_q[k] += math.log(product_q[k])
            product_h[k], product_q[k] = 1.0, 1.0
    n = len(returns)
    values: Floats = -0.5 * (n * LOG_2_PI + log_h + log_q)
    if not normal:
        values = n * _constant(nu) + 0.5 * nu * log_h - 0.5 * (nu + 1.0) * log_q
    return values


@njit(cache=True)
def scores(returns: Floats, theta: Floats, backcast: float, asymmetric: bool, gradient: Floats, information: Floats) -> float:
    """Log-likelihood, with its gradient and the expected information in ``(mu, omega, alpha, beta, 1 / nu, fall)``.

    Notes
    -----
    Exact first derivatives by recursion [1]_. The information is the expected one of a t density with unit variance; its
    terms between the mean and the rest vanish by symmetry (they are left out for GJR too: a step needs no more). The
    reciprocal of nu makes the normal an ordinary point. In the symmetric model the slope in alpha is that with ``fall = alpha``,
    and there is none in `fall`; with normal errors there is none in nu.

    The recursion is sequential and runs first over a chunk of sessions; the sums over that chunk then vectorise.

    References
    ----------
    .. [1] G. Fiorentini, G. Calzolari and L. Panattoni, "Analytic derivatives and the computation of GARCH estimates,"
       Journal of Applied Econometrics 11, 1996.
    """
    n, nu = len(returns), theta[NU]
    eta = 1.0 / nu
    persistence = 0.5 * (theta[ALPHA] + theta[FALL]) + theta[BETA]
    news = 0.5 * backcast if asymmetric else backcast
    state = np.array([theta[OMEGA] + persistence * backcast, 0.0, 1.0, news, backcast, 0.5 * backcast])
    rows, sums, more = np.empty((7, CHUNK)), np.zeros(19), np.zeros(6)
    for start in range(0, n, CHUNK):
        m = min(CHUNK, n - start)
        _differentiate(returns[start : start + m], theta, asymmetric, state, rows)
        e, h = rows[0, :m], rows[1, :m]
        _add_logarithms(e, h, nu, sums)
        _add_sums(e, h, rows[2, :m], rows[3, :m], rows[4, :m], rows[5, :m], eta, sums)
        if asymmetric:
            _add_fall_sums(e, h, rows[3, :m], rows[4, :m], rows[5, :m], rows[6, :m], eta, more)
    _fill_information(sums, more, n, eta, information)
    gradient[:NU], gradient[FALL] = sums[4:8], more[0]
    gradient[NU] = 0.0
    if eta == 0.0:
        of_normal: float = -0.5 * (n * (LOG_2_PI + 1.0) + sums[0]) - sums[18]
        return of_normal
    gradient[NU] = -nu * nu * (n * _constant_slope(nu) + 0.5 * (sums[0] - sums[1]) - 0.5 * sums[3])
    value: float = n * _constant(nu) + 0.5 * nu * sums[0] - 0.5 * (nu + 1.0) * sums[1]
    return value


@njit(cache=True)
def _fill_information(sums: Floats, more: Floats, n: int, eta: float, information: Floats) -> None:
    of_h, of_h_eta, of_eta = _unit_information(eta)
    information[:] = 0.0
    information[MU, MU] = of_h * sums[8] + (1.0 + eta) / ((1.0 - 2.0 * eta) * (1.0 + 3.0 * eta)) * sums[2]
    information[1, 1:4], information[2, 2:4], information[3, 3] = sums[12:15], sums[15:17], sums[17]
    information[1:4, FALL], information[FALL, FALL] = more[2:5], more[5]
    for i in range(SIZE):
        for j in range(i):
            information[i, j] = information[j, i]
    information[1:, 1:] *= of_h
    information[NU, 1:4], information[NU, FALL], information[NU, NU] = of_h_eta * sums[9:12], of_h_eta * more[1], n * of_eta
    information[:NU, NU], information[FALL, NU] = information[NU, :NU], information[NU, FALL]


@vectorised
def _differentiate(returns: Floats, theta: Floats, asymmetric: bool, state: Floats, rows: Floats) -> None:
    """Rows: e, h and the derivatives of h in mu, omega, alpha, beta, fall; `state` goes on to the next chunk."""
    mu, omega, alpha, beta, _, fall = theta
    h, d_mu, d_omega, d_alpha, d_beta, d_fall = state
    for t in range(len(returns)):
        e = returns[t] - mu
        rows[0, t], rows[1, t] = e, h
        rows[2, t], rows[3, t], rows[4, t], rows[5, t] = d_mu, d_omega, d_alpha, d_beta
        squared = e * e
        news = fall if e < 0.0 else alpha
        if asymmetric:
            rows[6, t] = d_fall
            d_fall = beta * d_fall + (squared if e < 0.0 else 0.0)
            d_alpha = beta * d_alpha + (0.0 if e < 0.0 else squared)
        else:
            d_alpha = squared + beta * d_alpha
        d_mu = beta * d_mu - 2.0 * news * e
        d_omega = 1.0 + beta * d_omega
        d_beta = h + beta * d_beta
        h = omega + news * squared + beta * h
    state[:] = (h, d_mu, d_omega, d_alpha, d_beta, d_fall)


@vectorised
def _add_sums(
    e: Floats, h: Floats, d_mu: Floats, d_omega: Floats, d_alpha: Floats, d_beta: Floats, eta: float, sums: Floats
) -> None:
    """Add a chunk to sums 2-18: 1 / h, (nu + 1) h / q, the gradient, relative slopes of h once and times each other, weights."""
    of_h, of_square = (1.0 - 2.0 * eta) / (1.0 + eta), eta / (1.0 + eta)
    per_h, ratio, weights = 0.0, 0.0, 0.0
    g_mu, g_omega, g_alpha, g_beta = 0.0, 0.0, 0.0, 0.0
    mm, o, a, b = 0.0, 0.0, 0.0, 0.0
    oo, oa, ob, aa, ab, bb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(len(e)):
        squared = e[t] * e[t]
        q = of_h * h[t] + of_square * squared  # q / (nu + 1), which for the normal is h
        inverse = 1.0 / (h[t] * q)
        over_h, over_q = inverse * q, inverse * h[t]
        weight = 0.5 * (squared * over_q - 1.0)  # h times the slope of the log-likelihood in h
        r_mu, r_omega, r_alpha, r_beta = d_mu[t] * over_h, d_omega[t] * over_h, d_alpha[t] * over_h, d_beta[t] * over_h
        per_h += over_h
        ratio += h[t] * over_q
        weights += weight
        g_mu += weight * r_mu + e[t] * over_q
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
    for k, value in enumerate((per_h, ratio, g_mu, g_omega, g_alpha, g_beta, mm, o, a, b, oo, oa, ob, aa, ab, bb, weights)):
        sums[2 + k] += value


@vectorised
def _add_fall_sums(
    e: Floats, h: Floats, d_omega: Floats, d_alpha: Floats, d_beta: Floats, d_fall: Floats, eta: float, sums: Floats
) -> None:
    """Add a chunk to what GJR needs besides: the gradient in `fall`, its relative slope, and that times the others and itself."""
    of_h, of_square = (1.0 - 2.0 * eta) / (1.0 + eta), eta / (1.0 + eta)
    g, f, fo, fa, fb, ff = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(len(e)):
        squared, over_h = e[t] * e[t], 1.0 / h[t]
        weight = 0.5 * (squared / (of_h * h[t] + of_square * squared) - 1.0)
        r_fall = d_fall[t] * over_h
        g += weight * r_fall
        f += r_fall
        fo += r_fall * d_omega[t] * over_h
        fa += r_fall * d_alpha[t] * over_h
        fb += r_fall * d_beta[t] * over_h
        ff += r_fall * r_fall
    for k, value in enumerate((g, f, fo, fa, fb, ff)):
        sums[k] += value


@vectorised
def _add_logarithms(e: Floats, h: Floats, nu: float, sums: Floats) -> None:
    """Add a chunk to sums 0 and 1: the logarithms of h and, for a finite nu, of q; products grow in lanes side by side."""
    normal = math.isinf(nu)
    share = 0.0 if normal else nu - 2.0
    product_h, product_q = np.ones(LANES), np.ones(LANES)
    whole = len(e) // LANES
    for block in range(whole):
        for k in range(LANES):
            t = block * LANES + k
            product_h[k] *= h[t]
            product_q[k] *= share * h[t] + e[t] * e[t]
    for t in range(whole * LANES, len(e)):
        sums[0] += math.log(h[t])
        if not normal:
            sums[1] += math.log(share * h[t] + e[t] * e[t])
    for k in range(LANES):
        sums[0] += math.log(product_h[k])
        if not normal:
            sums[1] += math.log(product_q[k])


@njit(cache=True)
def _constant(nu: float) -> float:
    return math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(math.pi) + 0.5 * nu * math.log(nu - 2.0)


@njit(cache=True)
def _constant_slope(nu: float) -> float:
    gammas = 0.5 * (_digamma(0.5 * (nu + 1.0)) - _digamma(0.5 * nu))
    return gammas + 0.5 * math.log(nu - 2.0) + 0.5 * nu / (nu - 2.0)


@njit(cache=True)
def _unit_information(eta: float) -> tuple[float, float, float]:
    """Expected information of one observation in (h / h, 1 / nu): by the chain rule from the t's log-scale and nu."""
    if eta == 0.0:
        return 0.5, 0.0, 1.0
    nu = 1.0 / eta
    scale, cross = 2.0 * nu / (nu + 3.0), -2.0 / ((nu + 1.0) * (nu + 3.0))
    own = _trigamma(0.5 * nu) - _trigamma(0.5 * (nu + 1.0)) - 2.0 * (nu + 5.0) / (nu * (nu + 1.0) * (nu + 3.0))
    slope = 1.0 / (nu * (nu - 2.0))  # of the log-scale in nu, at constant variance
    of_h_nu, of_nu = 0.5 * (slope * scale + cross), 0.25 * own + 2.0 * slope * cross + slope * slope * scale
    return 0.25 * scale, -nu * nu * of_h_nu, nu**4 * of_nu


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
