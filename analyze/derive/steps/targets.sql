-- One row per thing that can be connected to inside a network, fleet and port; no port where any may be open.
select f.account_id, f.region, f.fleet, f.arn, f.kind, f.subnet_id, f.subnets, f.any_port, l.port, l.protocol, l.words
from fleets as f
left join listening_ports as l on l.account_id = f.account_id and l.arn = f.arn
where f.kind <> 'function' and (f.any_port or l.arn is not null)
