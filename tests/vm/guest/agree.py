#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""agree.py [--within SECONDS] [--look]: holds what apmatrixd says on D-Bus against what the drivers say in sysfs.

Every mediated device, every queue, both masks, and who has which device open.  Nothing of the project is used to read
either side: busctl on the one, files on the other.  A look of the daemon may be under way, so they are compared until
they agree, for so long (default 10); then every difference is printed, and the exit status is 1.
--look has the daemon look first (it is asked for a plan): the kernel tells nobody of an assignment by hand.
"""
import glob
import json
import os
import re
import subprocess
import sys
import time

BUS, ROOT = "org.s390.APMatrix", "/org/s390/APMatrix"
MDEV, AP = "/sys/bus/mdev/devices", "/sys/bus/ap"


def read(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def busctl(*words):
    done = subprocess.run(["busctl", "--json=short", "call", BUS, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)["data"] if done.stdout.strip() else None


def sides(text):
    """Adapters and domains of "matrix" or "guest_matrix": lines AA.DDDD, or one half where the other has none."""
    adapters, domains = set(), set()
    for line in text.split():
        adapter, domain = line.split(".")
        adapters |= {int(adapter, 16)} if adapter else set()
        domains |= {int(domain, 16)} if domain else set()
    return sorted(adapters), sorted(domains)


def holders():
    """VFIO group -> processes that have it open."""
    found = {}
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if re.fullmatch(r"/dev/vfio/\d+", target):
            found.setdefault(target.split("/")[-1], set()).add(int(link.split("/")[2]))
    return found


def driver_side():
    world, open_by = {}, holders()
    for uuid in os.listdir(MDEV) if os.path.isdir(MDEV) else []:
        device = f"{MDEV}/{uuid}"
        adapters, domains = sides(read(f"{device}/matrix"))
        guest_adapters, guest_domains = sides(read(f"{device}/guest_matrix"))
        try:
            group = os.path.basename(os.readlink(f"{device}/iommu_group"))
        except OSError:
            continue  # it is leaving
        pids = open_by.get(group, set())
        world[f"device {uuid}"] = {
            "AssignedAdapters": adapters, "AssignedDomains": domains,
            "AssignedControlDomains": sorted(int(line, 16) for line in read(f"{device}/control_domains").split()),
            "GuestAdapters": guest_adapters, "GuestDomains": guest_domains,
            "Attached": bool(pids), "VMPid": min(pids, default=0)}
    for path in glob.glob(f"{AP}/devices/??.????"):
        driver = os.path.basename(os.path.realpath(f"{path}/driver"))
        owner = "unbound" if driver == "driver" else "vfio" if driver == "vfio_ap" else "host"
        world[f"queue {os.path.basename(path)}"] = {"owner": owner}
    world["masks"] = {"apmask": read(f"{AP}/apmask").strip(), "aqmask": read(f"{AP}/aqmask").strip()}
    return world


def daemon_side():
    world = {}
    objects = busctl(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")[0]
    for path, interfaces in objects.items():
        values = {name: value["data"] for name, value in interfaces.get(BUS + ".Matrix", {}).items()}
        if not values:
            continue
        present = any(kind == "Present" and holds for kind, holds, _, _ in values["Conditions"])
        if present:
            world[f"device {values['UUID']}"] = {name: values[name] for name in (
                "AssignedAdapters", "AssignedDomains", "AssignedControlDomains",
                "GuestAdapters", "GuestDomains", "Attached", "VMPid")}
        elif values["Attached"] or values["AssignedAdapters"] or values["GuestAdapters"]:
            world[f"device {values['UUID']}"] = {"Present": False, "path": path}
    for adapter, domain, owner, _ in busctl(ROOT, ROOT[1:].replace("/", ".") + ".Manager", "ListQueues")[0]:
        if owner != "gone":
            world[f"queue {adapter:02x}.{domain:04x}"] = {"owner": owner}
    manager = busctl(ROOT, "org.freedesktop.DBus.Properties", "GetAll", "s", BUS + ".Manager")[0]
    world["masks"] = {"apmask": manager["AdapterMask"]["data"], "aqmask": manager["DomainMask"]["data"]}
    return world


def differences():
    try:
        ours = daemon_side()
    except RuntimeError as error:
        return [f"the daemon does not answer: {error}"]
    theirs = driver_side()
    found = []
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            found.append(f"{name}: only the {'daemon' if name in ours else 'driver'} knows it")
            continue
        for key in sorted(ours[name].keys() | theirs[name].keys()):
            said, is_so = ours[name].get(key), theirs[name].get(key)
            if said != is_so:
                found.append(f"{name}: {key}: the daemon says {said}, the driver {is_so}")
    return found


def agree(within=10.0, look=False):
    """The differences that are left after so many seconds."""
    until = time.monotonic() + within
    if look:
        try:
            busctl(ROOT, BUS + ".Manager", "Plan")
        except RuntimeError:
            pass  # said below, if it lasts
    while found := differences():
        if time.monotonic() > until:
            break
        time.sleep(0.2)
    return found


if __name__ == "__main__":
    words = sys.argv[1:]
    seconds = float(words[words.index("--within") + 1]) if "--within" in words else 10.0
    left = agree(seconds, "--look" in words)
    for line in left:
        print("DIFFERS:", line)
    sys.exit(1 if left else 0)
