-- What the tag plan starts from: the values that tags carry, what resources have to do with each other, which groups
-- they are in, and what is missing. ARNs are unique in a run; a number stands for each.

-- The concepts that others can tell; a name, an RPO or an RTO is for somebody to decide.
create or replace table tag_concepts as
select distinct concept, canonical
from config_tag_keys
where concept in ('owner', 'environment', 'system', 'importance');

-- Resources with what makes them a subject: `tags_known` is false where tags could not be read, `gone` where the
-- resource is on its way out, `foreign_owner` where another account shares it.
create or replace table tag_subjects as
with gone as (
    select arn from aws_ec2_instance where state in ('shutting-down', 'terminated')
    union all
    select arn from aws_ec2_nat_gateway where state in ('deleting', 'deleted', 'failed')
),
unread as (
    select distinct r.arn
    from resources as r
    join gaps as g
        on g.account_id = r.account_id and g.operation ilike '%tag%'
        and (g.resource_arn = r.arn or g.resource_arn is null and g.table_name = r.source_table and g.region = r.region)
)
select
    row_number() over (order by r.arn) as id, r.account_id, r.region, r.arn, coalesce(r.resource_type, '') as resource_type,
    coalesce(nullif(r.name, ''), arn_tail(r.arn)) as name,
    split_part(r.resource_type, ':', 2) as noun,
    r.tags,
    r.tags is not null and u.arn is null as tags_known,
    coalesce(c.taggable, true) as taggable,
    g.arn is not null as gone,
    regexp_extract(r.arn, '^[^:]*:[^:]*:[^:]*:[^:]*:([0-9]{12}):', 1) not in ('', r.account_id) as foreign_owner
from resources as r
left join resource_context as c on c.arn = r.arn
left join (select distinct arn from gone) as g on g.arn = r.arn
left join unread as u on u.arn = r.arn;

-- One value per resource and concept: tags of the concept's first spelling before those of the others.
create or replace table tag_values as
with own as (
    select s.id, e.account_id, e.concept, e.key, trim(e.value) as text, e.canonical_value
    from tag_entries as e
    join tag_subjects as s on s.arn = e.arn
    join tag_concepts as c on c.concept = e.concept
    left join config_tag_keys as k on k.concept = e.concept and folded(k.key) = folded(e.key)
    where trim(e.value) <> ''
    qualify row_number() over (partition by s.id, e.concept order by k.rank, e.key = k.key desc, e.key) = 1
)
select account_id, id, concept, key, text, coalesce(canonical_value, folded(text)) as value, canonical_value is not null as in_vocabulary
from own;

-- Values that can be proposed: of the vocabulary where there is one, owners that somebody knows, and nothing that AWS
-- would not take everywhere or that is a fingerprint of a secret.
create or replace table tag_usable as
with listed as (
    select folded(owner) as value from config_owners
    union
    -- Without a list, an owner that stands on one resource only is taken for a slip, as in tag-owner-unknown.
    select value
    from tag_values
    where concept = 'owner' and (select count(*) from config_owners) = 0
    group by value
    having count(*) > 1
)
select v.*
from tag_values as v
where length(v.text) <= 256
    and regexp_full_match(v.text, '[\p{L}\p{N} _.:/=+@-]+')
    and not starts_with(v.text, 'secret:sha256:')
    and case v.concept
        when 'owner' then v.value in (select value from listed)
        when 'system' then true
        else v.in_vocabulary
    end;

-- How an account spells a value and a concept's key: as most of its resources do, else as most of the run do.
create or replace table tag_spellings as
select account_id, concept, value, text
from (
    select u.account_id, u.concept, u.value, u.text, count(*) as n
    from tag_usable as u
    group by all
    union all
    select null, concept, value, text, count(*)
    from tag_usable
    group by concept, value, text
)
qualify row_number() over (partition by account_id, concept, value order by n desc, text) = 1;

create or replace table tag_keys as
with counted as (
    select account_id, concept, key, count(*) as n from tag_values group by all
    union all
    select null, concept, key, count(*) from tag_values group by concept, key
),
chosen as (
    select account_id, concept, key
    from counted
    qualify row_number() over (partition by account_id, concept order by n desc, key) = 1
)
select a.account_id, c.concept, coalesce(o.key, r.key, c.canonical) as key
from tag_concepts as c
cross join accounts as a
left join chosen as o on o.concept = c.concept and o.account_id = a.account_id
left join chosen as r on r.concept = c.concept and r.account_id is null;

-- The words of a name that may mean something: of three letters or more, no ids.
create or replace table tag_words as
select distinct id, word
from (
    select id, unnest(regexp_split_to_array(lower(name), '[^\p{L}\p{N}]+')) as word
    from tag_subjects
    where not regexp_matches(name, '^([a-z]+-)?[0-9a-f-]{8,}$')
)
where length(word) between 3 and 40 and regexp_matches(word, '^\p{L}') and not regexp_full_match(word, '[0-9a-f]{8,}')
    -- Those are understood, see tag_said.
    and word not in (select lower(variant) from config_tag_values where concept = 'environment')
    and word not in (select unnest(['aws', 'amazon', service, noun]) from (select distinct split_part(resource_type, ':', 1) as service, noun from tag_subjects where resource_type is not null));

