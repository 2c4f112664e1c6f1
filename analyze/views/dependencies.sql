-- One row per resource and other resource without which it could not do its work. Where something is placed or logged,
-- what watches it, and groups that cannot be deleted while they are used, are no dependencies.
with edges as (
    select from_arn, to_arn, kind, detail
    from relationships
    where from_arn is not null and to_arn is not null
        and (
            kind in ('targets', 'encrypted_with', 'runs_as', 'replica_of')
            or kind = 'uses' and coalesce(detail, '') not in ('subnet group', 'parameter group', 'permissions boundary')
            or kind = 'created_from' and (from_arn like '%:autoScalingGroup:%' or from_arn like '%:launch-template/%')
        )
        and not (from_arn like '%:cloudwatch:%' or from_arn like '%:route53:%')
    union all
    -- An instance needs its volumes.
    select to_arn, from_arn, kind, detail
    from relationships
    where kind = 'attached_to' and from_arn like '%:volume/%' and to_arn is not null
),
-- What a listener uses, its load balancer needs; what an instance profile runs as, the instance does.
lifted as (
    select m.to_arn as from_arn, e.to_arn, e.kind, e.detail
    from relationships as m
    join edges as e on e.from_arn = m.from_arn
    where m.kind = 'member_of' and m.from_arn like '%:listener/%' and m.to_arn is not null
    union all
    select p.from_arn, e.to_arn, e.kind, e.detail
    from edges as p
    join edges as e on e.from_arn = p.to_arn and e.kind = 'runs_as'
    where p.kind = 'runs_as' and p.to_arn like '%:instance-profile/%'
)
select distinct from_arn, to_arn, kind
from (select * from edges union all select * from lifted)
where from_arn <> to_arn
