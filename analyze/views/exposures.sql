-- One row per resource that the internet reaches, or may reach, by itself: `exposed` is null where that is not known. How it
-- is reached is a matter of `reachability` alone.
select
    account_id, region, to_arn as arn,
    case when bool_or(coalesce(open, false)) then true end as exposed,
    string_agg(distinct detail, ', ' order by detail) filter (where open) as exposure
from reachability
where from_arn = 'internet'
group by account_id, region, to_arn