create or replace table tag_creators as
with users as (
    select arn, account_id, arn_tail(arn) as name from tag_subjects where resource_type = 'iam:user'
)
-- A person behind the single sign-on is known by the session's name, everybody else by the principal.
select s.id, case when t.principal like '%AWSReservedSSO\_%' escape '\' then coalesce(t.identity_arn, t.principal) else t.principal end as creator
from tag_trail_creators as t
join tag_subjects as s on s.arn = t.arn
union
-- `IAMUser:<id>:<name>`, `AssumedRole:<id>:<session>`, the tag that AWS sets by itself where it was switched on.
select s.id, coalesce(u.arn, s.tags['aws:createdBy'])
from tag_subjects as s
left join users as u on u.account_id = s.account_id and s.tags['aws:createdBy'] like 'IAMUser:%' and u.name = split_part(s.tags['aws:createdBy'], ':', 3)
where s.tags['aws:createdBy'] is not null;

-- Who can tell something about whom: both ends of each relation, the ARNs that AWS's own tags name, the creator.
create or replace table tag_edges as
with named as (
    select arn, entry.value as other
    from (select arn, unnest(map_entries(tags)) as entry from tag_subjects)
    where starts_with(entry.key, 'aws:') and entry.value like 'arn:%'
),
pairs as (
    -- Groups of users are about permissions: not what a member of a stack or a cluster is.
    select distinct from_arn, to_arn, case when kind = 'member_of' and to_arn like '%:iam::%:group/%' then 'in_group' else kind end as kind
    from relationships
    where from_arn is not null and to_arn is not null and from_arn <> to_arn
    union
    select arn, other, 'names' from named where arn <> other
    union
    select s.arn, c.creator, 'created_by' from tag_creators as c join tag_subjects as s on s.id = c.id where s.arn <> c.creator
),
directed as (
    select from_arn as arn, to_arn as other, kind || ' >' as link from pairs
    union all
    select to_arn, from_arn, kind || ' <' from pairs
)
select s.id, o.id as other, d.link, o.noun, o.name as other_name, d.link || ' ' || s.resource_type || ' ' || o.resource_type as source
from directed as d
join tag_subjects as s on s.arn = d.arn
join tag_subjects as o on o.arn = d.other;

-- Groups whose members are likely to be tagged alike. Names are unique within an account and region.
create or replace table tag_members as
with entries as (
    select account_id, region, id, entry.key as key, entry.value as value
    from (select account_id, region, id, unnest(map_entries(tags)) as entry from tag_subjects)
),
marks as (
    from (values
        ('stack', 'aws:cloudformation:stack-id'), ('Auto Scaling group', 'aws:autoscaling:groupName'), ('launch template', 'aws:ec2launchtemplate:id'),
        ('EKS cluster', 'aws:eks:cluster-name'), ('EKS cluster', 'eks:cluster-name'), ('EKS cluster', 'alpha.eksctl.io/cluster-name'),
        ('EKS cluster', 'elbv2.k8s.aws/cluster'), ('ECS cluster', 'aws:ecs:clusterName'), ('ECS service', 'aws:ecs:serviceName'),
        ('Kubernetes namespace', 'kubernetes.io/created-for/pvc/namespace'), ('Beanstalk environment', 'elasticbeanstalk:environment-name'),
        ('product', 'aws:servicecatalog:provisionedProductArn'), ('EMR cluster', 'aws:elasticmapreduce:job-flow-id')
    ) as mark (grouping, key)
)
select distinct e.id, m.grouping, case when e.value like 'arn:%' then e.value else e.account_id || '/' || e.region || '/' || e.value end as key, e.value as label
from entries as e
join marks as m on m.key = e.key
union
select distinct id, 'EKS cluster', account_id || '/' || region || '/' || substr(key, 23), substr(key, 23)
from entries
where starts_with(key, 'kubernetes.io/cluster/')
union
select distinct id, 'creator', creator, arn_tail(creator) from tag_creators
union
select id, 'account', account_id, account_id from tag_subjects;

-- What a name says by itself: a word of the environments' vocabulary, the system by the pattern of names.
create or replace table tag_said as
with environments as (
    select lower(variant) as word, min(canonical) as value
    from config_tag_values
    where concept = 'environment'
    group by lower(variant)
)
select w.id, 'environment' as concept, 'word' as source, min(e.value) as value, min(w.word) as word
from (select id, unnest(regexp_split_to_array(lower(name), '[^\p{L}\p{N}]+')) as word from tag_subjects) as w
join environments as e on e.word = w.word
group by w.id
having count(distinct e.value) = 1
union all
select id, 'system', 'pattern', folded(name_system(name)), name_system(name)
from tag_subjects
where name_system(name) is not null;

-- What is believed of each resource: first what its tags say, then, round by round, what follows. Decimals, since sums
-- of them are the same in whatever order.
create or replace table tag_beliefs as
select id, concept, value, 1::decimal(6, 3) as strength
from tag_usable;

-- What is asked in the first round: everything, so that sources can be measured by the tags that are there.
create or replace table tag_asked as
select s.id, c.concept, u.value as own
from tag_subjects as s
cross join tag_concepts as c
left join tag_values as v on v.id = s.id and v.concept = c.concept
left join tag_usable as u on u.id = s.id and u.concept = c.concept
where not s.gone and not s.foreign_owner
    -- What can't be tagged, such as an interface, may stand between two that can; what AWS itself owns tells nothing.
    and (u.id is not null or v.id is null and (s.tags_known or not s.taggable))
    and not (not s.taggable and s.resource_type in ('iam:role', 'iam:policy', 'kms:key'));

-- How common a value is: what a guess would get.
create or replace table tag_chances as
select concept, value, n / sum(n) over (partition by concept) as chance
from (select concept, value, count(*) as n from tag_usable group by concept, value);

create or replace table tag_decisions (id bigint, concept varchar, value varchar, confidence double, evidence varchar, against varchar, against_value varchar);

create or replace table tag_hints (id bigint, concept varchar);
