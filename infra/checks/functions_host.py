"""The Functions host gets what it needs to run on Flex Consumption, signs in by identity, and has no key.

The host reads settings and uses storage of its own, so nothing in the app would tell that one is missing: it
does not start, or does not wake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.checks.app_settings import Set, settings_in
from infra.checks.bicep import below, callee, line, literal, text
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result

# learn.microsoft.com/azure/azure-functions/functions-reference, "Connecting to host storage with an
# identity"; Durable Functions needs queues and tables beside blobs.
NEEDED = {
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
# learn.microsoft.com/azure/azure-functions/flex-consumption-plan, "Deprecated properties and settings"
NOT_ON_FLEX = {
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_MAX_HTTP_CONCURRENCY",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "TZ",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTOVERVNET",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_TIME_ZONE",
}
KEYS = {"AzureWebJobsStorage", "AzureWebJobsDashboard", "APPINSIGHTS_INSTRUMENTATIONKEY"}
# learn.microsoft.com/azure/role-based-access-control/built-in-roles; what the host itself must be assigned
BUILT_IN = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def check(project: Project) -> Result:
    """Look at the settings of the platform, at built-in roles, and for keys."""
    settings = {each.name: each for file in project.parsed.values() for each in settings_in(file)}
    findings = [*_settings(settings), *_roles(project), *_keys(project)]
    return result("host", f"{len(NEEDED)} settings and {len(BUILT_IN)} roles of the host", findings)


def _settings(settings: dict[str, Set]) -> Iterator[Finding]:
    first = next(iter(settings.values()), None)
    for name in sorted(NEEDED - settings.keys()):
        file, at = (first.file, first.line) if first else ("infra", 1)
        yield Finding(file, at, f"{name} is not set, without which the host does not run", "set it")
    for name, setting in settings.items():
        if name in NOT_ON_FLEX:
            found = f"{name} is set, which Flex Consumption does not take"
            yield Finding(setting.file, setting.line, found, "remove it; functionAppConfig says such things")
        if name in KEYS:
            found = f"{name} is set, which holds a key"
            yield Finding(setting.file, setting.line, found, "remove it: the host signs in by its identity")


def _roles(project: Project) -> Iterator[Finding]:
    seen: set[str] = set()
    for file in project.parsed.values():
        for node in below(file.root):
            role = literal(node) if node.type == "string" else None
            if role is None or not _GUID.fullmatch(role):
                continue
            seen.add(role)
            if role not in BUILT_IN:
                found = f"no built-in role that the host needs is {role}"
                yield Finding(
                    file.name, line(node), found, "correct it, or add it to infra/checks/functions_host.py"
                )
    for role in BUILT_IN.keys() - seen:
        yield Finding("infra", 1, f"{BUILT_IN[role]} ({role}) is not assigned", "assign it to the runtime")


def _keys(project: Project) -> Iterator[Finding]:
    """A call such as listKeys() brings a key into the deployment, and into its records."""
    for file in project.parsed.values():
        for node in below(file.root):
            name = text(callee(node)) if node.type == "call_expression" else ""
            if re.search(r"\blist[A-Z]\w*$", name):
                yield Finding(file.name, line(node), f"{name}() reads a key", "let an identity sign in")
