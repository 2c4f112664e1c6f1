-- What the tags and the configuration say about each resource's place in the business.
with entries as (
    select account_id, arn, entry.key as key, entry.value as value
    from (select account_id, arn, unnest(map_entries(tags)) as entry from resources)
),
concepts as (
    select e.account_id, e.arn, k.concept, trim(e.value) as text
    from entries as e
    join (select concept, key, rank from config_tag_keys) as k on folded(k.key) = folded(e.key)
    where trim(e.value) <> ''
    qualify row_number() over (partition by e.account_id, e.arn, k.concept order by k.rank, e.key = k.key desc, e.key) = 1
),
tagged as (
    select
        account_id, arn,
        max(text) filter (where concept = 'owner') as owner,
        max(text) filter (where concept = 'environment') as environment,
        max(text) filter (where concept = 'importance') as importance,
        max(text) filter (where concept = 'system') as system,
        max(text) filter (where concept = 'dr') as dr,
        max(text) filter (where concept = 'rpo') as rpo,
        max(text) filter (where concept = 'rto') as rto,
        list(concept) as present
    from concepts
    group by account_id, arn
),
vocabulary as (
    select concept, lower(variant) as variant, min(canonical) as canonical
    from config_tag_values
    group by concept, lower(variant)
),
demands as (
    select d.account_id, d.arn, d.position, coalesce(v.canonical, d.word) as demand
    from (
        select account_id, arn, unnest(words) as word, generate_subscripts(words, 1) as position
        from (select account_id, arn, string_split_regex(lower(dr), '[+,;/ ]+') as words from tagged where dr is not null)
    ) as d
    left join vocabulary as v on v.concept = 'dr' and v.variant = d.word
    where d.word <> ''
),
recovery as (
    select
        d.account_id, d.arn,
        list(d.demand order by d.position) as dr,
        count(*) filter (where coalesce(f.met, false) or d.demand = 'none') as met,
        list(d.demand order by d.position) filter (where d.demand <> 'none' and not coalesce(f.met, t.arn is null or f.arn is not null)) as unmet,
        bool_or(d.demand <> 'none' and f.arn is not null and f.met is null) as undecided,
        bool_or(t.arn is not null) as judged
    from demands as d
    left join recovery_facts as f on f.account_id = d.account_id and f.arn = d.arn and f.demand = d.demand
    left join (select distinct account_id, arn from recovery_facts) as t on t.account_id = d.account_id and t.arn = d.arn
    group by d.account_id, d.arn
),
exposed as (
    select account_id, arn, case when bool_or(coalesce(exposed, false)) then true when bool_or(exposed is null) then null else false end as exposed, min(exposure) as exposure
    from exposures
    group by account_id, arn
),
aws_keys as (
    select account_id, arn
    from aws_kms_key
    where key_manager = 'AWS'
),
required as (
    select list(concept) as concepts, list({'concept': concept, 'key': key}) as keys
    from config_required
)
select
    r.account_id,
    r.region,
    r.arn,
    r.service,
    r.resource_type,
    r.name,
    r.summary,
    r.zone,
    coalesce(t.system, name_system(r.name)) as system,
    coalesce(environment.canonical, t.environment) as environment,
    t.owner,
    coalesce(importance.canonical, t.importance) as importance,
    i.rank as importance_rank,
    i.critical,
    y.dr,
    coalesce(duration_seconds(t.rpo), i.rpo_seconds) as rpo_seconds,
    coalesce(duration_seconds(t.rto), i.rto_seconds) as rto_seconds,
    len(q.concepts) as required_tags,
    case when r.tags is not null then list_transform(list_filter(q.keys, lambda k: not list_contains(coalesce(t.present, []), k.concept)), lambda k: k.key) end as missing_tags,
    not (
        r.resource_type in ('iam:group', 'kms:alias', 'rds:auto-backup', 'ses:identity', 'organizations:root')
        or r.arn like '%:role/aws-service-role/%'
        or r.arn like 'arn:%:iam::aws:%'
        or k.arn is not null
        or coalesce(r.resource_type, '') in (select resource_type from config_exempt_types)
    ) as taggable,
    coalesce(r.resource_type in (
        'rds:db', 'rds:cluster', 'dynamodb:table', 's3:bucket', 'ec2:volume', 'elasticfilesystem:file-system', 'redshift:cluster', 'es:domain',
        'elasticache:cluster', 'elasticache:replicationgroup'
    ), false) as data_store,
    case when x.arn is null then false else x.exposed end as exposed,
    x.exposure,
    case when y.judged then y.met end as dr_met,
    case when y.judged and (len(y.unmet) > 0 or not y.undecided) then coalesce(y.unmet, []) end as dr_unmet
from resources as r
cross join required as q
left join tagged as t on t.account_id = r.account_id and t.arn = r.arn
left join vocabulary as environment on environment.concept = 'environment' and environment.variant = lower(t.environment)
left join vocabulary as importance on importance.concept = 'importance' and importance.variant = lower(t.importance)
left join config_importance as i on i.level = importance.canonical
left join recovery as y on y.account_id = r.account_id and y.arn = r.arn
left join exposed as x on x.account_id = r.account_id and x.arn = r.arn
left join aws_keys as k on k.account_id = r.account_id and k.arn = r.arn
order by r.account_id, r.region, r.arn
