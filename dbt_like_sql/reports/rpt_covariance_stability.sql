-- One row per covariance estimator: how well conditioned and how steady, and whether the months that followed bear it out.
-- Volatilities are geometric means with 95 % intervals; a change is against the sample covariance in the same months.
with figures as (
    select
        estimator,
        count(*)                                                             as n_months,
        min(session)                                                         as first_session,
        max(session)                                                         as last_session,
        avg(n_assets)                                                        as mean_assets,
        avg(shrinkage)                                                       as mean_shrinkage,
        avg(cast(repaired as integer))                                       as repaired_share,
        median(condition_number)                                             as median_condition_number,
        median(effective_rank)                                               as median_effective_rank,
        median(first_share)                                                  as median_first_share,
        avg(abs(first_share_change))                                         as mean_first_share_change,
        median(leading_angle)                                                as median_leading_angle,
        median(gross_exposure)                                               as median_gross_exposure,
        median(min_variance_volatility / nullif(expected_volatility, 0))     as median_realised_over_expected
    from covariance_stability
    group by estimator
),
outcomes as (
    select
        estimator,
        measure,
        mean,
        ci_low,
        ci_high,
        case when measure = 'log_likelihood' then difference else exp(difference) - 1 end            as change,
        case when measure = 'log_likelihood' then difference_low else exp(difference_low) - 1 end    as change_low,
        case when measure = 'log_likelihood' then difference_high else exp(difference_high) - 1 end  as change_high,
        p_holm,
        verdict
    from covariance_tests
)
select
    f.*,
    v.mean         as min_variance_volatility,
    v.ci_low       as min_variance_low,
    v.ci_high      as min_variance_high,
    v.change       as min_variance_change,
    v.change_low   as min_variance_change_low,
    v.change_high  as min_variance_change_high,
    v.p_holm       as min_variance_p_holm,
    v.verdict      as min_variance_verdict,
    b.mean         as balanced_volatility,
    b.ci_low       as balanced_low,
    b.ci_high      as balanced_high,
    b.change       as balanced_change,
    b.p_holm       as balanced_p_holm,
    b.verdict      as balanced_verdict,
    l.mean         as log_likelihood,
    l.ci_low       as log_likelihood_low,
    l.ci_high      as log_likelihood_high,
    l.change       as log_likelihood_change,
    l.p_holm       as log_likelihood_p_holm,
    l.verdict      as log_likelihood_verdict
from figures as f
join outcomes as v
    on v.estimator = f.estimator and v.measure = 'min_variance_volatility'
join outcomes as b
    on b.estimator = f.estimator and b.measure = 'balanced_volatility'
join outcomes as l
    on l.estimator = f.estimator and l.measure = 'log_likelihood'
