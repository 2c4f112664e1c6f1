-- Every path by which something is reached from the internet, from one thing to the next.
select path_id, account_id, region, step, from_arn, to_arn, from_lane, lane, sources, ip_family, protocol, from_port, to_port, open, why, detail, len(hops) as hops
from paths
order by account_id, step, from_arn, to_arn, ip_family, protocol, from_port, to_port, path_id
