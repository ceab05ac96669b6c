-- Corporate actions under the permanent names of their funds.
-- A rename that leaves the fund the same fund changes nothing that is held: the ticker history tells it, and it is no action.
with named as (
    select
        coalesce(h.ticker, upper(trim(a.ticker)))     as ticker,
        cast(a.ex_date as date)                       as ex_date,
        a.kind,
        a.value,
        cast(a.pay_date as date)                      as pay_date,
        coalesce(s.ticker, upper(trim(a.successor)))  as successor,
        upper(a.currency)                             as currency,
        a.available_at,
        a.value_known_at,
        a.source,
        a.source_row
    from raw_actions as a
    left join stg_ticker_history as h
        on h.traded_ticker = upper(trim(a.ticker)) and a.ex_date between h.valid_from and h.valid_to
    -- the successor is whoever has the ticker in the next session, after a weekend or a closed week at most
    left join stg_ticker_history as s
        on s.traded_ticker = upper(trim(a.successor)) and s.valid_from <= a.ex_date + 7 and s.valid_to > a.ex_date
)
select ticker, ex_date, kind, value, pay_date, successor, currency, available_at, value_known_at, source, source_row
from named
where kind <> 'rename' or successor is distinct from ticker
