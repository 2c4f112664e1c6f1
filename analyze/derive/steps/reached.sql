-- One row per thing that is reached, and port of a load balancer, with the fewest steps from the internet. From things in
-- a network the way goes on to what they can connect to, twice (`aside`); the internet and load balancers come before.
with recursive reach as (
    select distinct to_arn as arn, case when kind = 'balancer' then from_port end as port, step, 0 as aside, coalesce(open and coalesce(from_open, true), false) as open
    from entered
    union
    (
        select b.target_arn, null, r.step + 1, r.aside, coalesce(r.open and w.open, false)
        from reach as r
        join balancer_targets as b on b.load_balancer_arn = r.arn and (b.port = r.port or r.port is null or b.port is null)
        join served_ways as w on w.load_balancer_arn = b.load_balancer_arn and w.target_arn = b.target_arn and w.protocol = b.protocol and w.target_port is not distinct from b.target_port
        where r.step < 8
        union all
        select distinct t.arn, t.port, w.step + 1, w.aside + 1, w.open
        from (
            select w.region, w.group_id, w.subnet_id, w.protocol, w.from_port, w.to_port, s.aside, min(s.step) as step, bool_or(coalesce(s.open and w.open, false)) as open
            from (
                select f.region, f.subnet_id, f.group_id, f.fleet, r.aside, min(r.step) as step, bool_or(r.open) as open
                from reach as r
                join fleets as f on f.arn = r.arn
                where r.aside < 2 and f.kind in ('instance', 'interface', 'service', 'function')
                group by f.region, f.subnet_id, f.group_id, f.fleet, r.aside
            ) as s
            join ways as w on w.region = s.region and w.from_subnet_id = s.subnet_id and w.from_group_id = s.group_id and w.fleet = s.fleet
            group by w.region, w.group_id, w.subnet_id, w.protocol, w.from_port, w.to_port, s.aside
        ) as w
        join targets as t on t.region = w.region and t.group_id = w.group_id and t.subnet_id = w.subnet_id
        where t.kind not in ('database', 'cache') and (t.any_port or t.port is null or t.protocol = w.protocol and t.port between w.from_port and w.to_port)
    )
)
select arn, port, min(step) as step, min(aside) as aside, bool_or(open) as open
from reach
group by arn, port
