"""All cases, area by area."""

from tests.contract import cdi_hook, cli, injection, isolation, requests

ALL = (*requests.cases(), *injection.CASES, *isolation.CASES, *cdi_hook.CASES, *cli.CASES)
