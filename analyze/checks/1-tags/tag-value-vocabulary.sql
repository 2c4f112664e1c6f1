/*
title = "Tags that steer decisions have allowed values"
severity = "low"
tables = ["resources"]
remediation = "Set the tag to one of the values of the configuration, or add the value there."
*/
with words as (
    select account_id, arn, key, value, concept, unnest(case concept when 'dr' then string_split(value, '+') else [value] end) as word
    from tag_entries
    where concept in ('environment', 'importance', 'dr')
),
wrong as (
    select w.account_id, w.arn, list(distinct w.key || '=' || w.value order by w.key || '=' || w.value) as tags
    from words as w
    anti join config_tag_values as v on v.concept = w.concept and v.canonical = w.word
    group by w.account_id, w.arn
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when r.tags is not null then len(coalesce(w.tags, [])) > 0 end as failed,
    case
        when r.tags is null then 'its tags could not be read'
        when w.tags is not null then 'not in the vocabulary: ' || array_to_string(w.tags, ', ')
        else 'all values are in the vocabulary'
    end as reason,
    {'tags': w.tags} as evidence
from resources as r
join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
left join wrong as w on w.account_id = r.account_id and w.arn = r.arn
where c.taggable and (r.tags is null or c.environment is not null or c.importance is not null or c.dr is not null)
