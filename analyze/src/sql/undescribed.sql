-- Addresses of events that nothing is known of yet. Test cases give places of some.
select distinct source_ip_address
from cloudtrail_events
where source_ip_address is not null and source_ip_address not in (select address from addresses)
order by all
