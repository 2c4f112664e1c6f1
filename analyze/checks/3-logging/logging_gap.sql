/*
title = "The trail has no holes"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Find out whether the trail was off, its bucket refused it, or files of that time were not collected (`collect cloudtrail --rescan`, `--verify`); what happened then is not known to any other detection."
command = "aws cloudtrail describe-trails --include-shadow-trails"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html"]
*/
-- Every region, and every account as a whole, against what it does itself: a silence counts when it is longer than the
-- configuration says and than three times the longest of the days before, so that quiet nights and weekends and regions nobody
-- uses are no holes. The end of the lake's last event is the end of a silence that goes on; when the whole lake falls silent,
-- nothing here knows whether it was collected.
with hours as (
    select account_id, region, date_trunc('hour', event_time) as hour, bool_or(judged) as judged
    from events
    where account_id is not null
    group by account_id, region, date_trunc('hour', event_time)
),
scopes as (
    select account_id, region, hour, judged from hours
    union all
    select account_id, null as region, hour, bool_or(judged) as judged from hours group by account_id, hour
),
lake as (
    select max(hour) as last_hour, arg_max(judged, hour) as judged from hours
),
silences as (
    select
        s.account_id, s.region, s.hour as last_seen,
        coalesce(lead(s.hour) over own, l.last_hour) as seen_again,
        lead(s.hour) over own is null as goes_on,
        coalesce(lead(s.judged) over own, l.judged) as judged,
        min(s.hour) over own as first_seen
    from scopes as s
    cross join lake as l
    window own as (partition by s.account_id, s.region order by s.hour)
),
measured as (
    select
        *,
        -- Whole hours without an event.
        greatest(date_diff('hour', last_seen, seen_again) - case when goes_on then 0 else 1 end, 0) as silent_hours
    from silences
),
compared as (
    select
        *,
        max(silent_hours) over (
            partition by account_id, region order by last_seen
            range between to_days(setting('baseline_days')::integer) preceding and interval 1 hour preceding
        ) as longest_before
    from measured
),
holes as (
    select *
    from compared
    where silent_hours >= setting('silent_hours') and silent_hours > 3 * longest_before
        and first_seen <= last_seen - to_days(setting('baseline_days')::integer)
),
-- A region that is silent because the whole account is has nothing of its own to tell.
told as (
    select *
    from holes as h
    where region is null or not exists (
        select 1
        from holes as a
        where a.account_id = h.account_id and a.region is null
            and h.last_seen >= a.last_seen - to_hours(setting('silent_hours')) and h.seen_again <= a.seen_again + to_hours(setting('silent_hours'))
    )
)
select
    t.account_id,
    coalesce(t.region, 'global') as region,
    coalesce(a.arn, 'arn:aws:iam::' || t.account_id || ':root') as resource_arn,
    coalesce(t.region, 'all regions') || strftime(t.last_seen, ' %Y-%m-%dT%H') as discriminator,
    true as failed,
    'no event of ' || case when t.region is null then 'the account' else 'the account in ' || t.region end || ' for ' || t.silent_hours || ' hours from '
        || strftime(t.last_seen + interval 1 hour, '%Y-%m-%d %H:%M') || case when t.goes_on then ', still none' else strftime(t.seen_again, ' to %Y-%m-%d %H:%M') end
        || '; never longer than ' || t.longest_before || case when t.longest_before = 1 then ' hour in the ' else ' hours in the ' end || setting('baseline_days') || ' days before' as reason,
    {'from': t.last_seen + interval 1 hour, 'to': t.seen_again, 'goes_on': t.goes_on, 'silent_hours': t.silent_hours, 'longest_before': t.longest_before} as evidence
from told as t
left join accounts as a on a.account_id = t.account_id
where t.judged
