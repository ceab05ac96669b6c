-- Corporate actions that take effect: staging less the quarantine.
-- An action is judged by the session of its ex-date; whoever reads the history as of an instant sees the row from then on.
select
    a.ticker,
    a.ex_date,
    a.kind,
    a.value,
    a.pay_date,
    a.successor,
    a.currency,
    a.available_at,
    a.value_known_at,
    greatest(a.available_at, cast(a.ex_date as timestamptz))  as judged_at,
    a.source,
    a.source_row
from stg_actions as a
anti join quarantine as q
    on q.dataset = 'stg_actions' and q.source = a.source and q.source_row = a.source_row
