#!/usr/bin/env python3
"""Whether deploy/compose.yaml and deploy/Dockerfile hang together: parsed and looked at, not run.

    scripts/check_compose.py [DEPLOY_FOLDER]

Prints what is wrong, a line each, and ends with 1; nothing where all is well. It knows no more of
Docker than what is written here.
"""

import json
import pathlib
import re
import sys

import yaml

SERVICES = {"prometheus", "bellwether", "nginx"}
SERVICE_KEYS = {
    "build", "cap_drop", "command", "depends_on", "group_add", "image", "mem_limit",
    "network_mode", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes",
}
# What lies beside compose.yaml only where it is used.
MADE_BY_PEOPLE = {"./users", "./tokens", "./certificate"}
INSTRUCTIONS = {
    "CMD", "COPY", "ENTRYPOINT", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "STOPSIGNAL", "USER",
    "VOLUME", "WORKDIR",
}


def check_compose(folder):
    whole = yaml.safe_load((folder / "compose.yaml").read_text())
    services = whole.get("services", {})
    if set(services) != SERVICES:
        yield f"compose.yaml: services are {sorted(services)}, not {sorted(SERVICES)}"
    for key in set(whole) - {"name", "services", "volumes"}:
        yield f"compose.yaml: {key} isn't known here"
    named = set(whole.get("volumes") or {})
    for name, service in services.items():
        where = f"compose.yaml: {name}"
        for key in set(service) - SERVICE_KEYS:
            yield f"{where}: {key} isn't known here"
        if ("image" in service) == ("build" in service):
            yield f"{where}: needs an image or a build, one of them"
        if not has_version(service.get("image", "built:here")):
            yield f"{where}: the image {service['image']} names no version"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{where}: may gain privileges"
        for other in service.get("depends_on", []):
            if other not in services:
                yield f"{where}: depends on {other}, which isn't there"
        if "build" in service:
            yield from check_build(folder, where, service["build"])
        for volume in service.get("volumes", []):
            yield from check_volume(folder, where, volume, named)


def check_build(folder, where, build):
    context = folder / build.get("context", "missing")
    if not (context / build.get("dockerfile", "missing")).is_file():
        yield f"{where}: builds from {build}, where no file is"


def check_volume(folder, where, volume, named):
    source, inside = volume.split(":")[:2]
    if not inside.startswith("/"):
        yield f"{where}: {volume} has no absolute path inside"
    if source.startswith("./"):
        if not volume.endswith(":ro"):
            yield f"{where}: {volume} may be written"
        if source not in MADE_BY_PEOPLE and not (folder / source).is_file():
            yield f"{where}: {source} isn't there"
    elif not source.startswith("/") and source not in named:
        yield f"{where}: the volume {source} isn't declared"


def has_version(image):
    tag = image.partition(":")[2]
    return bool(tag) and tag != "latest"


def check_dockerfile(folder):
    root, stages, users, health = folder.parent, set(), [], []
    for word, rest in instructions((folder / "Dockerfile").read_text()):
        where = f"Dockerfile: {word} {rest[:40]}"
        if word not in INSTRUCTIONS:
            yield f"{where}: isn't known here"
        elif word == "FROM":
            image, _, stage = rest.partition(" AS ")
            if not has_version(image):
                yield f"{where}: names no version"
            stages.add(stage)
            users, health = [], []
        elif word == "COPY":
            yield from check_copy(root, where, rest, stages)
        elif word == "USER":
            users.append(rest)
        elif word == "HEALTHCHECK":
            health.append(rest)
        elif word in {"CMD", "ENTRYPOINT"} and not is_list(rest):
            yield f"{where}: is run by a shell, which doesn't pass signals on"
    if not users or users[-1] in {"root", "0"}:
        yield "Dockerfile: the image runs as root"
    if len(health) != 1 or not is_list(health[0].partition("CMD ")[2]):
        yield "Dockerfile: the image has no HEALTHCHECK CMD that is a list"


def check_copy(root, where, rest, stages):
    words = rest.split()
    stage = re.match(r"--from=(.*)", words[0])
    if stage:
        if stage.group(1) not in stages:
            yield f"{where}: copies from {stage.group(1)}, no earlier stage"
        return
    for source in words[:-1]:
        if not (root / source).exists():
            yield f"{where}: {source} isn't there"


def instructions(text):
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def is_list(text):
    try:
        return isinstance(json.loads(text), list)
    except json.JSONDecodeError:
        return False


def main():
    here = pathlib.Path(__file__).resolve().parent.parent / "deploy"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    try:
        wrong = [*check_compose(folder), *check_dockerfile(folder)]
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        wrong = [f"{type(error).__name__}: {error}"]
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
