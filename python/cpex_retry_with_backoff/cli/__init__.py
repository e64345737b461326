"""The command cpex-retry: what a configuration does, before and while it does it.

Everything it says about retries comes from the engine in libretry.
"""

import click

from .check import check
from .doctor import doctor
from .explain import explain
from .schedule import schedule
from .simulate import simulate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cpex-retry-with-backoff")
def main() -> None:
    """Checks, explains and plays through the retries of a plugin configuration."""


for command in (check, explain, schedule, simulate, doctor):
    main.add_command(command)
