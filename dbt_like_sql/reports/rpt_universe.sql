-- Funds by membership reason at each month's last session.
select m.session, m.reason, count(*) as funds
from universe_membership as m
semi join raw_sessions as s
    on s.session = m.session and s.is_main and s.is_month_end
group by m.session, m.reason
