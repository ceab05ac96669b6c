-- What each strategy decided over time: how often it was asked, traded or stayed, what staying saved, and what it gave up.
select
    strategy,
    min(session)                                                         as first_session,
    max(session)                                                         as last_session,
    count(*)                                                             as decisions,
    count(*) filter (where verdict in ('first', 'trade'))                as trades,
    count(*) filter (where verdict = 'forced')                           as forced,
    count(*) filter (where verdict = 'hold_band')                        as held_by_band,
    count(*) filter (where verdict = 'hold_cost')                        as held_by_cost,
    count(*) filter (where verdict = 'hold_fallback')                    as held_unsolved,
    sum(turnover)                                                        as turnover,
    sum(turnover_saved)                                                  as turnover_saved,
    sum(case when traded then cost else 0 end)                           as cost,
    sum(cost_saved)                                                      as cost_saved,
    median(gain) filter (where verdict not in ('first'))                 as median_gain,
    median(hurdle) filter (where verdict not in ('first'))               as median_hurdle,
    sum(case when traded then 0 else gain end)                           as gain_forgone,
    arg_max(verdict, session)                                            as newest_verdict,
    arg_max(breach, session)                                             as newest_breach
from rebalance_decisions
group by strategy
