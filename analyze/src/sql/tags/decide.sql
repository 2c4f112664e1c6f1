-- What the votes come to. Sources that agree raise a value's support, 1 - (1 - w1)(1 - w2)...; what speaks for others
-- takes its part of it. What is decided stays, and is evidence in the next round; nothing feeds back on itself.
create or replace table tag_outcomes as
with weighed as (
    select v.*, coalesce(p.phrase, 'related to {it}') as phrase, coalesce(w.weight, p.prior, .3) * v.share as power
    from tag_votes as v
    join tag_asked as a on a.id = v.id and a.concept = v.concept and a.own is null
    left join tag_priors as p on p.kind = v.kind and p.concept = v.concept
    -- What first speaks in a later round was never measured.
    left join tag_weights as w on w.source = v.source and w.concept = v.concept
    where coalesce(w.weight, p.prior, .3) * v.share > .05
),
supports as (
    select id, concept, value, (1 - exp(list_sum(list(ln(1 - power) order by power, source))))::decimal(9, 6) as support
    from weighed
    group by id, concept, value
),
ranked as (
    select id, concept, value, support::double * support::double / (sum(support) over (partition by id, concept))::double as confidence
    from supports
    qualify row_number() over (partition by id, concept order by support desc, value) = 1
),
phrases as (
    select
        w.id, w.concept, w.value, w.source, w.power,
        replace(w.phrase, '{it}', case
            when w.noun is null then left(w.example, 60)
            when w.total = 1 then w.noun || ' ' || left(w.example, 60)
            else w.n || ' of ' || w.total || ' ' || w.noun || 's such as ' || left(w.example, 60)
        end)
        || case when w.noun is null and w.total > 1 then ': ' || w.n || ' of ' || w.total else '' end
        || case when w.derived then ' (proposed itself)' else '' end as phrase
    from weighed as w
),
pro as (
    select r.id, r.concept, string_agg(p.phrase, ', ' order by p.power desc, p.source) as text
    from ranked as r
    join (select *, row_number() over (partition by id, concept, value order by power desc, source) as place from phrases) as p
        on p.id = r.id and p.concept = r.concept and p.value = r.value and p.place <= 3
    group by r.id, r.concept
),
contra as (
    select r.id, r.concept, arg_max(p.phrase, (p.power, p.source)) as text, arg_max(p.value, (p.power, p.source)) as value
    from ranked as r
    join phrases as p on p.id = r.id and p.concept = r.concept and p.value <> r.value and p.power >= .15
    group by r.id, r.concept
)
select r.id, r.concept, r.value, r.confidence, p.text as evidence, c.text as against, c.value as against_value
from ranked as r
join pro as p on p.id = r.id and p.concept = r.concept
left join contra as c on c.id = r.id and c.concept = r.concept;

-- What anything spoke for, decided or not; that it is in an account says nothing.
insert into tag_hints
select distinct v.id, v.concept
from tag_votes as v
join tag_asked as a on a.id = v.id and a.concept = v.concept and a.own is null
where v.kind <> 'account';

create or replace table tag_decided as
from tag_outcomes where confidence >= .5;

insert into tag_decisions by name from tag_decided;

-- What follows from something is worth less than the thing: it is believed as far as it is sure.
insert into tag_beliefs by name
select id, concept, value, confidence::decimal(6, 3) as strength from tag_decided;

create or replace table tag_asked as
select a.id, a.concept, a.own
from tag_asked as a
anti join tag_decided as d on d.id = a.id and d.concept = a.concept
where a.own is null;
