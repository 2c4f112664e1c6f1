/*
title = "Both tunnels of each VPN are up"
severity = "medium"
tables = ["aws_ec2_vpn_connection"]
frameworks = { fsbp = ["EC2.20"] }
remediation = "Look at the other side: its configuration, its address, its routes; the state of the tunnel tells since when."
command = "aws ec2 describe-vpn-connections --region {region} --vpn-connection-ids {vpn_connection_id} --query VpnConnections[].VgwTelemetry"
*/
select
    account_id,
    region,
    arn as resource_arn,
    case when tunnel_count > 0 then tunnels_up < 2 end as failed,
    case
        when tunnel_count > 0 and tunnels_up = 0 then 'no tunnel is up: the other side is cut off'
        when tunnel_count > 0 then tunnels_up || ' of ' || tunnel_count || ' tunnels are up'
        else 'the state of its tunnels is not known'
    end as reason,
    {'vpn_connection_id': vpn_connection_id, 'tunnels': tunnel_count, 'up': tunnels_up} as evidence,
    case when tunnel_count > 0 and tunnels_up = 0 then 'high' end as severity
from aws_ec2_vpn_connection
where state is null or state not in ('pending', 'deleting', 'deleted')
