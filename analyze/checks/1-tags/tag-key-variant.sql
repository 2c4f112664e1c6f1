/*
title = "One key and one spelling for one meaning"
severity = "low"
tables = ["resources"]
remediation = "Replace the variant by the key or value of the configuration, so that what groups by tags finds the resource."
*/
with variants as (
    select account_id, arn, key || ' for ' || canonical_key as variant
    from tag_entries
    where concept is not null and key <> canonical_key
    union all
    select account_id, arn, value || ' for ' || canonical_value
    from tag_entries
    where concept is not null and canonical_value is not null and value <> canonical_value
),
by_resource as (
    select account_id, arn, list(variant order by variant) as variants
    from variants
    group by account_id, arn
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when r.tags is not null then v.variants is not null end as failed,
    case
        when r.tags is null then 'its tags could not be read'
        when v.variants is not null then array_to_string(v.variants, ', ')
        else 'no variant spellings'
    end as reason,
    {'variants': v.variants} as evidence
from resources as r
join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
left join by_resource as v on v.account_id = r.account_id and v.arn = r.arn
where c.taggable and (r.tags is null or cardinality(r.tags) > 0)
