-- One vote per source for each question: the value that most of what the source shows has, and how far it stands out.
create or replace table tag_votes as
with edge_values as (
    select
        a.id, a.concept, e.source, b.value, sum(b.strength) as weight, count(*) as n, bool_or(b.strength < 1) as derived,
        any_value(e.link) as link, any_value(e.noun) as noun, min(e.other_name) as example
    from tag_asked as a
    join tag_edges as e on e.id = a.id
    join tag_beliefs as b on b.id = e.other and b.concept = a.concept
    group by a.id, a.concept, e.source, b.value
),
edge_votes as (
    select id, concept, source, link as kind, noun, value, example, derived, n, sum(n) over question as total, weight::double / n as strength
    from edge_values
    window question as (partition by id, concept, source)
    qualify row_number() over (partition by id, concept, source order by weight desc, value) = 1
),
spelled as (
    select concept, value, text from tag_spellings where account_id is null
),
-- What belongs to a system or an owner is asked of the others that do; that grows with what is believed.
kin as (
    select b.id, b.concept as grouping, b.value as key, t.text as label, b.strength as belonging
    from tag_beliefs as b
    join spelled as t on t.concept = b.concept and t.value = b.value
    where b.concept in ('system', 'owner')
    union all
    select s.id, 'system and environment', s.value || '/' || e.value, st.text || ' in ' || et.text, (s.strength * e.strength)::decimal(12, 6)
    from tag_beliefs as s
    join tag_beliefs as e on e.id = s.id and e.concept = 'environment'
    join spelled as st on st.concept = 'system' and st.value = s.value
    join spelled as et on et.concept = 'environment' and et.value = e.value
    where s.concept = 'system'
),
members as (
    select id, grouping, key, label, 1::decimal(12, 6) as belonging from tag_members
    union all
    select id, 'name', word, word, 1 from tag_words
    union all
    select id, grouping, key, label, belonging from kin
),
group_values as (
    select m.grouping, m.key, b.concept, b.value, sum(b.strength) as weight, count(*) as n
    from members as m
    join tag_beliefs as b on b.id = m.id and not (m.grouping = b.concept or m.grouping = 'system and environment' and b.concept in ('system', 'environment'))
    group by all
),
-- Two values are enough: without a resource's own tag the second may become the first.
group_tops as (
    select *, sum(n) over (partition by grouping, key, concept) as total
    from group_values
    qualify row_number() over (partition by grouping, key, concept order by weight desc, value) <= 2
),
group_shares as (
    select
        a.id, a.concept, m.grouping, m.key, m.label, m.belonging, t.value,
        t.n - (a.own is not distinct from t.value)::int as n,
        t.total - (a.own is not null)::int as total,
        (t.weight - (a.own is not distinct from t.value)::int) as weight
    from tag_asked as a
    join members as m on m.id = a.id
    join group_tops as t on t.grouping = m.grouping and t.key = m.key and t.concept = a.concept
),
-- Of several groups of a kind, such as the words of a name, the one that says most speaks. A small group says little.
group_votes as (
    select id, concept, grouping as source, grouping as kind, null as noun, value, label as example, false as derived, n, total, belonging::double * weight::double / n * total / (total + 1) as strength
    from group_shares
    where n > 0 and total > 0
    qualify row_number() over (partition by id, concept, grouping order by weight::double / (total + 1) desc, value, key) = 1
),
said as (
    select a.id, a.concept, s.source, s.source as kind, null as noun, s.value, s.word as example, false as derived, 1 as n, 1 as total, 1.0 as strength
    from tag_asked as a
    join tag_said as s on s.id = a.id and s.concept = a.concept
    -- A name invents no value: somebody must have tagged it, here or elsewhere.
    semi join spelled as t on t.concept = s.concept and t.value = s.value
),
cast_votes as (
    select * from edge_votes
    union all by name
    select * from group_votes
    union all by name
    select * from said
)
-- A share counts as far as it exceeds what the value has everywhere.
select
    v.*,
    v.strength * case
        when coalesce(c.chance, 0) > .999 then v.n / v.total
        else greatest(0, (v.n / v.total - coalesce(c.chance, 0)) / (1 - coalesce(c.chance, 0)))
    end as share
from cast_votes as v
left join tag_chances as c on c.concept = v.concept and c.value = v.value;
