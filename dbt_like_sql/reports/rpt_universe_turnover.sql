-- Members at each month's last session, who entered and left since the one before, and why.
-- Whoever entered is counted under what kept it out before, whoever left under what keeps it out now; `no_bar` where it had none.
with ends as (
    select session, lag(session) over (order by session) as previous_session
    from (
        select distinct m.session
        from universe_membership as m
        semi join raw_sessions as s
            on s.session = m.session and s.is_main and s.is_month_end
    )
),
rows_now as (
    select e.session, m.ticker, m.member, m.reason
    from ends as e
    join universe_membership as m
        on m.session = e.session
),
rows_before as (
    select e.session, m.ticker, m.member, m.reason
    from ends as e
    join universe_membership as m
        on m.session = e.previous_session
),
moves as (
    select
        coalesce(n.session, b.session)    as session,
        coalesce(n.member, false)         as member,
        coalesce(b.member, false)         as was_member,
        coalesce(n.reason, 'no_bar')      as reason_now,
        coalesce(b.reason, 'no_bar')      as reason_before
    from rows_now as n
    full join rows_before as b
        on b.session = n.session and b.ticker = n.ticker
),
totals as (
    select
        session,
        count(*) filter (where member)                     as members,
        count(*) filter (where was_member)                 as previous_members,
        count(*) filter (where member and not was_member)  as entered,
        count(*) filter (where was_member and not member)  as "left"
    from moves
    group by session
),
by_reason as (
    select
        session,
        case when member then reason_before else reason_now end  as reason,
        count(*) filter (where member)                           as entered,
        count(*) filter (where was_member)                       as "left"
    from moves
    where member <> was_member
    group by session, case when member then reason_before else reason_now end
),
listed as (
    select session, 'all' as reason, entered, "left"
    from totals
    union all
    select session, reason, entered, "left"
    from by_reason
)
select
    cast(date_trunc('month', l.session) as date)  as month,
    l.session,
    l.reason,
    t.members,
    l.entered,
    l."left",
    (l.entered + l."left") / nullif(t.members + t.previous_members, 0)  as share
from listed as l
join totals as t
    on t.session = l.session
