"""What a policy file says that is well formed, but cannot be meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from domain.policy import Method
from domain.policy_forms import FileForm, LocationForm, PolicyForm, SelectorForm, SubscriptionForm
from domain.schedule import Schedule

Path = tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One contradiction: at which field, and which other fields it follows from (`needs`)."""

    path: Path
    message: str
    needs: tuple[Path, ...] = ()

    def below(self, *path: str) -> Finding:
        """Return the finding of a part as one of the whole; its needs are below the same path."""
        return replace(self, path=(*path, *self.path), needs=tuple((*path, *need) for need in self.needs))


def contradictions(file: FileForm) -> Iterator[Finding]:
    """Find what contradicts itself. Empty fields are not known, and nothing is found of them."""
    yield from _named_twice(file.subscriptions)
    yield from _shared_accounts(file.locations)
    yield from _shared_containers(file.locations)
    for name, location in file.locations.items():
        yield from (found.below("locations", name) for found in _of_location(location))
    for name, policy in file.policies.items():
        here = ("policies", name)
        yield from (found.below(*here) for found in _of_policy(policy))
        yield from _misplaced(file, policy, here)
        yield from _unreachable(file, policy, here)
    yield from _hidden_selectors(file.policies)


def _named_twice(subscriptions: tuple[SubscriptionForm, ...]) -> Iterator[Finding]:
    """Find what would be looked at twice."""
    ids: dict[str, int] = {}
    for index, entry in enumerate(subscriptions):
        here = ("subscriptions", str(index))
        if entry.id and ids.setdefault(entry.id.lower(), index) != index:
            yield Finding((*here, "id"), "this subscription stands above already; name each once")
        groups: dict[str, int] = {}
        for place, group in enumerate(entry.resource_groups):
            if groups.setdefault(group.lower(), place) != place:
                message = f"'{entry.resource_groups[groups[group.lower()]]}' is the same resource group"
                yield Finding((*here, "resource_groups", str(place)), message)


def _shared_accounts(locations: Mapping[str, LocationForm]) -> Iterator[Finding]:
    accounts: dict[str, str] = {}
    for name, location in locations.items():
        account = location.manifests.rpartition("/")[0].lower() or name
        other = accounts.setdefault(account, name)
        if other != name:
            yield Finding(
                ("locations", name, "manifests"),
                f"location '{other}' keeps its manifests in that storage account; each location needs one of "
                "its own, in its own region, or one lost region takes the manifests of both",
            )


def _shared_containers(locations: Mapping[str, LocationForm]) -> Iterator[Finding]:
    """Find replicas of two locations that would be one: a page blob's name does not tell its location.

    Nor may they be with manifests, which nobody can change for a while.
    """
    manifests = {location.manifests.lower(): name for name, location in locations.items()}
    containers: dict[str, str] = {}
    for name, location in locations.items():
        if location.pages and location.pages.lower() in manifests:
            yield Finding(
                ("locations", name, "pages"),
                f"location '{manifests[location.pages.lower()]}' keeps its manifests in that container, and "
                "they may be immutable; page blobs need one of their own",
            )
        other = containers.setdefault(location.pages.lower() or name, name)
        if other != name:
            yield Finding(
                ("locations", name, "pages"),
                f"location '{other}' keeps its page blobs in that container; each location needs one of its "
                "own, or what is deleted in one is gone in both",
            )


def _of_location(location: LocationForm) -> Iterator[Finding]:
    for field, arm_id in (("encryption_set", location.encryption_set), ("subnet", location.subnet)):
        there = arm_id.split("/")[2] if arm_id else location.subscription
        if location.subscription and there.lower() != location.subscription.lower():
            yield Finding(
                (field,),
                f"it is in subscription {there}, but the location is in {location.subscription}; Azure uses "
                "only one of the same subscription",
                (("subscription",),),
            )
    yield from _of_method(location)
    for size, other in _written_twice(location.sizes):
        yield Finding(("sizes", size), f"'{other}' is the same size; Azure does not tell cases apart")


def _of_method(location: LocationForm) -> Iterator[Finding]:
    """Find what belongs to the other method than the location's."""
    if location.method is Method.PAGES and not location.pages:
        yield Finding(
            ("pages",),
            "the method pages needs the container that the page blobs are written into, like "
            "https://account.blob.core.windows.net/replicas",
        )
    for field in ("pages", "account") if location.method is Method.SNAPSHOT else ():
        if getattr(location, field):
            message = "it is used with the method pages only; say method: pages, or leave it out"
            yield Finding((field,), message, (("method",),))


def _of_policy(policy: PolicyForm) -> Iterator[Finding]:
    if policy.schedule.cron:
        for fault in Schedule(policy.schedule.cron, policy.schedule.time_zone).faults():
            yield Finding(("schedule", fault.field), fault.message)
    if policy.selector is not None:
        yield from (found.below("selector") for found in _of_selector(policy.selector))


