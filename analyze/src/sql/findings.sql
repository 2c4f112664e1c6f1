-- The findings: verdicts with their check, context, waiver and history.

create or replace table findings_unsorted as
with context as (
    select account_id, arn, resource_type, name, owner, environment, system, importance, importance_rank, exposed
    from known_resources
    qualify row_number() over (partition by account_id, arn order by region) = 1
),
levels as (
    select greatest(max(rank), 1) as top
    from config_importance
),
waived as (
    select j.check_id, j.account_id, j.resource_arn, j.discriminator, w.owner, w.reason, w.expires, w.expires > as_of() as in_force
    from judged as j
    join waivers as w on j.check_id glob w.check_pattern and j.resource_arn glob w.arn_pattern
    where j.status = 'fail'
    -- The waiver that holds longest counts.
    qualify row_number() over (partition by j.check_id, j.account_id, j.resource_arn, j.discriminator order by w.expires desc, w.owner, w.reason) = 1
),
verdict as (
    select
        j.check_id, j.account_id, j.region, j.resource_arn, j.discriminator, j.reason, j.evidence, j.command,
        c.rule, c.kind, c.title, c.remediation,
        coalesce(j.severity, c.severity) as severity,
        case when w.in_force then 'waived' else j.status end as status,
        case when w.in_force then w.owner end as waiver_owner,
        case when w.in_force then w.reason end as waiver_reason,
        case when w.in_force then w.expires end as waiver_expires
    from judged as j
    join check_metadata as c on c.check_id = j.check_id
    left join waived as w
        on w.check_id = j.check_id and w.account_id = j.account_id and w.resource_arn = j.resource_arn
        and w.discriminator is not distinct from j.discriminator
    union all by name
    select
        'waiver-expired' as check_id, w.account_id, j.region, w.resource_arn,
        w.check_id || coalesce('/' || w.discriminator, '') as discriminator,
        'the waiver of ' || w.check_id || ' by ' || w.owner || ' was over at ' || strftime(w.expires, '%Y-%m-%d %H:%M') as reason,
        to_json({'check': w.check_id, 'owner': w.owner, 'reason': w.reason, 'expires': w.expires}) as evidence,
        c.rule, 'config' as kind, 'No accepted finding outlives its waiver' as title,
        'Mitigate the finding, or accept it again with a new date.' as remediation,
        'medium' as severity, 'fail' as status
    from waived as w
    join judged as j
        on w.check_id = j.check_id and w.account_id = j.account_id and w.resource_arn = j.resource_arn
        and w.discriminator is not distinct from j.discriminator
    join check_metadata as c on c.check_id = w.check_id
    where not w.in_force
),
marked as (
    select *, sha256(check_id || '|' || resource_arn || '|' || coalesce(discriminator, ''))[:16] as fingerprint
    from verdict
),
-- Accounts and regions that a check could not look at, so that its silence about a resource says nothing.
not_looked_at as (
    select distinct h.run, h.account_id, h.check_id, h.region
    from history as h
    join accounts as a on a.account_id = h.account_id and a.arn = h.resource_arn
    where h.status = 'unknown'
),
runs_before as (
    select distinct account_id, run
    from history
),
last_told as (
    select *
    from history
    qualify row_number() over (partition by account_id, fingerprint order by run desc, first_seen) = 1
),
-- Findings that failed when their check last told of them.
last_failed as (
    select *
    from last_told
    where status in ('fail', 'waived', 'unknown') and first_seen is not null
),
last_looked as (
    select f.account_id, f.fingerprint, max(b.run) as run
    from last_failed as f
    join runs_before as b on b.account_id = f.account_id
    anti join not_looked_at as n
        on n.run = b.run and n.account_id = f.account_id and n.check_id = f.check_id
        and (n.region = f.region or n.region = 'global' or f.region = 'global')
    group by f.account_id, f.fingerprint
),
last_seen as (
    select f.fingerprint, f.account_id, f.first_seen
    from last_failed as f
    left join last_looked as l on l.account_id = f.account_id and l.fingerprint = f.fingerprint
    where l.run is null or f.run >= l.run
),
ever as (
    select distinct account_id, fingerprint
    from history
    where status in ('fail', 'waived')
)
select
    m.check_id,
    m.rule,
    m.kind,
    m.title,
    m.severity,
    m.status,
    m.account_id,
    m.region,
    m.resource_arn,
    case
        when x.resource_type is not null then x.resource_type
        when m.resource_arn = a.arn then 'account'
        else split_part(m.resource_arn, ':', 3) || ':' || regexp_extract(regexp_replace(m.resource_arn, '^([^:]*:){5}', ''), '^[^:/]*')
    end as resource_type,
    coalesce(x.name, case when m.resource_arn = a.arn then m.account_id else arn_tail(m.resource_arn) end) as resource_name,
    m.discriminator,
    x.owner,
    x.environment,
    x.system,
    x.importance,
    x.exposed,
    case
        when m.status in ('pass', 'waived') then 0.0
        else round(least(100.0,
            case m.severity when 'critical' then 80 when 'high' then 60 when 'medium' then 40 when 'low' then 20 else 5 end
            * case when x.importance_rank is null then 1.0 else 0.6 + 0.65 * x.importance_rank / l.top end
            * case when x.exposed or split_part(m.resource_arn, ':', 3) = 'iam' then 1.0 when x.exposed is null then 0.9 else 0.75 end
            * case m.status when 'unknown' then 0.5 else 1.0 end
        ), 1)
    end::double as risk,
    coalesce(m.reason, case m.status when 'pass' then 'as asked for' else m.title end) as reason,
    m.evidence,
    case when m.status in ('fail', 'waived', 'unknown') then m.remediation end as remediation,
    case when m.status in ('fail', 'waived') then m.command end as remediation_command,
    m.fingerprint,
    case when m.status in ('fail', 'waived') then coalesce(s.first_seen, as_of()) when m.status = 'unknown' then s.first_seen end as first_seen,
    case
        when m.status not in ('fail', 'waived') then null
        when s.fingerprint is not null then 'open'
        when e.fingerprint is not null then 'reopened'
        else 'new'
    end as change,
    m.waiver_owner,
    m.waiver_reason,
    m.waiver_expires
