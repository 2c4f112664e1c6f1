"""Multiplies a collected account: bench_inventory.py LAKE OUT ACCOUNTS REGIONS.

The latest run of LAKE, which holds one account, becomes a run of ACCOUNTS accounts in OUT. What lies in the account's home
region is there in REGIONS regions of each account; what is global, or elsewhere, once. Identifiers follow their account and
region in every column, so that everything that referred to something still does.
"""

import hashlib
import json
import sys
from pathlib import Path

import duckdb

HOME = "eu-west-1"
# Regions of AWS, and names of the same kind when more are asked for; none is the home region's or the standby's.
NAMES = ["eu-central-1", "eu-north-1", "ap-south-1", "ap-east-1", "sa-east-1", "ca-west-1", "us-west-2", "af-south-1"]
LABEL = "sevenwalls"


def rewritten(name, kind):
    """The column with account and region replaced, whatever text it holds."""
    swap = "replace(replace({0}, account, to_account), home, to_region)"
    column = f'"{name}"'
    if kind == "VARCHAR":
        return f"{swap.format(column)} as {column}"
    if kind == "VARCHAR[]":
        return f"list_transform({column}, lambda element: {swap.format('element')}) as {column}"
    return column


def multiply(database, source, target, accounts, regions, account):
    """Writes one table's file per account and returns how many rows each has."""
    columns = database.sql(f"describe select * from read_parquet('{source}', hive_partitioning = false)").fetchall()
    picked = ", ".join(rewritten(name, kind) for name, kind, *_ in columns)
    names = {name for name, *_ in columns}
    regional = "region = home" if "region" in names else "contains(from_arn, home)" if "from_arn" in names else "false"
    label = database.sql(f"select value from parquet_kv_metadata('{source}') where key = '{LABEL}'").fetchall()[0][0].decode()
    rows = {}
    for to_account in accounts:
        path = Path(str(target).replace(f"account={account}", f"account={to_account}"))
        path.parent.mkdir(parents=True, exist_ok=True)
        database.execute(
            f"""copy (
                select {picked}
                from (select *, '{account}' as account, '{to_account}' as to_account, '{HOME}' as home from read_parquet('{source}', hive_partitioning = false)) as t
                join (select unnest({regions!r}) as to_region, generate_subscripts({regions!r}, 1) as nth) as r on r.nth = 1 or {regional}
            ) to '{path}' (format parquet, compression zstd, kv_metadata {{{LABEL}: '{label}'}})"""
        )
        rows[to_account] = (path, database.sql(f"select count(*) from '{path}'").fetchall()[0][0])
    return rows


def main():
    lake, out, accounts, regions = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    run = sorted(path.name for path in Path(lake, "runs").iterdir())[-1]
    record = json.loads(Path(lake, "runs", run, "collect.json").read_text())
    account = next(file["account_id"] for file in record["files"] if file.get("account_id"))
    accounts = [f"{200000000000 + number:012}" for number in range(accounts)]
    regions = [HOME, *NAMES, *(f"eu-west-{number}" for number in range(4, 99))][:regions]
    database = duckdb.connect()
    files = []
    for file in record["files"]:
        for to_account, (path, rows) in multiply(database, Path(lake, file["path"]), Path(out, file["path"]), accounts, regions, account).items():
            data = path.read_bytes()
            entry = {**file, "path": str(path.relative_to(out)), "rows": rows, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            files.append(entry | ({"account_id": to_account} if file.get("account_id") else {}))
            if not file.get("account_id"):
                break
    tables = [
        {**table, "account_id": to_account, "region": to_region}
        for table in record["tables"]
        for to_account in accounts
        for to_region in (regions if table["region"] == HOME else [table["region"]])
    ]
    folder = Path(out, "runs", run)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "collect.json").write_text(json.dumps({**record, "files": files, "tables": tables}))
    resources = sum(file["rows"] for file in files if file["table"] == "resources")
    print(json.dumps({"resources": resources, "accounts": len(accounts), "files": len(files)}))


if __name__ == "__main__":
    main()
