-- What was tried, the newest first, and whether it counts among the trials by which the best record is deflated.
select
    trial_id,
    kind,
    name,
    kind <> 'manual' and same_as is null  as counted,
    same_as,
    first_seen,
    first_run,
    data_version,
    n_obs,
    metric,
    value,
    sharpe_annual,
    configuration
from trial_ledger
