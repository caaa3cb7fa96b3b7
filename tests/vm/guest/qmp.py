#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""qmp.py SOCKET COMMAND [ARGUMENTS]: one QMP command; prints its answer, and fails if that is an error.

For device_del it also waits until QEMU says that the device has gone."""
import json
import socket
import sys


def main(path, command, arguments=None):
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(20)
        stream.connect(path)
        lines = stream.makefile("rw")
        lines.readline()

        def ask(name, values=None):
            lines.write(json.dumps({"execute": name} | ({"arguments": values} if values else {})) + "\n")
            lines.flush()
            while True:
                answer = json.loads(lines.readline() or '{"error": "QEMU hung up"}')
                if "event" not in answer:
                    return answer
                events.append(answer["event"])

        events = []
        ask("qmp_capabilities")
        answer = ask(command, json.loads(arguments) if arguments else None)
        print(json.dumps(answer))
        if "error" in answer:
            return 1
        while command == "device_del" and "DEVICE_DELETED" not in events:
            events.append(json.loads(lines.readline()).get("event"))
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
