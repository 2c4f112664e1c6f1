"""CloudTrail objects into typed Parquet with DuckDB: bench_duckdb.py FOLDER OUT declared|daily|inferred.

`declared` names the members and types that ours promotes, JSON where ours keeps JSON; `daily` makes the files of a lake of it, a
folder for each day; `inferred` leaves members and types to DuckDB.
"""

import sys
from pathlib import Path

import duckdb

TEXT = (
    "eventVersion eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage requestID eventID "
    "eventType apiVersion recipientAccountId sharedEventID vpcEndpointId vpcEndpointAccountId eventCategory"
).split()
FLAGS = "readOnly managementEvent sessionCredentialFromConsole".split()
JSON = (
    "userIdentity requestParameters responseElements additionalEventData resources serviceEventDetails tlsDetails addendum "
    "eventContext insightDetails edgeDeviceDetails"
).split()
IDENTITY = {
    "identity_type": "type",
    "identity_arn": "arn",
    "identity_principal_id": "principalId",
    "identity_account_id": "accountId",
    "identity_user_name": "userName",
    "identity_access_key_id": "accessKeyId",
    "identity_invoked_by": "invokedBy",
    "session_issuer_arn": "sessionContext.sessionIssuer.arn",
    "session_issuer_type": "sessionContext.sessionIssuer.type",
    "session_mfa_authenticated": "sessionContext.attributes.mfaAuthenticated",
    "session_created_at": "sessionContext.attributes.creationDate",
    "source_identity": "sessionContext.sourceIdentity",
}


def query(files, declared):
    if not declared:
        return f"select unnest(Records, max_depth := 2) from read_json('{files}', maximum_object_size = 134217728)"
    members = [f'"{name}" varchar' for name in TEXT] + [f'"{name}" boolean' for name in FLAGS] + [f'"{name}" json' for name in JSON]
    identity = [f"userIdentity ->> '$.{path}' as {column}" for column, path in IDENTITY.items()]
    return f"""
        select e.* replace (e.eventTime::timestamp as eventTime), {", ".join("e." + column for column in identity)}, filename
        from (
            select unnest(Records) as e, filename
            from read_json(
                '{files}', columns = {{'Records': 'struct({", ".join(members)})[]'}},
                maximum_object_size = 134217728, filename = true
            )
        )
        order by eventTime
    """


def main():
    folder, out, how = sys.argv[1:]
    database = duckdb.connect()
    database.execute("set threads = 2")
    database.execute("set preserve_insertion_order = false")
    database.execute(f"set temp_directory = '{out}.tmp'")
    source = query(Path(folder, "**", "*.json.gz"), how != "inferred")
    options = "format parquet, compression zstd, compression_level 3"
    if how == "daily":
        source = f"select *, eventTime::date as event_date from ({source})"
        options += ", partition_by (event_date)"
    database.execute(f"copy ({source}) to '{out}' ({options})")


if __name__ == "__main__":
    main()
