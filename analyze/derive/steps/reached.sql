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
        select t.arn, t.port, f.step + 1, f.aside + 1, coalesce(f.open and l.open, false)
        from (
            select s.fleet, r.aside, min(r.step) as step, bool_or(r.open) as open
            from reach as r
            join fleets as s on s.arn = r.arn
            where r.aside < 2 and s.kind <> 'balancer'
            group by s.fleet, r.aside
        ) as f
        join fleet_links as l on l.from_fleet = f.fleet
        join targets as t on t.fleet = l.to_fleet and (t.any_port or t.port is null or t.protocol = l.protocol and t.port between l.from_port and l.to_port)
        where t.kind not in ('database', 'cache')
    )
)
select arn, port, min(step) as step, min(aside) as aside, bool_or(open) as open
from reach
group by arn, port
