-- One row per tag of a resource that can carry tags, with the concept of the configuration that its key stands for.
with entries as (
    select account_id, region, arn, resource_type, created_at, entry.key as key, entry.value as value
    from (select account_id, region, arn, resource_type, created_at, unnest(map_entries(tags)) as entry from resources)
),
keys as (
    select folded(key) as folded_key, min(concept) as concept, min(canonical) as canonical_key
    from config_tag_keys
    group by folded(key)
),
vocabulary as (
    select concept, lower(variant) as variant, min(canonical) as canonical
    from config_tag_values
    group by concept, lower(variant)
)
select
    e.account_id, e.region, e.arn, e.resource_type, e.created_at, e.key, e.value, k.concept, k.canonical_key,
    case when v.canonical is not null then v.canonical end as canonical_value
from entries as e
left join keys as k on k.folded_key = folded(e.key)
left join vocabulary as v on v.concept = k.concept and v.variant = lower(trim(e.value))
