-- The links of every path, in order.
with links as (
    select path_id, account_id, region, from_arn as start_arn, to_arn as target_arn, lane, ip_family, protocol, from_port, to_port, why, hops, unnest(range(1, len(hops) + 1)) as hop
    from paths
)
select
    path_id,
    hop,
    account_id,
    region,
    case when hop = 1 then start_arn else hops[hop - 1].via end as from_arn,
    hops[hop].via as to_arn,
    hops[hop].kind as kind,
    ip_family,
    protocol,
    from_port,
    to_port,
    hops[hop].detail as detail,
    target_arn,
    lane,
    hops[hop].open as open,
    case when hops[hop].open is null then why end as why
from links
order by account_id, path_id, hop
