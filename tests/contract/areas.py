"""All cases, area by area."""

from tests.contract import cdi_hook, cli, requests

ALL = (*requests.cases(), *cdi_hook.CASES, *cli.CASES)
