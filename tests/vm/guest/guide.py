#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""guide.py PAGE STATE: does what a page says, on this machine, and compares what is printed with what the page says.

How a page is marked says tests/docs/replay, which does the same on a simulated host.  Here everything is done but what is
marked "sim": each command must succeed in what is marked "vm", and in what is not, print the same words.  Where a command of a
"vm" block shows no output on the page, none is compared.

"reboot" ends this with 3, once STATE says where to go on; the next call does.  1: something was not as the page says.
"""
import os
import re
import subprocess
import sys
import time

# Words that may differ: as in tests/docs/replay.
VARIES = [(r"\b[0-9]{16}\b", "MICROSECONDS"), (r"\b[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?\b", "TIME")]
REBOOT = 3


def words(text):
    for pattern, instead in VARIES:
        text = re.sub(pattern, instead, text)
    return text.split()


def commands(block):
    """The commands of a transcript, and what the page shows behind each."""
    found, goes_on = [], False
    for line in block:
        if goes_on:
            found[-1][0] += "\n" + line
        elif line.startswith("$ "):
            found.append([line[2:], []])
        else:
            found[-1][1].append(line)
        goes_on = not found[-1][1] and line.endswith(("\\", "|"))
    return [(command, "\n".join(shown)) for command, shown in found]


def steps(page):
    """What is to be done: ("run", command), ("file", path, text), ("show", command, text, real)."""
    lines, mark = iter(page.splitlines()), ""
    for line in lines:
        if match := re.fullmatch(r"<!-- (.*) -->", line):
            mark = match[1]
            if match := re.fullmatch(r"(vm )?\$ (.*)", mark):
                yield "run", match[2]
            if "$ " in mark:
                mark = ""
        elif line.startswith("```"):
            block = []
            while (line := next(lines)) != "```":
                block.append(line)
            if mark.startswith("file "):
                yield "file", mark[5:], "\n".join(block) + "\n"
            elif not mark.startswith("sim ") and block and block[0].startswith("$ "):
                for command, shown in commands(block):
                    yield "show", command, shown, mark == "vm"
            mark = ""


def run(command):
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    return done.returncode, done.stdout


def wrong(command, why, expected, printed):
    print(f"NOT AS THE PAGE SAYS: {command}: {why}")
    print("\n".join(f"  page:    {line}" for line in expected.splitlines()))
    print("\n".join(f"  printed: {line}" for line in printed.splitlines()), flush=True)
    return 1


def main(path, state):
    os.environ.update(COLUMNS="80", TZ="UTC", LC_ALL="C.UTF-8")
    with open(path, encoding="utf-8") as file:
        todo = list(steps(file.read()))
    done, failures = 0, 0
    if os.path.exists(state):
        with open(state, encoding="ascii") as file:
            done, failures = map(int, file.read().split())
    for number, (kind, what, *more) in enumerate(todo[done:], done + 1):
        if kind == "file":
            with open(what, "w", encoding="utf-8") as file:
                file.write(more[0])
            continue
        if what == "reboot":
            with open(state, "w", encoding="ascii") as file:
                file.write(f"{number} {failures}")
            return REBOOT
        begun = time.monotonic()
        status, printed = run(what)
        print(f"[{time.monotonic() - begun:4.1f} s] $ {what}", flush=True)
        shown, real = more if kind == "show" else ("", True)
        if status and real:
            failures += wrong(what, f"exit status {status}", shown, printed)
        elif (shown or not real) and words(shown) != words(printed):
            failures += wrong(what, "other words", shown, printed)
    examples = sum(kind == "show" for kind, *_ in todo)
    print(f"summary: {examples} examples, {failures} not as the page says")
    return 1 if failures or not examples else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
