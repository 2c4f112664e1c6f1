-- One row per port of a load balancer and thing registered behind it; `target_arn` is the target group where the thing is
-- not known, and `why` tells.
with listeners as (
    select account_id, region, arn as listener_arn, load_balancer_arn, port, unnest(target_group_arns) as target_group_arn
    from aws_elbv2_listener
    union
    select l.account_id, l.region, l.arn as listener_arn, l.load_balancer_arn, l.port, unnest(r.target_group_arns) as target_group_arn
    from aws_elbv2_listener_rule as r
    join aws_elbv2_listener as l on l.account_id = r.account_id and l.region = r.region and l.arn = r.listener_arn
),
-- Rules may have been denied; the target group names its load balancers itself.
forwards as (
    select *, null as why
    from listeners
    union all by name
    select g.account_id, g.region, l.arn as listener_arn, g.load_balancer_arn, l.port, g.arn as target_group_arn, 'which listener sends to ' || arn_tail(g.target_group_name) || ' is not in the run' as why
    from (select *, unnest(load_balancer_arns) as load_balancer_arn from aws_elbv2_target_group) as g
    join aws_elbv2_listener as l on l.account_id = g.account_id and l.region = g.region and l.arn is not null and l.load_balancer_arn = g.load_balancer_arn
    where not exists (select 1 from listeners as k where k.account_id = g.account_id and k.target_group_arn = g.arn and k.load_balancer_arn = g.load_balancer_arn)
),
registered as (
    select
        f.account_id, f.region, f.load_balancer_arn, f.listener_arn, f.port, f.why, g.arn as target_group_arn, g.target_type, g.vpc_id, b.type,
        case when g.protocol in ('UDP', 'QUIC') then 'udp' else 'tcp' end as protocol, g.port as group_port,
        unnest(case when g.targets is null then [null::json] else as_objects(g.targets) end) as target
    from forwards as f
    join aws_elbv2_target_group as g on g.account_id = f.account_id and g.region = f.region and g.arn = f.target_group_arn
    join aws_elbv2_load_balancer as b on b.account_id = f.account_id and b.region = f.region and b.arn = f.load_balancer_arn
),
named as (
    select
        * exclude (target, group_port),
        coalesce(target ->> '$.Target.Id', '') as target_id,
        coalesce(try_cast(target ->> '$.Target.Port' as integer), group_port) as target_port
    from registered
    where coalesce(target ->> '$.TargetHealth.State', '') <> 'draining'
),
addresses as (
    select region, vpc_id, private_ip, min(arn) as arn
    from network_places
    where private_ip is not null
    group by region, vpc_id, private_ip
),
services as (
    select account_id, region, min(arn) as arn, target_group_arn
    from (select account_id, region, arn, unnest(target_group_arns) as target_group_arn from aws_ecs_service)
    group by account_id, region, target_group_arn
),
resolved as (
    select
        n.*,
        case n.target_type
            when 'instance' then i.arn
            when 'ip' then coalesce(s.arn, a.arn)
            when 'lambda' then regexp_extract(n.target_id, '^arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]+')
            when 'alb' then nullif(n.target_id, '')
        end as thing_arn
    from named as n
    left join (select region, instance_id, min(arn) as arn from aws_ec2_instance group by region, instance_id) as i on i.region = n.region and i.instance_id = n.target_id
    left join services as s on s.account_id = n.account_id and s.region = n.region and s.target_group_arn = n.target_group_arn
    left join addresses as a on a.region = n.region and a.vpc_id = n.vpc_id and a.private_ip = n.target_id
)
select distinct
    account_id, region, load_balancer_arn, type, listener_arn, port, target_group_arn, target_type,
    coalesce(nullif(thing_arn, ''), target_group_arn) as target_arn, protocol, target_port,
    case
        when target_id = '' then 'what is registered in it is not in the run'
        when coalesce(thing_arn, '') = '' then target_id || ' is of nothing in the run'
        else why
    end as why
from resolved
union all by name
select
    b.account_id, b.region, b.arn as load_balancer_arn, 'classic' as type, try_cast(b.listener ->> '$.Listener.LoadBalancerPort' as integer) as port, 'instance' as target_type,
    coalesce(i.arn, 'arn:' || split_part(b.arn, ':', 2) || ':ec2:' || b.region || ':' || b.account_id || ':instance/' || b.instance_id) as target_arn, 'tcp' as protocol,
    try_cast(b.listener ->> '$.Listener.InstancePort' as integer) as target_port
from (select account_id, region, arn, unnest(instance_ids) as instance_id, listener from (select *, unnest(as_objects(listeners)) as listener from aws_elb_load_balancer)) as b
left join (select region, instance_id, min(arn) as arn from aws_ec2_instance group by region, instance_id) as i on i.region = b.region and i.instance_id = b.instance_id
