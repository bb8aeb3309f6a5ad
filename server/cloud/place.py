"""Which studio this is, on which machine: what `ami/start_studio.py` and the machine's user data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

METADATA = "http://169.254.169.254"


@dataclass(frozen=True)
class Place:
    """A studio's place in the cloud."""

    studio: str  # its id in the table
    instance: str  # the machine's id
    table: str
    idle_stop: float  # seconds without a visitor's doing anything; 0: it ends when there is nothing to paint
    metadata: str = METADATA  # where the machine is told of itself

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Place | None:
        """The place that the environment names; None where this is no studio of the cloud."""
        if not environment.get("STUDIO"):
            return None
        missing = [name for name in ("INSTANCE", "TABLE", "IDLE_STOP") if not environment.get(name)]
        if missing:
            names = " and ".join(missing)
            what = "is not. Set it" if len(missing) == 1 else "are not. Set them"
            raise ValueError(f"STUDIO is set, so this is a studio in the cloud, but {names} {what}, too.")
        try:
            idle_stop = int(environment["IDLE_STOP"])
        except ValueError as error:
            problem = f"IDLE_STOP is {environment['IDLE_STOP']!r}, not a whole number of seconds."
            raise ValueError(f"{problem} Set it as the template does.") from error
        metadata = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", METADATA).rstrip("/")
        return cls(environment["STUDIO"], environment["INSTANCE"], environment["TABLE"], idle_stop, metadata)
