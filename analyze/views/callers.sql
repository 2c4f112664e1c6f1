-- Which principal ever called from where and with what, whether as a person (a second factor, a login to the console) and with a
-- long-lived key.
select
    account_id, principal, source_ip_address, user_agent, min(event_time) as first_time,
    bool_or(coalesce(session_mfa_authenticated, false) or coalesce(session_credential_from_console, false) or event_source = 'signin.amazonaws.com') as in_person,
    bool_or(coalesce(starts_with(identity_access_key_id, 'AKIA'), false)) as by_key
from events
where not by_service and principal is not null
group by account_id, principal, source_ip_address, user_agent
