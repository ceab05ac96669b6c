-- What was known of each fund's life, with the span of time in which nothing more was known.
select
    ticker,
    known_from,
    traded_ticker,
    inception,
    first_session,
    announced_at,
    last_session,
    fate,
    liquidation_value,
    pay_date,
    successor,
    ratio,
    basis,
    evidence,
    lead(known_from) over (partition by ticker order by known_from)          as known_to,
    lead(known_from) over (partition by ticker order by known_from) is null  as is_current
from lifecycle
