-- Each fund's newest beta in all its forms, and what the tests say about it.
with newest as (
    select ticker, max(session) as session
    from betas
    group by ticker
),
conditional as (
    select c.*
    from conditional_betas as c
    join (select ticker, max(session) as session from conditional_betas group by ticker) as l
        on l.ticker = c.ticker and l.session = c.session
),
stability as (
    select s.*
    from beta_stability as s
    join (select ticker, max(session) as session from beta_stability group by ticker) as l
        on l.ticker = s.ticker and l.session = s.session
    where s.test = 'sup_f'
)
select
    b.ticker,
    b.session,
    e.name,
    e.asset_class,
    b.beta,
    b.beta_error_robust,
    b.r_squared,
    b.residual_volatility,
    b.n,
    b.beta_vasicek,
    b.beta_ewma,
    c.session        as tested,
    c.beta_calm,
    c.beta_stressed,
    c.p_holm         as conditional_p_holm,
    c.verdict        as conditional_verdict,
    s.break_session,
    s.beta_before,
    s.beta_after,
    s.p_holm         as stability_p_holm,
    s.verdict        as stability_verdict
from betas as b
join newest as n
    on n.ticker = b.ticker and n.session = b.session
left join dim_etf as e
    on e.ticker = b.ticker
left join conditional as c
    on c.ticker = b.ticker
left join stability as s
    on s.ticker = b.ticker
