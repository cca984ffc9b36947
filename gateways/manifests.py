"""Manifests: one JSON blob per replica, in the replica's location, written once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobClient, ContentSettings
from pydantic import TypeAdapter

from domain.errors import Absent, Refused
from domain.manifests import FORMAT, Manifest, manifest_name
from domain.policy import Location
from gateways.failures import translated
from gateways.refusals import refusals
from settings import Identity

_API_VERSION = "2021-12-02"  # old enough for every emulator and cloud, new enough for all that is used here


@cache
def _form() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)  # not at import: function apps start cold


@dataclass(frozen=True)
class Manifests:
    """Writes and reads manifests; never deletes. `credentials` gives the credential for an account."""

    credentials: Any
    transport: Any = None

    def write(self, manifest: Manifest, location: Location) -> None:
        """Write the manifest of a replica; writing the same again changes nothing.

        Raises Refused if another manifest stands under its name.
        """
        content = _form().dump_json(manifest, indent=1)
        blob = self._blob(location, manifest.name)
        try:
            with translated(f"manifest {manifest.name} in {location.name}"):
                self._upload(blob, content)
        except FileExistsError:
            if self._download(blob, manifest.name, location) != content:
                raise Refused(
                    "ManifestDiffers",
                    f"manifest {manifest.name} in {location.name} exists and says something else; "
                    "compare it with the catalogue's restore point before anything is pruned",
                ) from None

    def read(self, vm: str, point: str, location: Location) -> Manifest:
        """Return the manifest of a point's replica in a location; raises Absent if there is none."""
        name = manifest_name(vm, point)
        content = self._download(self._blob(location, name), name, location)
        try:
            manifest = _form().validate_json(content)
        except ValueError as wrong:
            raise Refused("ManifestUnreadable", f"manifest {name} in {location.name}: {wrong}") from wrong
        if manifest.format != FORMAT:
            raise Refused(
                "ManifestUnreadable",
                f"manifest {name} in {location.name} has format {manifest.format}, and this Tidemark reads "
                f"format {FORMAT}; use the version that wrote it, or a later one",
            )
        return manifest

    @staticmethod
    def _upload(blob: BlobClient, content: bytes) -> None:
        settings = ContentSettings(content_type="application/json")
        try:
            blob.upload_blob(content, overwrite=False, content_settings=settings)  # If-None-Match: *
        except ResourceExistsError as exists:
            raise FileExistsError from exists

    @staticmethod
    def _download(blob: BlobClient, name: str, location: Location) -> bytes:
        try:
            with translated(f"manifest {name} in {location.name}"):
                return blob.download_blob().readall()
        except Absent as absent:
            raise Absent("ManifestMissing", f"there is no manifest {name} in {location.name}") from absent

    def _blob(self, location: Location, name: str) -> BlobClient:
        return manifest_blob(location, name, Identity.RUNTIME, self.credentials, self.transport)


def manifest_blob(
    location: Location, name: str, identity: Identity, credentials: Any, transport: Any = None
) -> BlobClient:
    """Return an identity's client of one blob among a location's manifests."""
    account, container = location.manifests.rsplit("/", 1)
    return BlobClient(
        account,
        container,
        name,
        credential=credentials(account),
        api_version=_API_VERSION,
        retry_total=0,
        raw_response_hook=refusals(identity),
        **({"transport": transport} if transport else {}),
    )
