"""Ends a LocalStack that `localstack/up` started, and all that it started: `python -m fourstroke_localstack.stop FOLDER`.

All of them have FOURSTROKE_LOCALSTACK=FOLDER in their environment, also where LocalStack was killed and could end nothing.
"""

import sys

import psutil

# Functions, Java and Node.js end with LocalStack; it has so long for that.
SECONDS = 20


def of(folder: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("FOURSTROKE_LOCALSTACK") == folder:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess, OSError):
            # Another user's, a kernel's, or one that ends just now.
            continue
    return found


def stop(folder: str) -> None:
    processes = of(folder)
    ours = {process.pid for process in processes}
    for process in processes:
        try:
            if process.ppid() not in ours:
                process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(processes, timeout=SECONDS)
    for process in {*alive, *of(folder)}:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=SECONDS)
    if left := of(folder):
        sys.exit(f"down: these do not end: {', '.join(str(process.pid) for process in left)}")


if __name__ == "__main__":
    stop(sys.argv[1])
