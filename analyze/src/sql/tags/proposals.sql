-- What lacks a value, and the rows to review.
create or replace table tag_missing as
with blank as (
    -- A key without a value tells nothing; the proposal fills it.
    select e.arn, e.concept, e.key
    from tag_entries as e
    where trim(e.value) = ''
)
select s.id, s.account_id, c.concept, k.key, b.key is not null as blank
from tag_subjects as s
cross join tag_concepts as c
join tag_keys as k on k.account_id = s.account_id and k.concept = c.concept
left join (select distinct arn, concept, key from blank) as b on b.arn = s.arn and b.concept = c.concept and b.key = k.key
anti join tag_values as v on v.id = s.id and v.concept = c.concept
where s.taggable and s.tags_known and not s.gone and not s.foreign_owner;

create or replace table tag_proposals as
with spellings as (
    select account_id, concept, value, text from tag_spellings
),
proposed as (
    select
        m.id, m.key, coalesce(own.text, run.text) as value, round(least(d.confidence, .99), 2) as confidence,
        case when m.blank then 'it is there without a value. ' else '' end || d.evidence
            || coalesce(' / against it: ' || d.against || ' says ' || against.text, '') as evidence,
        m.concept
    from tag_missing as m
    join tag_decisions as d on d.id = m.id and d.concept = m.concept
    join spellings as run on run.account_id is null and run.concept = d.concept and run.value = d.value
    left join spellings as own on own.account_id = m.account_id and own.concept = d.concept and own.value = d.value
    left join spellings as against on against.account_id is null and against.concept = d.concept and against.value = d.against_value
),
-- A key that only differs in case, hyphens, underscores and spaces from what the account writes: the same value under
-- the account's key. The old tag stays until somebody removes it.
renamed as (
    select s.id, k.key, trim(e.value) as value, .99 as confidence, 'it has the tag ' || e.key || ', which the account spells ' || k.key || ' elsewhere; remove the old one afterwards' as evidence, e.concept
    from tag_subjects as s
    join tag_entries as e on e.arn = s.arn
    join tag_keys as k on k.account_id = s.account_id and k.concept = e.concept
    join tag_usable as u on u.id = s.id and u.concept = e.concept and u.key = e.key
    where s.taggable and s.tags_known and not s.gone and not s.foreign_owner
        and folded(e.key) = folded(k.key) and e.key <> k.key and s.tags[k.key] is null
        -- IAM takes keys that differ in case for the same.
        and not starts_with(s.resource_type, 'iam:')
)
select
    p.*, s.arn, s.account_id,
    s.account_id || '/' || coalesce(b.bucket_region, s.region) as scope,
    s.resource_type, s.name,
    len(list_filter(map_keys(s.tags), lambda key: not starts_with(key, 'aws:'))) as tags,
    p.renames
from (select *, false as renames from proposed union all by name select *, true as renames from renamed) as p
join tag_subjects as s on s.id = p.id
left join aws_s3_bucket as b on b.arn = s.arn
order by s.account_id, s.resource_type, s.name, s.arn, p.concept, p.key;

-- One row: what the summary says.
create or replace table tag_summary as
with lacking as (
    select
        m.id,
        count(*) as missing,
        count(p.id) as proposed,
        bool_or(o.id is not null) as hinted
    from tag_missing as m
    left join tag_proposals as p on p.id = m.id and p.concept = m.concept and not p.renames
    left join (select distinct id, concept from tag_hints) as o on o.id = m.id and o.concept = m.concept
    group by m.id
)
select
    (select count(*) from lacking) as lacking,
    (select coalesce(sum(missing), 0)::bigint from lacking) as missing,
    (select coalesce(sum(proposed), 0)::bigint from lacking) as proposed,
    (select count(*) from lacking where proposed > 0) as helped,
    (select count(*) from lacking where proposed = 0 and hinted) as doubtful,
    (select count(*) from lacking where proposed = 0 and not hinted) as unsupported,
    (select count(*) from tag_proposals where renames) as renames,
    (select count(*) from tag_subjects where taggable and not tags_known and not gone and not foreign_owner) as unread,
    (select count(*) from tag_subjects where taggable and foreign_owner) as foreign_owned,
    (select count(*) from gaps where resource_arn is null and kind <> 'not_collected' and (table_name is null or table_name = 'resources' or table_name in (from resource_tables))) as gaps;
