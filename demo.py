"""The story of Tidemark: a VM is backed up, its region is lost, and it comes back elsewhere.

    python demo.py             # the story, in less than a minute
    python demo.py --serve     # a system to play with, until it is ended

Everything runs on this machine: Azure is simulated, with the account of the page blobs, the other storage
accounts are Azurite, and the function app runs on the local host. The app is the one that runs in Azure, and
it is asked through its HTTP API alone.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # Loading what follows takes most of a second. Until somebody listens for it, Ctrl-C simply ends it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_system.api import ApiFailed
from local_system.following import Follower, place_text
from local_system.policies import CRON, HOME, RECOVERY, RECOVERY_LOCATION, VAULT, VAULT_LOCATION
from local_system.proofs import Taken, prove, quoted
from local_system.running import run
from local_system.screen import Screen
from local_system.serving import play
from local_system.sizes import size_text, span_text
from local_system.system import LocalSystem
from local_system.transfers import require_differences, require_order, transfer_table, transfers, written
from local_system.web_server import DISKS, WebServer

BEGINS = datetime(2026, 3, 3, 1, 59, tzinfo=UTC)  # a minute before the slot of the policy
LOSS = datetime(2026, 3, 3, 5, 40, tzinfo=UTC)
SLOW_COPIES = 72 << 10  # bytes in a simulated second: so slow that the slot comes while they run
# Simulated seconds in one of this machine's. Before the slot few: the files are to be changed by then.
STILL, BEFORE_THE_SLOT, WHILE_COPIES_RUN, WHILE_COPIES_WAIT, SPEED = 0.0, 5.0, 30.0, 60.0, 15.0


class Story:
    """What happens, in order. Each step leaves what the later ones need."""

    def __init__(self, system: LocalSystem, screen: Screen) -> None:
        self.system = system
        self.screen = screen
        self.figures: list[tuple[str, str]] = []
        self.compared = 0

    def tell(self) -> None:
        """Tell the whole story; raises whatever goes wrong."""
        began = time.monotonic()
        self.introduce()
        self.screen.say("Starting Azurite, the simulated Azure and the function app ...")
        self.system.start()
        ready = time.monotonic()
        self.show_machine()
        first = self.back_up_on_request()
        self.change_files()
        first, second = self.back_up_on_schedule(first)
        self.lose_home(second)
        self.bring_back_disks(first)
        self.bring_back_machine(second)
        self.bring_back_from_vault(second)
        self.conclude(set_up=ready - began, told=time.monotonic() - ready)

    def introduce(self) -> None:
        """What this is, and what it is not."""
        self.screen.title("Tidemark: a VM is backed up, its region is lost, it comes back elsewhere")
        self.screen.say(
            "Everything happens on this machine: Azure is simulated, and its time, which stands beside what "
            "takes a while, runs fast. Storage is the emulator Azurite, except for page blobs, the file "
            "systems are real, and the function app is the very code that is deployed to Azure. This shows "
            "what Tidemark does, not how Azure behaves: none of it was tested on Azure."
        )

    def show_machine(self) -> None:
        """Something that is worth protecting."""
        self.screen.step(f"A virtual machine in {HOME}")
        self.machine = WebServer(self.system.cloud, self.system.directory.path / "web")
        self.follow = Follower(self.system.api, self.screen, self.system.clock, RECOVERY_LOCATION)
        self.screen.say("'web' has a partitioned OS disk and two data disks, each with an ext4 file system:")
        self.show_files("before")
        self.screen.say(
            f"Its tag tidemark-policy=daily asks for a backup every night (cron {CRON}) and copies of it in "
            f"{RECOVERY}, as snapshots, and in the vault in {VAULT}, as page blobs in a storage account. "
            "There is no agent on the machine."
        )

    def back_up_on_request(self) -> Taken:
        """The first point: somebody asks for it."""
        self.screen.step("Somebody asks for a backup")
        self.screen.say(
            "Incremental snapshots of all disks, side by side. When all are usable, and not before, they are "
            f"a restore point. Then a copy of each is sent to {RECOVERY}, and one written into the vault."
        )
        self.screen.show("POST /api/v1/backups")
        disks = self.machine.keep_copies("first")
        self.system.set_speed(BEFORE_THE_SLOT)
        operation = self.system.api.post("backups", {"vm": self.machine.id})
        return Taken(self.follow.backup(operation["id"]), disks)

    def change_files(self) -> None:
        """Life goes on."""
        self.screen.step("Files change while the copies run")
        self.system.set_speed(STILL)
        changed = self.machine.change_files()
        self.show_files("after")
        self.screen.say(f"With what the file systems note of it, {size_text(changed)} of the disks are new.")

    def back_up_on_schedule(self, first: Taken) -> tuple[Taken, Taken]:
        """The second point: nobody asks, it is two o'clock. Returns both as they are when all has arrived."""
        self.screen.step("At 02:00 the timer takes the next restore point; its copies queue")
        pace = size_text(SLOW_COPIES)
        self.screen.say(
            "The app finds by itself what is due. Azure copies the snapshots of a disk one after the other, "
            f"so every disk has a queue. To have one to look at, the simulator copies slowly here: {pace} a "
            "second."
        )
        disks = self.machine.keep_copies("second")
        self.system.set_speed(WHILE_COPIES_RUN)
        newest = self.follow.next_point(self.machine.key, first.point["id"])
        self.system.set_speed(WHILE_COPIES_WAIT)
        both = self.follow.arrival([first.point["id"], newest])
        self.system.set_speed(SPEED)
        taken = Taken(both[0], first.disks), Taken(both[1], disks)
        self.show_queue(*taken)
        self.show_pages(*taken)
        return taken

    def show_queue(self, first: Taken, second: Taken) -> None:
        """Say when each copy was made, and that it was its turn; raises LocalSystemFailed if not."""
        meter = self.system.cloud.meter
        older, newer = (transfers(taken.point, RECOVERY_LOCATION, meter) for taken in (first, second))
        self.screen.table(transfer_table(older, newer))
        require_order(older, newer)
        self.screen.verdict(
            f"Nothing overtaken: {len(self.follow.seen_waiting)} of {len(newer)} second copies were seen "
            "waiting for the first"
        )
        whole, changed = (size_text(sum(copy.bytes_moved for copy in each)) for each in (older, newer))
        total = size_text(sum(disk.size_bytes for disk in DISKS.values()))
        self.screen.say(
            f"The first copies moved {whole} of {total}: all that was ever written to the disks. The second "
            f"ones moved {changed}: only what changed. Times are from Tidemark's books, an arrival is when "
            "it was seen; sizes by the simulator's own meter: Azure has none."
        )
        self.figures.append((f"Copied by Azure to {RECOVERY}", f"{whole}, then {changed}"))

    def show_pages(self, first: Taken, second: Taken) -> None:
        """Say what the vault got, and by whom; raises LocalSystemFailed if it got all of it twice."""
        older, newer = (written(taken.point, VAULT_LOCATION) for taken in (first, second))
        require_differences(older, newer)
        whole, changed = (size_text(each.bytes_written) for each in (older, newer))
        self.screen.say(
            f"The vault did not wait for that: by {older.arrived:%H:%M:%S} Tidemark had written {whole} into "
            f"page blobs there, all of the first point, and by {newer.arrived:%H:%M:%S} the {changed} in "
            "which the second one differs, by its own books."
        )
        streamed = size_text(older.streamed_bytes + newer.streamed_bytes)
        self.figures += [
            (f"Written into page blobs in {VAULT}", f"{whole}, then {changed}"),
            ("Requests for that", f"{older.requests}, then {newer.requests}"),
            ("Of those bytes through the app", f"{streamed}; the service read the others itself"),
        ]

    def lose_home(self, newest: Taken) -> None:
        """The disaster. From here on the app has nothing but what is in the other region."""
        self.screen.step(f"At {LOSS:%H:%M} {HOME} is lost")
        self.system.move_clock(LOSS)
        before = self.answers_from_home()
        self.system.lose_home()
        after = self.answers_from_home()
        self.screen.table(
            [("asked for", "before", "after"), *zip(before, before.values(), after.values(), strict=True)]
        )
        self.screen.say(f"Tidemark lives in {RECOVERY} and still answers. It says what cannot be done now:")
        self.screen.show("POST /api/v1/backups", self.refusal())
        lost = self.system.clock.now() - newest.slot
        self.screen.say(
            f"The newest restore point is of {newest.slot:%H:%M}. What was written in the {span_text(lost)} "
            "since then is lost: a policy with a closer schedule makes that less."
        )
        self.figures.append(("Lost with the region", f"{span_text(lost)} of changes (simulated)"))

    def bring_back_disks(self, taken: Taken) -> None:
        """The disks of the first point, made anew in the other region."""
        self.screen.step(f"The disks of the first restore point come back in {RECOVERY}")
        took = self.bring_back(taken, "disks", RECOVERY_LOCATION)["took"]
        self.figures.append(("Disks of the first ready after", f"{took} (simulated)"))

    def bring_back_machine(self, taken: Taken) -> None:
        """The whole machine of the second point, and what could not come with it."""
        self.screen.step(f"The whole machine of the second restore point comes back in {RECOVERY}")
        operation = self.bring_back(taken, "vm", RECOVERY_LOCATION)
        outcome = operation["outcome"]
        machine, left = outcome["vm"], outcome["notCarried"]
        self.screen.table(
            [
                ("machine", f"'{machine['name']}': {self.system.azure.ask(machine['id'])}"),
                ("size", machine["size"]),
                ("address", outcome["interface"]["address"]),
                *(("disk", place_text(disk)) for disk in outcome["disks"]),
            ]
        )
        self.screen.say(f"{len(left)} things could not come along; each is listed with its reason, such as:")
        self.screen.table((each["what"], each["why"].split(";")[0]) for each in left if "tag" in each["what"])
        self.figures.append(("Machine of the second runs after", f"{operation['took']} (simulated)"))

    def bring_back_from_vault(self, taken: Taken) -> None:
        """The disks of the second point once more, from where there are no snapshots."""
        self.screen.step(f"The same disks come back out of the vault in {VAULT}, too")
        self.screen.say(
            "There are no snapshots there, only page blobs, each written whole once and then where something "
            "had changed. Azure makes the disks of them, for the account is in the same region; from any "
            "other one Tidemark would upload them."
        )
        self.system.set_speed(WHILE_COPIES_WAIT)
        took = self.bring_back(taken, "disks", VAULT_LOCATION)["took"]
        self.figures.append(("Disks out of the vault ready after", f"{took} (simulated)"))

    def bring_back(self, taken: Taken, what: str, location: str) -> Mapping[str, Any]:
        """Ask for a restore and follow it; hold its disks against what they were. Returns the operation."""
        self.screen.show(f"POST /api/v1/restores   {what} of {taken.slot:%Y-%m-%d %H:%M}, from {location}")
        order = {"restorePoint": taken.point["id"], "location": location, "what": what}
        operation = self.follow.restore(self.system.api.post("restores", order)["id"])
        self.screen.say("Compared with copies of the disks that were put aside when the backup was taken:")
        for disk in operation["outcome"]["disks"]:
            proof = prove(disk, taken, self.machine, self.system.cloud)
            self.compared += proof.size_bytes
            self.screen.verdict(proof.text)
        took = datetime.fromisoformat(operation["ended"]) - datetime.fromisoformat(operation["asked"])
        return {**operation, "took": span_text(took)}

    def conclude(self, set_up: float, told: float) -> None:
        """What was measured, and in which time."""
        passed = self.system.clock.now() - BEGINS
        self.screen.step(f"Both restore points are back, and {HOME} is still gone")
        self.screen.table(
            [
                *self.figures,
                ("Restored and compared", f"{size_text(self.compared)}, every byte equal"),
                ("Simulated time that passed", span_text(passed)),
                ("Time that passed here", f"{told:.0f} s, after {set_up:.0f} s to start everything"),
            ]
        )
        self.screen.say(
            "Simulated times say what Tidemark waited for, not how fast Azure is. To try it yourself, with "
            "curl: make serve"
        )

    def show_files(self, state: str) -> None:
        """One line a disk: its name, its size, and what the file on it says."""
        self.screen.table(
            (name, size_text(disk.size_bytes), disk.story, quoted(getattr(disk, state)))
            for name, disk in ((name, DISKS[short]) for name, short in self.machine.disk_names.items())
        )

    def answers_from_home(self) -> Mapping[str, str]:
        """Ask for what lies in the home region, as any client of Azure would."""
        return {
            "the machine 'web'": self.system.azure.ask(self.machine.id),
            "the storage account of its manifests": self.system.ask_home_storage(),
        }

    def refusal(self) -> str:
        """Ask for what is impossible now; return what the app says."""
        try:
            operation = self.system.api.post("backups", {"vm": self.machine.id})
        except ApiFailed as refused:
            return f"{refused.status} {refused.problem['title']}" if refused.problem else str(refused)
        return f"202 accepted as operation {operation['id']}"


def main(arguments: list[str] | None = None) -> int:
    """Tell the story, or serve; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="demo.py",
        description="A VM is backed up, its region is lost, it comes back elsewhere; on a simulated Azure.",
    )
    parser.add_argument("--serve", action="store_true", help="leave a system running, to play with by curl")
    options = parser.parse_args(arguments)
    screen = Screen()
    if options.serve:
        return play(screen, SPEED)
    system = LocalSystem(begins=BEGINS, factor=STILL, copy_bytes_per_second=SLOW_COPIES)
    return run(system, screen, Story(system, screen).tell)


if __name__ == "__main__":
    sys.exit(main())
