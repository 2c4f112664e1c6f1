-- On which day which long-lived key of the account itself called which service, from where and with what.
select
    account_id, identity_access_key_id as key_id, event_time::date as day, source_ip_address, user_agent, event_source,
    min(principal) as principal, min(event_time) as first_time
from events
where starts_with(identity_access_key_id, 'AKIA') and not by_service and principal is not null
    and identity_account_id is not distinct from account_id
group by account_id, identity_access_key_id, event_time::date, source_ip_address, user_agent, event_source
