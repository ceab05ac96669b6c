-- Macro values shown before they were released.
select m.series, m.session, m.released_at, s.closes_at
from fct_macro as m
join raw_sessions as s
    on s.session = m.session and s.is_main
where m.released_at > s.closes_at
