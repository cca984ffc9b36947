"""The roles of the app registration are those that the API asks for."""

from __future__ import annotations

import re

from infra.checks.project import Project
from triggers.identity import Role

ROLES = Project().json("infra/app-roles.json")


def test_the_app_registration_gets_every_role_of_the_api_and_no_other():
    assert sorted(role["value"] for role in ROLES) == sorted(role.title for role in Role)


def test_people_and_programs_can_have_each_role():
    for role in ROLES:
        assert set(role["allowedMemberTypes"]) == {"User", "Application"}
        assert role["isEnabled"] is True


def test_each_role_has_an_id_of_its_own():
    ids = {role["id"] for role in ROLES}
    assert len(ids) == len(ROLES)
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in ids)
