"""Sign requests again with botocore and compare.

    signatures.py REQUESTS

REQUESTS is a JSON list of requests as a server saw them. Prints those whose signature botocore does not make.
"""

import json
import pathlib
import re
import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials

KEYS = botocore.credentials.Credentials("AKIDEXAMPLE", "secret")


def main(path):
    requests = json.loads(pathlib.Path(path).read_text())
    wrong = [request["title"] for request in requests if not signed_like_botocore(request)]
    print("\n".join(wrong), end="")
    sys.exit(1 if wrong else 0)


def signed_like_botocore(seen):
    headers = dict(seen["headers"])
    scope = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)",
        headers["authorization"],
    )
    _, region, service, signed, signature = scope.groups()
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    signer = kind(KEYS, service, region)
    request = botocore.awsrequest.AWSRequest(
        method=seen["method"],
        url=f"http://{headers['host']}{seen['target']}",
        data=seen["body"].encode(),
        headers={name: headers[name] for name in signed.split(";")},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return service == seen["signing_name"] and signer.signature(text, request) == signature


if __name__ == "__main__":
    main(*sys.argv[1:])
