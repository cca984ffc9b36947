"""Names that nobody declares and names that nobody uses are found; scopes of loops and lambdas are known."""

from __future__ import annotations

import pytest

from infra.checks import names


def test_every_name_of_what_is_deployed_is_declared_and_used(planted):
    assert planted.findings(names.check) == ()


def test_a_misspelt_name_is_found_with_its_line(planted):
    line = planted.change("infra/main.bicep", "workspaceId: monitoring.", "workspaceId: monitorin.")
    assert [str(finding) for finding in planted.findings(names.check)] == [
        f"infra/main.bicep:{line}: nothing here is named 'monitorin'; "
        "declare it, or correct its spelling (case counts)"
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("output x string = nobody\n", "1: nothing here is named 'nobody'"),
        ("output x string = '${nobody}'\n", "1: nothing here is named 'nobody'"),
        ("var all = [for one in []: other]\noutput x array = all\n", "1: nothing here is named 'other'"),
        (
            "var all = [for one in []: one]\noutput x object = {a: one, b: all}\n",
            "2: nothing here is named 'one'",
        ),
        ("var a = map([], x => y)\noutput o array = a\n", "1: nothing here is named 'y'"),
        ("var a = map([], x => x.b)\noutput o array = [a, x]\n", "2: nothing here is named 'x'"),
        ("param name string\n", "1: the parameter 'name' is not used"),
        ("\nvar name = 'x'\n", "2: the variable 'name' is not used"),
        ("output x string = tolower('A')\n", "1: Bicep has no function 'tolower'"),
        ("output x array = map([], y => tolower(y))\n", "1: Bicep has no function 'tolower'"),
        ("output x array = [subscripton().id]\n", "1: Bicep has no function 'subscripton'"),
        ("@minlength(3)\nparam x string\noutput y string = x\n", "1: Bicep has no function 'minlength'"),
        ("param x unknown\noutput y object = x\n", "1: nothing here is named 'unknown'"),
        ("var x = 'a'\nvar x = 'b'\noutput y string = x\n", "2: 'x' is declared in line 1 already"),
    ],
)
def test_what_is_wrong_with_names_is_found(small, text, found):
    [told] = small.found(names.check, text)
    assert told.startswith(f"infra/main.bicep:{found}; ")


@pytest.mark.parametrize(
    "text",
    [
        "output a array = [for (one, index) in []: {x: one, y: index}]\n",
        "output a array = map([], x => x.b.c)\n",
        "output a array = map([], x => x.a == 'b' ? x.c : toLower(x.d))\n",
        "output a array = map([], x => map(x.y ?? [], z => {p: x.id, q: z}))\n",
        "output a object = toObject([], x => x.key, x => x.value)\n",
        "param p bool\noutput a array = filter([], x => p || x.y == null)\n",
        "param p bool\noutput a array = filter([], x => p || contains(x.y, 'z'))\n",
        "output a int = reduce([], 0, (sum, each) => sum + each)\n",
        "func name(of string) string => 'a-${of}'\noutput a string = name('b')\n",
        "type kind = { name: string }\nparam x kind\noutput a string = x.name\n",
        "import { foo as bar } from 'other.bicep'\noutput a string = bar('x')\n",
        "metadata about = 'this'\noutput a array = [subscription().id, az.resourceGroup().id]\n",
        "resource a 'A/b@1' = {\n  name: 'x'\n  resource c 'd' = {}\n}\noutput o string = a::c.id\n",
        "@description('d')\nparam x string?\noutput y string = x ?? listKeys('a', 'b').c\n",
    ],
)
def test_what_is_right_is_not_found(small, text):
    assert small.found(names.check, text) == []
