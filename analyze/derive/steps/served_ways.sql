-- One row per load balancer and thing registered behind it that it can connect to: `open` is null where that is not known.
-- A network load balancer may hand on the address of the client; then the thing must let in the internet itself.
with behind as (
    select distinct account_id, region, load_balancer_arn, type, target_type, target_arn, protocol, target_port, why
    from balancer_targets
),
connected as (
    select
        b.load_balancer_arn, b.target_arn, b.protocol, b.target_port,
        bool_or(coalesce(l.open, false)) as open, arg_min(l.why, l.why) as why, min(l.group_arn) as group_arn, min(l.network_acl_arn) as network_acl_arn
    from behind as b
    join fleets as s on s.arn = b.load_balancer_arn
    join fleets as t on t.arn = b.target_arn
    join ways as l
        on l.region = s.region and l.from_subnet_id = s.subnet_id and l.from_group_id = s.group_id and l.fleet = s.fleet
        and l.subnet_id = t.subnet_id and l.group_id = t.group_id and l.protocol = b.protocol and b.target_port between l.from_port and l.to_port
    group by b.load_balancer_arn, b.target_arn, b.protocol, b.target_port
),
unread as (
    select distinct m.arn
    from (select arn, region, group_id from fleets where kind <> 'balancer' and group_id <> '') as m
    left join (
        select region, group_id, bool_and(coalesce(json_type(ip_permissions) = 'ARRAY', false)) as is_read
        from aws_ec2_security_group
        group by region, group_id
    ) as g on g.region = m.region and g.group_id = m.group_id
    where g.is_read is distinct from true
),
open_to_all as (
    select b.load_balancer_arn, b.target_arn, b.protocol, b.target_port, min(o.arn) as group_arn
    from behind as b
    join fleets as t on t.arn = b.target_arn
    join world_openings as o on o.region = t.region and o.group_id = t.group_id and o.protocol = b.protocol and b.target_port between o.from_port and o.to_port and not o.unread
    where b.type = 'network' and b.target_type in ('instance', 'ip')
    group by b.load_balancer_arn, b.target_arn, b.protocol, b.target_port
),
placed as (
    select distinct arn
    from fleets
)
select
    b.account_id, b.region, b.load_balancer_arn, b.target_arn, b.target_type, b.protocol, b.target_port,
    coalesce(c.group_arn, o.group_arn) as group_arn, c.network_acl_arn,
    case
        when b.why is not null then null
        when b.target_type = 'lambda' then true
        when c.open and b.type = 'network' and b.target_type = 'instance' and o.target_arn is null then null
        when c.open then true
        when c.target_arn is not null then null
        when o.target_arn is not null then null
    end as open,
    case
        when b.why is not null then b.why
        when b.target_type = 'lambda' then null
        when c.open and b.type = 'network' and b.target_type = 'instance' and o.target_arn is null then 'whether it hands on the address of the client is not in the run'
        when c.open then null
        when c.target_arn is not null then c.why
        when o.target_arn is not null then 'whether it hands on the address of the client is not in the run'
        when p.arn is null then 'where it lies in the network is not in the run'
        else 'the security groups of the target are not in the run'
    end as why
from behind as b
left join connected as c on c.load_balancer_arn = b.load_balancer_arn and c.target_arn = b.target_arn and c.protocol = b.protocol and c.target_port is not distinct from b.target_port
left join open_to_all as o on o.load_balancer_arn = b.load_balancer_arn and o.target_arn = b.target_arn and o.protocol = b.protocol and o.target_port is not distinct from b.target_port
left join unread as u on u.arn = b.target_arn
left join placed as p on p.arn = b.target_arn
where b.why is not null or b.target_type = 'lambda' or c.target_arn is not null or o.target_arn is not null or u.arn is not null or p.arn is null
