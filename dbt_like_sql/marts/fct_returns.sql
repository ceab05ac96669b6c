-- Total return per session and the forward index that grows from it: 1 at a ticker's first close, never changed by what comes later.
-- The dividend is in the session's own share basis, so the split multiplies both: split * (close + dividend) / previous close - 1.
with steps as (
    select
        session,
        ticker,
        open,
        close,
        dividend,
        split_ratio,
        lag(close) over by_ticker    as previous_close,
        lag(session) over by_ticker  as previous_session
    from fct_prices
    window by_ticker as (partition by ticker order by session)
),
growth as (
    select
        *,
        split_ratio * (close + dividend) / previous_close  as growth_close,
        split_ratio * (open + dividend) / previous_close   as growth_open
    from steps
),
indexed as (
    select
        *,
        exp(sum(ln(coalesce(growth_close, 1))) over (partition by ticker order by session rows unbounded preceding)) as index_close
    from growth
)
select
    session,
    ticker,
    growth_close - 1                                   as total_return,
    growth_open - 1                                    as open_return,
    index_close,
    index_close * (open + dividend) / (close + dividend) as index_open,
    date_diff('day', previous_session, session)        as gap_days
from indexed