def _of_selector(selector: SelectorForm) -> Iterator[Finding]:
    if not (selector.subscriptions or selector.resource_groups or selector.tags):
        yield Finding(
            (), "it asks for nothing and would protect every VM; if that is meant, name the subscriptions"
        )
    for tag, other in _written_twice(selector.tags):
        yield Finding(("tags", tag), f"'{other}' is the same tag; Azure does not tell cases apart")


def _written_twice(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that was there before in another case, with the earlier one."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield name, other


def _misplaced(file: FileForm, policy: PolicyForm, here: Path) -> Iterator[Finding]:
    """Find what a policy says of locations that cannot be meant."""
    named = tuple(name for name in (policy.home, *policy.recovery) if name)
    places = ((*here, "home"), (*here, "recovery"))
    for name in sorted(set(named) - set(file.locations)):
        field = "home" if name == policy.home else "recovery"
        there_are = ", ".join(file.locations)
        message = f"there is no location '{name}'; the file has {there_are}"
        yield Finding((*here, field), message, (("locations", name),))
    if len(set(named)) < len(named):
        yield Finding((*here, "recovery"), "a location is named twice; each holds one replica of a point")
    home = file.locations.get(policy.home)
    if home and home.method is Method.PAGES:
        message = f"location '{policy.home}' keeps page blobs, and a home location keeps snapshots"
        yield Finding((*here, "home"), message, (("locations", policy.home, "method"),))
    for name in sorted((set(policy.recovery) & set(file.locations)) - {policy.home}):
        if home and home.region and file.locations[name].region == home.region:
            message = f"location '{name}' is in the region of the home, and is lost with it"
            yield Finding((*here, "recovery"), message)
    for name in sorted(set(named) - set(policy.keep_last)):
        yield Finding((*here, "keep_last"), f"say how many points location '{name}' keeps")
    for name in sorted(set(policy.keep_last) - set(named)):
        yield Finding((*here, "keep_last", name), "the policy does not use this location", places)


def _unreachable(file: FileForm, policy: PolicyForm, here: Path) -> Iterator[Finding]:
    """Find where VMs would have to be for a policy to protect them, and are not looked for."""
    home = file.locations.get(policy.home)
    looked_at = {entry.id.lower() for entry in file.subscriptions}
    lives_in = home.subscription if home else ""
    if lives_in and lives_in.lower() not in looked_at:
        yield Finding(
            (*here, "home"),
            f"location '{policy.home}' is in subscription {lives_in}, which is none of those that VMs are "
            "looked for in; Azure takes incremental snapshots in the subscription of the disk only",
            (("subscriptions",), ("locations", policy.home, "subscription")),
        )
    for wanted in policy.selector.subscriptions if policy.selector else ():
        field = (*here, "selector", "subscriptions")
        if wanted.lower() not in looked_at:
            message = f"VMs are not looked for in {wanted}; add it to the subscriptions at the top"
            yield Finding(field, message, (("subscriptions",),))
        elif lives_in and wanted.lower() != lives_in.lower():
            yield Finding(
                field,
                f"VMs in {wanted} cannot be protected with the home '{policy.home}', which is in {lives_in}; "
                "Azure takes incremental snapshots in the subscription of the disk only",
                (("locations", policy.home, "subscription"),),
            )
    yield from _unseen_groups(file, policy, here)


def _unseen_groups(file: FileForm, policy: PolicyForm, here: Path) -> Iterator[Finding]:
    """Find resource groups of a selector that VMs are looked for in by none of the subscriptions it means."""
    selector = policy.selector or SelectorForm()
    meant = [entry for entry in file.subscriptions if _holds(selector.subscriptions, (entry.id,))]
    for wanted in selector.resource_groups if meant else ():
        if not any(_holds(entry.resource_groups, (wanted,)) for entry in meant):
            yield Finding(
                (*here, "selector", "resource_groups"),
                f"VMs are not looked for in '{wanted}'; add it to the resource_groups at the top",
                (("subscriptions",), (*here, "selector", "subscriptions")),
            )


def _hidden_selectors(policies: Mapping[str, PolicyForm]) -> Iterator[Finding]:
    """Find selectors that never choose a VM, because an earlier one takes all that they ask for."""
    earlier: list[tuple[str, SelectorForm]] = []
    for name, policy in policies.items():
        if policy.selector is None:
            continue
        for other, selector in earlier:
            if _covers(selector, policy.selector):
                yield Finding(
                    ("policies", name, "selector"),
                    f"the selector of policy '{other}' takes all these VMs, for the first that fits counts; "
                    "put the narrower one first",
                    (("policies", other, "selector"),),
                )
        earlier.append((name, policy.selector))


def _covers(wide: SelectorForm, narrow: SelectorForm) -> bool:
    tags = {name.lower(): value for name, value in narrow.tags.items()}
    return (
        _holds(wide.subscriptions, narrow.subscriptions)
        and _holds(wide.resource_groups, narrow.resource_groups)
        and all(tags.get(name.lower()) == value for name, value in wide.tags.items())
    )


def _holds(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    if not wide:
        return True
    return bool(narrow) and {name.lower() for name in narrow} <= {name.lower() for name in wide}
