"""Ends a LocalStack that `localstack/up` started, and all that it started: `python -m fourstroke_localstack.stop FOLDER`.

All of them have FOURSTROKE_LOCALSTACK=FOLDER in their environment, also where LocalStack was killed and could end nothing.
"""

import sys

import psutil

# How long they may take to end by themselves. Nothing they keep outlives them, so nothing is lost with who is killed.
SECONDS = 3
KILLED_SECONDS = 20


def of(folder: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("FOURSTROKE_LOCALSTACK") == folder:
                found.append(process)
        except (psutil.Error, OSError):
            # Another user's, a kernel's, or one that ends just now.
            continue
    return found


def stop(folder: str) -> None:
    processes = of(folder)
    for process in processes:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=SECONDS)
    # LocalStack starts again what ends, until it ends itself.
    while processes := of(folder):
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        _, alive = psutil.wait_procs(processes, timeout=KILLED_SECONDS)
        if alive:
            sys.exit(f"down: these do not end: {', '.join(str(process.pid) for process in alive)}")


if __name__ == "__main__":
    stop(sys.argv[1])
