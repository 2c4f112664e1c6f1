/*
title = "Parts carry the tags of the whole"
severity = "low"
tables = ["aws_autoscaling_group", "aws_ec2_instance", "aws_ec2_volume", "aws_ec2_snapshot"]
remediation = "Let the group and the launch template hand their tags on to instances and volumes, and backups to snapshots; tag once by hand what exists."
links = ["https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html"]
*/
-- Names are each one's own; the other required tags are those of the whole.
with inherited as (
    select concept, key
    from config_required
    where concept <> 'name'
),
parts as (
    select v.account_id, v.region, v.arn, i.arn as whole_arn, v.whole_id, 'its instance ' as whole_kind
    from (select account_id, region, arn, list_min(instance_ids) as whole_id from aws_ec2_volume where len(instance_ids) > 0) as v
    left join aws_ec2_instance as i on i.account_id = v.account_id and i.region = v.region and i.instance_id = v.whole_id
    union all by name
    -- What a volume that is gone carried, nobody knows.
    select s.account_id, s.region, s.arn, v.arn as whole_arn, v.volume_id as whole_id, 'its volume ' as whole_kind
    from aws_ec2_snapshot as s
    join aws_ec2_volume as v on v.account_id = s.account_id and v.region = s.region and v.volume_id = s.volume_id
),
compared as (
    select
        p.*, part.missing_tags is null as part_unread, whole.missing_tags is null as whole_unread,
        list_filter(part.missing_tags, lambda k: not list_contains(whole.missing_tags, k) and list_contains(i.keys, k)) as lacks
    from parts as p
    cross join (select list(key) as keys from inherited) as i
    left join resource_context as part on part.account_id = p.account_id and part.arn = p.arn
    left join resource_context as whole on whole.account_id = p.account_id and whole.arn = p.whole_arn
),
-- Tags that a group keeps to itself, unless its launch template gives them to the instances all the same.
kept as (
    select g.account_id, g.arn, i.key, g.instance_ids, split_part(g.arn, ':', 2) as partition, g.region
    from (select account_id, region, arn, instance_ids, unnest(as_objects(tags_propagated)) as tag from aws_autoscaling_group) as g
    join config_tag_keys as k on folded(k.key) = folded(g.tag ->> '$.Key')
    join inherited as i on i.concept = k.concept
    where g.tag ->> '$.PropagateAtLaunch' = 'false'
),
carried as (
    select k.account_id, k.arn, k.key, bool_and(coalesce(not list_contains(c.missing_tags, k.key), false)) as on_all
    from (select * exclude (instance_ids), unnest(instance_ids) as instance_id from kept) as k
    left join resource_context as c
        on c.account_id = k.account_id and c.arn = concat('arn:', k.partition, ':ec2:', k.region, ':', k.account_id, ':instance/', k.instance_id)
    group by k.account_id, k.arn, k.key
),
withheld as (
    select k.account_id, k.arn, list(distinct k.key order by k.key) as keys
    from kept as k
    left join carried as c on c.account_id = k.account_id and c.arn = k.arn and c.key = k.key
    where c.on_all is distinct from true
    group by k.account_id, k.arn
)
select
    account_id,
    region,
    arn as resource_arn,
    case when not (part_unread or whole_unread) then len(lacks) > 0 end as failed,
    case
        when part_unread then 'its tags could not be read'
        when whole_unread then 'the tags of ' || whole_kind || whole_id || ' are not known'
        when len(lacks) > 0 then 'lacks ' || array_to_string(lacks, ', ') || ', which ' || whole_kind || whole_id || ' carries'
        else 'carries the tags of ' || whole_kind || whole_id
    end as reason,
    {'whole': whole_id, 'keys': lacks} as evidence
from compared
union all by name
select
    g.account_id,
    g.region,
    g.arn as resource_arn,
    case when g.tags_propagated is not null or g.tags is not null then w.keys is not null end as failed,
    case
        when w.keys is not null then 'its instances do not get ' || array_to_string(w.keys, ', ')
        else 'its instances get its tags'
    end as reason,
    {'whole': g.auto_scaling_group_name, 'keys': w.keys} as evidence
from aws_autoscaling_group as g
left join withheld as w on w.account_id = g.account_id and w.arn = g.arn
-- A group without tags has nothing to hand on.
where g.tags is null or cardinality(g.tags) > 0
