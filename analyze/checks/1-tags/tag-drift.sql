/*
title = "Required tags stay as they were in the run before"
severity = "medium"
tables = ["resources", "cloudtrail_events"]
optional = ["cloudtrail_events"]
remediation = "Set the tag again, or confirm the new value with the owner, and let only those change it who may: what groups, protects and pays by tags loses the resource."
command = "aws resourcegroupstaggingapi tag-resources --region {region} --resource-arn-list {resource_arn} --tags {tag}"
links = ["https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html"]
*/
-- Judged is what this run and the one before both know. Another spelling of the same key or value is no drift. Who did it stands in the
-- events since the run before, where the lake has them.
with sides as (
    select account_id, arn, true as is_now, tags from resources
    union all
    select account_id, arn, false, tags from previous_resources
),
entries as (
    select account_id, arn, is_now, entry.key as key, trim(entry.value) as value
    from (select account_id, arn, is_now, unnest(map_entries(tags)) as entry from sides)
),
vocabulary as (
    select concept, lower(variant) as variant, min(canonical) as canonical
    from config_tag_values
    group by concept, lower(variant)
),
valued as (
    select e.account_id, e.arn, e.is_now, q.key, coalesce(v.canonical, e.value) as value
    from entries as e
    join config_tag_keys as k on folded(k.key) = folded(e.key)
    join config_required as q on q.concept = k.concept
    left join vocabulary as v on v.concept = k.concept and v.variant = lower(e.value)
    where e.value <> ''
    qualify row_number() over (partition by e.account_id, e.arn, e.is_now, k.concept order by k.rank, e.key = k.key desc, e.key) = 1
),
compared as (
    select account_id, arn, key, max(value) filter (where not is_now) as before, max(value) filter (where is_now) as now
    from valued
    group by account_id, arn, key
),
drifts as (
    select
        account_id, arn,
        list({'key': key, 'before': before, 'now': now} order by key) as drift,
        bool_or(now is null) as any_gone
    from compared
    where before is not null and now is distinct from before
    group by account_id, arn
),
runs as (
    select account_id, try_strptime(left(max(run), 16), '%Y%m%dT%H%M%SZ') as since
    from previous_resources
    group by account_id
),
tagging as (
    select
        e.account_id, e.event_time, e.event_id, e.event_source, e.event_name, e.request_parameters::varchar as request,
        coalesce(e.principal, e.identity_invoked_by) as actor,
        unnest(list_distinct(flatten([
            json_extract_string(e.request_parameters, [
                '$.resourceName', '$.resourceArn', '$.resourceARN', '$.arn', '$.resource', '$.resourceId', '$.bucketName', '$.roleName', '$.userName', '$.policyArn', '$.queueUrl', '$.keyId', '$.secretId',
                '$.logGroupName', '$.instanceProfileName'
            ]),
            e.request_parameters ->> '$.resourcesSet.items[*].resourceId', e.request_parameters ->> '$.resourceARNList[*]', e.request_parameters ->> '$.resourceArns[*]', e.request_parameters ->> '$.tags[*].resourceId'
        ]))) as target
    from events as e
    join runs as r on r.account_id = e.account_id and e.event_time >= r.since
    where e.event_name in (values
            ('AddTags'), ('AddTagsToResource'), ('AddTagsToStream'), ('ChangeTagsForResource'), ('CreateOrUpdateTags'), ('CreateTags'), ('DeleteBucketTagging'), ('DeleteTags'), ('PutBucketTagging'), ('RemoveTags'),
            ('RemoveTagsFromResource'), ('RemoveTagsFromStream'), ('TagInstanceProfile'), ('TagLogGroup'), ('TagPolicy'), ('TagQueue'), ('TagResource'), ('TagResource20170331v2'), ('TagResources'), ('TagRole'), ('TagUser'),
            ('UntagInstanceProfile'), ('UntagLogGroup'), ('UntagPolicy'), ('UntagQueue'), ('UntagResource'), ('UntagResource20170331v2'), ('UntagResources'), ('UntagRole'), ('UntagUser')
        )
        and e.succeeded
),
-- The latest call that touched one of the keys; those of a bucket replace all its tags.
actors as (
    select d.account_id, d.arn, t.actor, t.event_time, t.event_id, t.event_name
    from drifts as d
    join tagging as t
        on t.account_id = d.account_id and arn_tail(t.target) = arn_tail(d.arn)
        and (t.target = d.arn or t.event_source in ('tagging.amazonaws.com', split_part(d.arn, ':', 3) || '.amazonaws.com'))
    where ends_with(t.event_name, 'BucketTagging') or len(list_filter(d.drift, lambda entry: contains(folded(t.request), folded(entry.key)))) > 0
    qualify row_number() over (partition by d.account_id, d.arn order by t.event_time desc, t.event_id) = 1
),
judged as (
    select r.account_id, r.region, r.arn, r.tags is null as is_unread, p.tags is null as was_unread, p.run, d.drift, d.any_gone, a.actor, a.event_time, a.event_id, a.event_name
    from resources as r
    join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
    join previous_resources as p on p.account_id = r.account_id and p.arn = r.arn
    left join drifts as d on d.account_id = r.account_id and d.arn = r.arn
    left join actors as a on a.account_id = r.account_id and a.arn = r.arn
    where c.taggable
)
select
    account_id,
    region,
    arn as resource_arn,
    case when not (is_unread or was_unread) then drift is not null end as failed,
    case
        when is_unread then 'its tags could not be read'
        when was_unread then 'its tags could not be read in run ' || run
        when drift is not null then array_to_string(list_transform(drift, lambda entry:
                entry.key || case when entry.now is null then ' is gone, was ' || left(entry.before, 60) else ' is ' || left(entry.now, 60) || ', was ' || left(entry.before, 60) end), '; ')
            || ' in run ' || run || '; changed by ' || coalesce(principal_label(actor) || strftime(event_time, ', %Y-%m-%d %H:%M:%S'), 'an actor that is not known')
        else 'its required tags are as in run ' || run
    end as reason,
    {
        'drift': drift, 'run': run, 'actor': coalesce(actor, 'not known'), 'changed_at': event_time, 'operation': event_name, 'event_id': event_id,
        'tag': drift[1].key || '=' || drift[1].before
    } as evidence,
    case when not any_gone then 'low' end as severity
from judged
