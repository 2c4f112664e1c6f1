/*
title = "Nobody is in two countries at once"
severity = "high"
kind = "detection"
needs = "geoip"
tables = ["cloudtrail_events"]
remediation = "Ask the person. Unless they use a VPN, end the sessions, change password and keys, and look at what was called from the country where they were not."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html"]
*/
-- One credential, from two countries within an hour. A user's keys and sessions are one, so is a person of single sign-on;
-- of other roles each session is its own. Who changed between the two countries on a day before has a VPN, or stands at a
-- border. CloudShell calls from Amazon's addresses. Without GeoIP files no address has a country, and nothing is
-- known: where none is configured, this is not evaluated.
with located as (
    select address, country
    from addresses
    where country is not null and is_public and not trusted
),
calls as (
    select
        e.*, l.country,
        case
            when e.identity_type in ('IAMUser', 'Root') or contains(e.principal, ':role/aws-reserved/sso.amazonaws.com/') then e.identity_arn
            else e.identity_access_key_id
        end as credential,
        case when contains(e.principal, ':role/aws-reserved/sso.amazonaws.com/') then e.identity_arn else e.principal end as traveller
    from events as e
    join located as l on l.address = e.source_ip_address
    where not e.by_service and e.principal is not null and not coalesce(contains(e.user_agent, 'CloudShell'), false)
),
abroad as (
    select account_id, credential
    from calls
    where credential is not null
    group by all
    having count(distinct country) > 1
),
steps as (
    select
        c.*,
        lag(c.country) over w as country_before,
        lag(c.event_time) over w as time_before
    from calls as c
    semi join abroad as a on a.account_id = c.account_id and a.credential = c.credential
    window w as (partition by c.account_id, c.credential order by c.event_time, c.event_id)
),
jumps as (
    select *, least(country, country_before) as here, greatest(country, country_before) as there, event_time::date as day
    from steps
    where country <> country_before and event_time - time_before <= interval 1 hour
),
pairs as (
    select account_id, traveller, here, there, min(event_time) as first_time, count(distinct day) as days
    from jumps
    group by all
),
unusual as (
    select j.*
    from jumps as j
    join pairs as p
        on p.account_id = j.account_id and p.traveller = j.traveller and p.here = j.here and p.there = j.there
        and j.event_time < p.first_time + interval 1 day
    join histories as h on h.account_id = j.account_id
    where not (p.days > 3 and j.event_time < h.first_time + to_days(setting('baseline_days')))
),
-- What was called in the hours around it, from both.
around as (
    select distinct s.account_id, u.here, u.there, u.credential, s.event_id
    from unusual as u
    join steps as s
        on s.account_id = u.account_id and s.credential = u.credential and s.country in (u.here, u.there)
        and s.event_time between u.event_time - interval 1 hour and u.event_time + interval 1 hour
)
select
    s.account_id,
    first(s.region order by s.event_time, s.event_id) as region,
    min(s.principal) as resource_arn,
    arn_tail(a.credential) || ' ' || a.here || ' ' || a.there as discriminator,
    true as failed,
    case
        when a.here in (select country from config_countries) and a.there in (select country from config_countries) then 'medium'
        else 'high'
    end as severity,
    'in ' || a.here || ' and ' || a.there || ' within an hour: '
        || array_to_string(list_sort(list(distinct s.event_name))[:5], ', ') || ' ' || traced(s.call) as reason,
    {
        'trace': trace(s.call),
        'identity': min(s.identity_arn),
        'countries': [a.here, a.there],
        'first_event_id': first(s.event_id order by s.event_time, s.event_id)
    } as evidence
from around as a
join steps as s on s.account_id = a.account_id and s.credential = a.credential and s.event_id = a.event_id
group by s.account_id, a.credential, a.here, a.there
having bool_or(s.judged)
union all by name
select account_id, 'global' as region, root_arn as resource_arn, null::boolean as failed,
    'not known: no GeoIP file that can be read tells the countries of addresses; cloudtrail.geoip names them' as reason
from histories
where exists (from addresses where is_public and not trusted) and not exists (from addresses where country is not null)
