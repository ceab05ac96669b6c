-- Scores that are not the sum of their parts.
select
    session,
    ticker,
    score,
    forecast_part + momentum_part + risk_part + liquidity_part + cost_part + macro_part + geo_part  as total
from scores
where not abs(forecast_part + momentum_part + risk_part + liquidity_part + cost_part + macro_part + geo_part - score) <= 1e-12
