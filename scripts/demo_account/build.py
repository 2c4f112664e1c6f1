"""Fills the account step by step, at the dates at which its engineers would have done it."""

import contextlib

import freezegun
from moto import mock_aws
from moto.moto_api._internal import mock_random

from . import (
    assessment,
    backups,
    balancing,
    caches,
    compute,
    databases,
    defaults,
    dns,
    ec2_answers,
    edge,
    iam_answers,
    identity,
    keys,
    logs,
    network,
    serverless,
    storage,
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
    assessment,
    iam_answers,
    defaults,
    ec2_answers,
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
