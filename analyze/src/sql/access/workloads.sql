-- Resources that run as a role. An instance runs as the role of its profile.
with runs as (
    select r.from_arn as arn, coalesce(p.to_arn, r.to_arn) as role_arn
    from relationships as r
    left join relationships as p on p.kind = 'runs_as' and p.from_arn = r.to_arn
    where r.kind = 'runs_as'
)
select distinct s.account_id, s.region, s.arn, s.resource_type, r.role_arn
from runs as r
join resources as s on s.arn = r.arn
where r.role_arn is not null and s.account_id is not null
order by all
