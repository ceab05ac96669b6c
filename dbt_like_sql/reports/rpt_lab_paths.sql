-- Combinatorial paths: how far each figure depends on which history one happened to see. One row per model and figure.
select
    model,
    horizon,
    metric,
    count(*)                    as paths,
    min(value)                  as lowest,
    quantile_cont(value, 0.25)  as lower_quartile,
    median(value)               as middle,
    quantile_cont(value, 0.75)  as upper_quartile,
    max(value)                  as highest
from lab_paths
group by model, horizon, metric
