-- One row per thing that can be connected to inside a network, group and subnet it is in, and port it listens on; no port
-- where any may be open.
select f.account_id, f.region, f.arn, f.kind, f.group_id, f.subnet_id, f.subnets, f.any_port, l.port, l.protocol, l.words
from fleets as f
left join listening_ports as l on l.account_id = f.account_id and l.arn = f.arn
where f.kind <> 'function' and f.group_id <> '' and (f.any_port or l.arn is not null)
