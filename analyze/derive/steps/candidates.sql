-- Fleets from which a path may go on, before it is known whether one leads there: what the internet reaches or a load
-- balancer sends to, and what rules let those connect to.
with first as (
    select f.fleet, f.region, f.subnet_id, f.group_ids
    from fleets as f
    where f.kind in ('balancer', 'function')
        or f.arn in (select to_arn from internet_paths)
        or f.arn in (select target_arn from balancer_targets)
),
places as (
    select distinct fleet, region, subnet_id, unnest(group_ids) as group_id
    from fleets
    where kind in ('instance', 'interface', 'service')
),
next as (
    select distinct t.fleet
    from (
        select distinct o.region, o.group_id, o.subnet_id
        from inner_openings as o
        join (select distinct region, subnet_id, unnest(group_ids) as group_id from first) as s
            on s.region = o.region and s.subnet_id = o.from_subnet_id and s.group_id = o.from_group_id
        union
        select distinct o.region, o.group_id, o.subnet_id
        from inner_openings as o
        join (select distinct region, subnet_id from first) as s on s.region = o.region and s.subnet_id = o.from_subnet_id
        where o.from_group_id is null
    ) as o
    join places as t on t.region = o.region and t.subnet_id = o.subnet_id and t.group_id = o.group_id
)
select fleet from first
union
select fleet from next
