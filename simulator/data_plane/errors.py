"""How the storage service refuses: its codes, its status and its XML.

Codes and messages: "Common REST API error codes" and "Blob Storage error codes" of the Azure Storage REST
documentation, azure-semantics.md §4.2 and §4.7. The phrase behind the status is the message, and a 304 has
its code in the header and nothing else (both in recorded traffic). Where Azure's answer is not known, the
place that raises says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from xml.sax.saxutils import escape

from simulator.wire import Headers, Response

NOT_SIMULATED = "SimulatorNotSimulated"

_KNOWN: dict[str, tuple[int, str]] = {
    "AuthenticationFailed": (
        403,
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed "
        "correctly including the signature.",
    ),
    "AuthorizationPermissionMismatch": (
        403,
        "This request is not authorized to perform this operation using this permission.",
    ),
    "AuthorizationProtocolMismatch": (
        403,
        "This request is not authorized to perform this operation using this protocol.",
    ),
    "AuthorizationResourceTypeMismatch": (
        403,
        "This request is not authorized to perform this operation using this resource type.",
    ),
    "AuthorizationServiceMismatch": (
        403,
        "This request is not authorized to perform this operation using this service.",
    ),
    "BlobAlreadyExists": (409, "The specified blob already exists."),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "BlobOverwritten": (409, "The blob has been recreated since the previous snapshot was taken."),
    "BothCrc64AndMd5HeaderPresent": (
        400,
        "Both x-ms-content-crc64 header and Content-MD5 header are present.",
    ),
    "CannotVerifyCopySource": (500, "Could not verify the copy source within the specified time."),
    "ConditionNotMet": (
        412,
        "The condition specified using HTTP conditional header(s) is not met.",
    ),
    "ContainerAlreadyExists": (409, "The specified container already exists."),
    "ContainerBeingDeleted": (409, "The specified container is being deleted. Try operation later."),
    "ContainerNotFound": (404, "The specified container does not exist."),
    "CopyIdMismatch": (
        409,
        "The specified copy ID did not match the copy ID for the pending copy operation.",
    ),
    "CopySourceCannotBeIncrementalCopyBlob": (
        409,
        "Source blob of a copy operation cannot be non-snapshot incremental copy blob.",
    ),
    "Crc64Mismatch": (
        400,
        "The CRC64 value specified in the request did not match with the CRC64 value calculated by the "
        "server.",
    ),
    "EmptyMetadataKey": (400, "The key for one of the metadata key-value pairs is empty."),
    "InternalError": (500, "The server encountered an internal error. Please retry the request."),
    "InvalidAuthenticationInfo": (
        400,
        "Authentication information is not given in the correct format. Check the value of Authorization "
        "header.",
    ),
    "InvalidBlobType": (409, "The blob type is invalid for this operation."),
    "InvalidHeaderValue": (
        400,
        "The value for one of the HTTP headers is not in the correct format.",
    ),
    "InvalidHttpVerb": (400, "The HTTP verb specified was not recognized by the server."),
    "InvalidMd5": (
        400,
        "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.",
    ),
    "InvalidMetadata": (
        400,
        "The metadata specified is invalid. It has characters that are not permitted.",
    ),
    "InvalidOperation": (400, "Invalid operation against a blob snapshot."),
    "InvalidPageRange": (416, "The page range specified is invalid."),
    "InvalidQueryParameterValue": (
        400,
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    "InvalidRange": (
        416,
        "The range specified is invalid for the current size of the resource.",
    ),
    "InvalidResourceName": (400, "The specifed resource name contains invalid characters."),  # recorded so
    "InvalidXmlDocument": (400, "XML specified is not syntactically valid."),
    "InvalidXmlNodeValue": (
        400,
        "The value for one of the XML nodes is not in the correct format.",
    ),
    "LeaseNotPresentWithBlobOperation": (412, "There is currently no lease on the blob."),
    "LeaseNotPresentWithContainerOperation": (412, "There is currently no lease on the container."),
    "Md5Mismatch": (
        400,
        "The MD5 value specified in the request did not match with the MD5 value calculated by the server.",
    ),
    "MetadataTooLarge": (400, "The size of the specified metadata exceeds the maximum size permitted."),
    "MissingContentLengthHeader": (411, "Content-Length HTTP header is missing."),
    "MissingRequiredHeader": (
        400,
        "An HTTP header that's mandatory for this request is not specified.",
    ),
    "MissingRequiredQueryParameter": (
        400,
        "A query parameter that's mandatory for this request is not specified.",
    ),
    "MissingRequiredXmlNode": (
        400,
        "An XML node that's mandatory for this request is not specified.",
    ),
    "MultipleConditionHeadersNotSupported": (400, "Multiple condition headers are not supported."),
    "NoAuthenticationInformation": (
        401,
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate "
        "header.",
    ),
    "NoPendingCopyOperation": (409, "There is currently no pending copy operation."),
    "OutOfRangeQueryParameterValue": (
        400,
        "One of the query parameters specified in the request URI is outside the permissible range.",
    ),
    "PendingCopyOperation": (409, "There is currently a pending copy operation."),
    "PreviousSnapshotCannotBeNewer": (
        400,
        "The prevsnapshot query parameter value cannot be newer than snapshot query parameter value.",
    ),
    "PreviousSnapshotNotFound": (409, "The previous snapshot is not found."),
    "PreviousSnapshotOperationNotSupported": (
        409,
        "Differential Get Page Ranges is not supported on the previous snapshot.",
    ),
    "PublicAccessNotPermitted": (409, "Public access is not permitted on this storage account."),
    "RequestBodyTooLarge": (
        413,
        "The request body is too large and exceeds the maximum permissible limit.",
    ),
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "SequenceNumberConditionNotMet": (412, "The sequence number condition specified was not met."),
    "SequenceNumberIncrementTooLarge": (
        409,
        "The sequence number increment cannot be performed because it would result in overflow of the "
        "sequence number.",
    ),
    "ServerBusy": (503, "The server is currently unable to receive requests. Please retry your request."),
    "SnapshotsPresent": (409, "This operation is not permitted while the blob has snapshots."),
    "SourceConditionNotMet": (
        412,
        "The source condition specified using HTTP conditional header(s) is not met.",
    ),
    "TargetConditionNotMet": (
        412,
        "The target condition specified using HTTP conditional header(s) is not met.",
    ),
    "UnauthorizedBlobOverwrite": (403, "This request is not authorized to perform blob overwrites."),
    "UnsatisfiableCondition": (400, "The request includes an unsatisfiable condition for this operation."),
    "UnsupportedHeader": (400, "One of the HTTP headers specified in the request is not supported."),
    "UnsupportedHeaderForNonManagedDisksAccount": (
        400,
        "The header is not supported for accounts that are not managed disks accounts.",
    ),
    "UnsupportedHttpVerb": (405, "The resource doesn't support the specified HTTP verb."),
    "UnsupportedQueryParameter": (
        400,
        "One of the query parameters specified in the request URI is not supported.",
    ),
    NOT_SIMULATED: (501, "Azure can do this, the simulator cannot."),
}


class StorageError(Exception):
    """The service refuses with one of its codes; `name` and `value` are the header or parameter at fault,
    `detail` what the service adds to a failed authentication, `extra` further elements of the document and
    `headers` further ones of the answer. `status` and `message` are given where one code has several."""

    def __init__(
        self,
        code: str,
        *,
        name: str = "",
        value: str = "",
        detail: str = "",
        status: int | None = None,
        message: str | None = None,
        extra: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        known_status, known_message = _KNOWN.get(code, (500, "A planted fault."))
        self.code = code
        self.status = status or known_status
        self.message = message or known_message
        self.name, self.value, self.detail = name, value, detail
        self.extra, self.headers = dict(extra or {}), dict(headers or {})
        super().__init__(f"{self.status} {code}: {self.message} {name} {value}".strip())

    def document(self, request_id: str, now: datetime) -> bytes:
        """Return the body that the service sends, byte order mark included."""
        time = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}0Z"
        message = f"{self.message}\nRequestId:{request_id}\nTime:{time}"
        elements = {"Code": self.code, "Message": message, "AuthenticationErrorDetail": self.detail}
        element = "Header" if "Header" in self.code else "QueryParameter"
        elements |= {f"{element}Name": self.name, f"{element}Value": self.value, **self.extra}
        inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in elements.items() if text)
        return f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error>{inner}</Error>'.encode()

    def response(self, headers: Headers, now: datetime) -> Response:
        """Return the whole answer; `headers` are those that every answer has."""
        headers["x-ms-error-code"] = self.code
        headers |= self.headers
        if self.status == 304:
            return Response(304, headers, reason=self.message)
        headers["content-type"] = "application/xml"
        if self.status == 401:
            headers["www-authenticate"] = (
                "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize "
                "resource_id=https://storage.azure.com"
            )
        document = self.document(headers["x-ms-request-id"], now)
        return Response(self.status, headers, document, self.message)


def not_simulated(what: str) -> StorageError:
    """Return the refusal of something that Azure can do and the simulator cannot."""
    return StorageError(NOT_SIMULATED, message=f"The simulator does not simulate {what}.")
