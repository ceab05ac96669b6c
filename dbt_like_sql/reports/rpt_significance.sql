-- Every test that was looked at, those that overlap breaks among them, beside what the plain t test would have said.
select
    s.subject,
    s.test,
    s.horizon,
    s.estimate,
    s.statistic,
    s.p_value,
    s.p_adjusted,
    s.p_false_discovery,
    s.n,
    s.n_effective,
    s.valid,
    s.decision,
    s.valid and s.p_value < 0.05 and s.decision <> 'significant'  as lost_by_correction,
    s.note
from significance_tests as s
