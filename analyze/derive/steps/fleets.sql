-- One row per thing with network interfaces, and security group and subnet it is in; one more with an empty group, for
-- rules that name a range. Things in one subnet with the same groups are a fleet, which the network treats alike;
-- `fleet` is empty where the groups let everything out, so that only the others are asked what they let out.
with places as (
    select distinct
        account_id, region, arn, kind, subnet_id, subnets, any_port, coalesce(list_sort(security_group_ids), ['?']) as group_ids
    from network_places
    where subnet_id is not null and (answers is distinct from false or kind = 'function')
),
free as (
    select region, group_id
    from group_rules
    where egress and peer = '0.0.0.0/0' and from_port = 0 and to_port = 65535
    group by region, group_id
    having count(distinct protocol) = 2
),
restricted as (
    select region, group_ids
    from (select distinct region, group_ids from places)
    anti join (
        select distinct p.region, p.group_ids
        from (select region, group_ids, unnest(group_ids) as group_id from (select distinct region, group_ids from places)) as p
        join free as f on f.region = p.region and f.group_id = p.group_id
    ) as f using (region, group_ids)
    where len(group_ids) > 0
)
select
    p.* exclude (group_ids),
    case when r.region is not null then concat_ws(' ', p.region, p.subnet_id, array_to_string(p.group_ids, ',')) else '' end as fleet,
    unnest(list_append(p.group_ids, '')) as group_id
from places as p
left join restricted as r on r.region = p.region and r.group_ids = p.group_ids