from marked as m
cross join levels as l
left join context as x on x.account_id = m.account_id and x.arn = m.resource_arn
left join accounts as a on a.account_id = m.account_id
left join last_seen as s on s.account_id = m.account_id and s.fingerprint = m.fingerprint
left join ever as e on e.account_id = m.account_id and e.fingerprint = m.fingerprint;

insert into findings by name
select *
from findings_unsorted
order by
    case status when 'fail' then 0 when 'unknown' then 1 when 'waived' then 2 else 3 end,
    rule, check_id, account_id, region, resource_arn, discriminator;

drop table findings_unsorted;

insert into checks by name
with counts as (
    select check_id, rule,
        count(*) filter (where status = 'pass') as passed,
        count(*) filter (where status = 'fail') as failed,
        count(*) filter (where status = 'unknown') as unknown,
        count(*) filter (where status = 'waived') as waived
    from findings
    group by check_id, rule
),
expired as (
    select
        check_id, min(rule) as rule, 'config' as kind, 'No accepted finding outlives its waiver' as title, 'medium' as severity,
        []::varchar[] as tables, map()::map(varchar, varchar) as frameworks,
        'Mitigate the finding, or accept it again with a new date.' as remediation, []::varchar[] as links,
        'evaluated' as status, 0 as passed, sum(failed)::bigint as failed, 0 as unknown, 0 as waived
    from counts
    where check_id = 'waiver-expired'
    group by check_id
),
declared as (
    select
        m.check_id, m.rule, m.kind, m.title, m.severity,
        from_json(m.tables, '["VARCHAR"]') as tables,
        from_json(m.frameworks, '"MAP(VARCHAR, VARCHAR)"') as frameworks,
        m.remediation, m.remediation_command,
        from_json(m.links, '["VARCHAR"]') as links,
        case when l.why is not null then 'not_evaluated' when f.error is null then 'evaluated' else 'error' end as status,
        coalesce(l.why, f.error) as error,
        coalesce(c.passed, 0) as passed, coalesce(c.failed, 0) as failed, coalesce(c.unknown, 0) as unknown, coalesce(c.waived, 0) as waived
    from check_metadata as m
    left join check_facts as f on f.check_id = m.check_id
    left join checks_left_out as l on l.check_id = m.check_id
    left join counts as c on c.check_id = m.check_id
)
select * from declared
union all by name
select * from expired
order by rule, check_id;
