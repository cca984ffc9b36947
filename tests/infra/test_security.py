"""What checkov says is judged: a rule that fails without a reason, a reason without a failure, a file unread.

checkov itself runs once: over this project, and in the same go over files that it cannot read.
"""

from __future__ import annotations

import shutil

import pytest
import yaml

from infra.checks import security
from infra.checks.project import ROOT, Project

SKIPPED = yaml.safe_load(security.SKIPPED.read_text())


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """What checkov says of this project, with a file that no parser reads and an account that is open."""
    if not security.PYTHON.exists():
        pytest.skip("checkov is not installed: make check does that")
    root = tmp_path_factory.mktemp("checkov")
    shutil.copytree(ROOT / "infra", root / "infra", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (root / "infra/broken.bicep").write_text(
        "resource a 'Microsoft.Web/sites@2024-11-01' = {\n  name: [\n}\n"
    )
    (root / "infra/open.bicep").write_text(OPEN)
    return Project(root), security.run(root / "infra")


OPEN = """resource nested 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: 'open'
  location: 'westeurope'
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: { supportsHttpsTrafficOnly: false, minimumTlsVersion: 'TLS1_0' }
}
"""


def findings(answered, **changes):
    project, told = answered
    return [str(each) for each in security.judged(project, {**told, **changes}, SKIPPED).findings]


@pytest.mark.timeout(300)
def test_what_is_deployed_keeps_every_rule_that_is_not_skipped(answered):
    ours = [line for line in findings(answered) if "broken" not in line and "open" not in line]
    assert ours == []


def test_a_file_that_checkov_cannot_read_is_found(answered):
    assert [line for line in findings(answered) if "broken" in line] == [
        "infra/broken.bicep:1: checkov cannot read this file, and says nothing of it; "
        "write it in the part of Bicep that checkov's parser knows"
    ]


def test_an_account_that_is_open_is_found(answered):
    lines = [line for line in findings(answered) if line.startswith("infra/open.bicep:1: ")]
    assert any("CKV_AZURE_3 " in line for line in lines), lines  # https alone
    assert any("CKV_AZURE_44 " in line for line in lines), lines  # the version of TLS


def test_checkov_has_seen_every_resource_that_is_declared(answered):
    project, told = answered
    for path, file in project.parsed.items():
        assert set(file.resources) <= set(told["seen"][path.name]), file.name


def test_a_resource_that_checkov_has_not_seen_is_found(answered):
    _, told = answered
    seen = {**told["seen"], "identities.bicep": told["seen"]["identities.bicep"][1:]}
    [line] = [line for line in findings(answered, seen=seen) if "has not seen" in line]
    assert line.startswith("infra/identities.bicep:")


def test_a_reason_for_a_rule_that_holds_is_found(answered):
    failed = [each for each in answered[1]["failed"] if each["rule"] != "CKV_AZURE_17"]
    [line] = [
        line for line in findings(answered, failed=failed) if line.startswith("infra/checks/skipped.yaml")
    ]
    assert "CKV_AZURE_17 is skipped on Microsoft.Web/sites.app, where it holds" in line


def test_a_run_in_which_no_rule_was_tried_is_found(answered):
    assert any("checkov has tried no rule" in line for line in findings(answered, failed=[], passed=0))


def test_every_skip_has_its_reason(answered):
    project, told = answered
    without = {rule: {**skip, "because": " "} for rule, skip in SKIPPED.items()}
    lines = [str(each) for each in security.judged(project, told, without).findings]
    assert sum("is skipped without a reason" in line for line in lines) == len(SKIPPED)


def test_without_checkov_the_check_fails_and_says_how_to_get_it(planted, monkeypatch, tmp_path):
    monkeypatch.setattr(security, "PYTHON", tmp_path / "nothing")
    [finding] = planted.findings(security.check)
    assert str(finding) == "infra:1: checkov is not installed; install it as `make check` does"
