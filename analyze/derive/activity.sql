-- What each principal did, over all events of the lake.
select
    account_id,
    coalesce(principal, identity_invoked_by) as principal,
    identity_type,
    event_source,
    event_name,
    bool_and(read_only) as read_only,
    count(*) as calls,
    count(*) filter (where not succeeded) as failed,
    count(*) filter (where denied) as denied,
    count(*) filter (where by_service) as by_service,
    min(event_time) as first_seen,
    max(event_time) as last_seen,
    max(event_time) filter (where succeeded) as last_succeeded
from events
where account_id is not null and coalesce(principal, identity_invoked_by) is not null
group by account_id, coalesce(principal, identity_invoked_by), identity_type, event_source, event_name
order by account_id, coalesce(principal, identity_invoked_by), identity_type, event_source, event_name
