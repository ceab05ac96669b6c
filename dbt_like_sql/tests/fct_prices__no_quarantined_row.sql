-- Clean bars that are no accepted row of staging: their row was refused, or they are none at all.
with accepted as (
    select s.ticker, s.session, s.close, s.volume
    from stg_prices as s
    anti join quarantine as q
        on q.dataset = 'stg_prices' and q.source = s.source and q.source_row = s.source_row
)
select p.ticker, p.session
from fct_prices as p
anti join accepted as a
    on a.ticker = p.ticker and a.session = p.session and a.close = p.close and a.volume = p.volume
