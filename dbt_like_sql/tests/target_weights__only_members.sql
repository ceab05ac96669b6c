-- Funds that get a weight although the universe did not admit them that session.
select w.strategy, w.session, w.ticker, w.weight
from target_weights as w
left join universe_membership as m
    on m.ticker = w.ticker and m.session = w.session
where w.ticker <> 'CASH' and w.weight > 0 and coalesce(m.member, false) = false
