"""Fills the account step by step, at the dates at which its engineers would have done it."""

import contextlib

import freezegun
from moto import mock_aws
from moto.moto_api._internal import mock_random

from . import (
    assessment,
    backups,
    balancing,
    buckets,
    caches,
    clusters,
    compute,
    containers,
    copies,
    databases,
    defaults,
    delivery,
    dns,
    ec2_answers,
    edge,
    environments,
    fleet,
    gateways,
    iam_answers,
    identity,
    interfaces,
    keys,
    logs,
    media,
    messaging,
    network,
    organization,
    reporting,
    serverless,
    sessions,
    storage,
    stores,
    traps,
    vaults,
    watch,
    workloads,
)
from .shop import RECORDED_AT, Shop

PARTS = (
    network,
    keys,
    identity,
    compute,
    balancing,
    databases,
    caches,
    storage,
    edge,
    dns,
    serverless,
    logs,
    backups,
    # What came later, each with a seed of its own.
    environments,
    traps,
    workloads,
    fleet,
    buckets,
    media,
    vaults,
    messaging,
    clusters,
    stores,
    sessions,
    gateways,
    containers,
    reporting,
    delivery,
    copies,
    watch,
    organization,
    # What is known when all is there, and what the emulator gets wrong.
    assessment,
    iam_answers,
    defaults,
    ec2_answers,
    interfaces,
)


@contextlib.contextmanager
def account():
    """The finished account, inside the emulator: answers are only there within the `with`."""
    with (
        freezegun.freeze_time("2022-03-01T09:00:00Z") as clock,
        mock_aws(config={"iam": {"load_aws_managed_policies": True}}),
    ):
        shop = Shop(clock)
        for part in PARTS:
            # A seed per part: what is added to one doesn't give new ids to all that follows.
            mock_random.seed(part.__name__)
            part.build(shop)
        shop.at(RECORDED_AT)
        yield shop
