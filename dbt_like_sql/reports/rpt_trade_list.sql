-- What to trade after each portfolio's newest decision: from real or model holdings to target, with price, cost and reason.
with newest as (
    select strategy, max(session) as session
    from rebalance_decisions
    group by strategy
),
closes as (
    select p.ticker, n.session, max(p.session) as priced_on
    from fct_prices as p
    join (select distinct session from newest) as n
        on p.session <= n.session
    group by p.ticker, n.session
),
stated as (
    select h.strategy, max(h.as_of) as as_of
    from fct_holdings as h
    join newest as n
        on n.strategy = h.strategy and h.as_of <= n.session
    group by h.strategy
)
select
    w.strategy,
    w.ticker,
    w.session,
    e.traded_ticker,
    case when w.weight > w.previous_weight then 'buy' else 'sell' end                     as side,
    case
        when d.verdict = 'forced' and w.weight < w.previous_weight then 'the holdings could not stay: ' || d.breach
        when w.previous_weight = 0 then 'new holding'
        when w.weight = 0 then 'no longer wanted'
        when w.weight > w.previous_weight then 'more of it'
        else 'less of it'
    end                                                                                   as reason,
    case when s.as_of is null then 'model' else 'stated' end                              as holdings,
    s.as_of                                                                               as stated_on,
    w.previous_weight,
    w.weight,
    p.close                                                                               as price,
    c.priced_on,
    w.previous_weight * d.portfolio_value * d.fx_rate / p.close                           as shares_before,
    w.weight * d.portfolio_value * d.fx_rate / p.close                                    as shares_after,
    (w.weight - w.previous_weight) * d.portfolio_value * d.fx_rate / p.close              as shares,
    (w.weight - w.previous_weight) * d.portfolio_value                                    as trade_value,
    w.cost * d.portfolio_value                                                            as cost_value,
    d.base_currency,
    d.verdict
from target_weights as w
join newest as n
    on n.strategy = w.strategy and n.session = w.session
join rebalance_decisions as d
    on d.strategy = w.strategy and d.session = w.session
left join dim_etf as e
    on e.ticker = w.ticker
left join closes as c
    on c.ticker = w.ticker and c.session = w.session
left join fct_prices as p
    on p.ticker = c.ticker and p.session = c.priced_on
left join stated as s
    on s.strategy = w.strategy
where d.traded and w.ticker <> 'CASH' and abs(w.weight - w.previous_weight) > 1e-9
