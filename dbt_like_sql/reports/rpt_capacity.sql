-- What a portfolio of each size would have kept after costs, and how much of a session's trading its orders would have been.
select
    strategy,
    portfolio_value,
    cagr,
    sharpe,
    1e4 * cost           as cost_bps,
    1e4 * impact         as impact_bps,
    cost_share,
    excess_cagr,
    participation_50,
    participation_95,
    participation_max,
    is_extrapolated
from capacity
