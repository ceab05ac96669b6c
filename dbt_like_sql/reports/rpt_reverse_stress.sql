-- What would have to happen for each strategy to lose so much: the likeliest move of the factors, in one row.
select
    strategy,
    loss,
    any_value(horizon)                                  as horizon,
    max(case when factor = 'equity' then shock end)     as equity,
    max(case when factor = 'rates' then shock end)      as yield_change,
    max(case when factor = 'credit' then shock end)     as spread_change,
    max(case when factor = 'commodity' then shock end)  as commodity,
    max(case when factor = 'gold' then shock end)       as gold,
    any_value(distance)                                 as distance,
    any_value(probability)                              as probability,
    any_value(horizon) / (252 * nullif(any_value(probability), 0))  as one_in_years,
    arg_min(factor, contribution)                       as main_factor
from reverse_stress
group by strategy, loss
