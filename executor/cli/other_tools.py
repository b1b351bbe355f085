"""What commands and options of other tools are called here.

Only an error loads this.
"""

from __future__ import annotations

__all__ = ["COMMANDS", "OPTIONS", "SUBCOMMANDS", "VALUES", "WORDS"]

_LOCK = "run lockstream plan, which writes pylock.toml"
_INSTALL = (
    "run lockstream execute, which installs pylock.toml; lockstream plan -r requirements.txt, "
    "or lockstream plan in the folder of a project, writes that first"
)
_UPGRADE = "run lockstream plan --upgrade, or --upgrade-package NAME for one"

COMMANDS = {
    "add": "write the requirement into pyproject.toml or a requirements file, and run "
    "lockstream plan",
    "clean": "run lockstream cache clear, which empties the cache of plans",
    "compile": "run lockstream plan -r requirements.in, which writes pylock.toml",
    "config": "settings are in [tool.lockstream] of pyproject.toml, or in variables; lockstream "
    "COMMAND --help lists options",
    "download": "run lockstream fetch --into wheels, which gets the files of a lock",
    "freeze": "run lockstream export, which writes the versions of pylock.toml as requirements, or "
    "lockstream tree",
    "help": "run lockstream --help, or lockstream COMMAND --help",
    "info": "run lockstream show, which prints what a lock takes",
    "install": _INSTALL,
    "list": "run lockstream tree, which prints the packages of a lock",
    "lock": _LOCK,
    "relock": _LOCK,
    "remove": "delete the requirement from its file, run lockstream plan, then lockstream execute "
    "--exact",
    "resolve": _LOCK,
    "run": "run lockstream execute, then the program in .venv/bin",
    "self": "update it with what installed it: pipx upgrade lockstream, or uv tool upgrade "
    "lockstream",
    "shell": "run lockstream execute, then . .venv/bin/activate",
    "sync": "run lockstream execute --exact, which also removes what the lock does not list",
    "uninstall": "run lockstream execute --remove NAME",
    "update": _UPGRADE,
    "upgrade": _UPGRADE,
    "venv": "run lockstream execute, which makes the environment too",
    "version": "run lockstream --version",
    "wheel": "run lockstream plan --build missing, which builds what has no wheel",
}
"""What to run instead of the commands of other tools."""

SUBCOMMANDS = {"clean": "clear", "dir": "info", "list": "info", "purge": "clear", "size": "info"}
"""What commands of a group are called here, where they are called otherwise."""

WORDS = frozenset({"pip", "pip-compile", "pip-sync", "uv", "poetry", "pdm", "pipenv"})
"""Words that stand before the commands of other tools, or for them."""

_LOCKED = "execute installs what a lock lists; lockstream plan takes {} and writes the lock"
_NAMED = "the lock names the place of each file; --mirror FROM=TO fetches from another one"
_NO_CACHE = "execute keeps no cache; leave it out"
_NO_PROJECT = "execute installs no project unless told to (--project); leave it out"
_READS_LOCK = "audit reads a lock; lockstream plan -r FILE writes it"
_ALL_COUNTS = "all of the lock counts unless --extra, --group or --no-default-groups choose a part"
_GROUPS = "execute installs no dependency group unless told to; leave it out"
_LANES = "did you mean --lanes? Without it the processors and the memory decide"
_CERTIFICATES = "name the authorities to trust with the variable SSL_CERT_FILE"
_NO_FOLDERS = "did you mean --skip-unhashed? It leaves out folders and repositories"
_RECORDED = "the lock records the index of each package; leave it out"
_BARE = "a lock has no comments, and lockstream why NAME says what requires a package; leave it out"

OPTIONS = {
    "": {
        "--ca-cert": _CERTIFICATES,
        "--cert": _CERTIFICATES,
        "--client-cert": "name the file with the variable SSL_CLIENT_CERT",
        "--native-tls": "the authorities of the system are trusted as it is; leave it out",
        "--system-certs": "the authorities of the system are trusted as it is; leave it out",
        "--proxy": "name it with the variable HTTPS_PROXY",
        "--retries": "a request that failed is sent again as it is; leave it out",
        "--timeout": "it follows from what a server sends; leave it out",
        "--color": "the variables NO_COLOR and FORCE_COLOR decide on colours",
        "--no-color": "the variables NO_COLOR and FORCE_COLOR decide on colours",
        "--no-input": "nothing is ever asked; leave it out",
        "-y": "nothing is ever asked; leave it out",
        "--yes": "nothing is ever asked; leave it out",
        "--directory": "change into the folder first",
        "--cwd": "change into the folder first",
        "-V": "did you mean --version?",
    },
    "audit": {
        "--ignore-vuln": "did you mean --ignore?",
        "--ignore-until-fixed": "did you mean --ignore ID=fixed?",
        "--service-url": "did you mean --service?",
        "--osv-url": "did you mean --service? It is the address before /v1/",
        "--vulnerability-service": "did you mean --service? It is the address of one with OSV's "
        "API, and that of OSV by default",
        "-s": "did you mean --service?",
        "--fix": "run the lockstream plan --upgrade-package NAME that audit prints",
        "--format": "did you mean --json?",
        "--output-format": "did you mean --json?",
        "-f": "did you mean --json?",
        "-r": _READS_LOCK,
        "--requirement": _READS_LOCK,
        "--no-dev": _ALL_COUNTS,
        "--no-group": _ALL_COUNTS,
        "--no-extra": _ALL_COUNTS,
        "--frozen": "audit never changes the lock; leave it out",
        "--locked": "audit never changes the lock; lockstream check says whether it is current",
        "--no-deps": "a lock lists all that is required; leave it out",
    },
    "export": {
        "-f": "did you mean --format?",
        "--without-hashes": "did you mean --no-hashes?",
        "--generate-hashes": "hashes are written unless --no-hashes is said; leave it out",
        "--without-urls": "did you mean --no-index-urls?",
        "--no-emit-index-url": "did you mean --no-index-urls?",
        "--no-emit-project": _NO_FOLDERS,
        "--no-emit-workspace": _NO_FOLDERS,
        "--with": "did you mean --group?",
        "--dev": "did you mean --group dev?",
    },
    "execute": {
        "-r": _LOCKED.format("-r FILE"),
        "--requirement": _LOCKED.format("-r FILE"),
        "--requirements": _LOCKED.format("-r FILE"),
        "-c": _LOCKED.format("-c FILE"),
        "--constraint": _LOCKED.format("-c FILE"),
        "-U": _LOCKED.format("-U"),
        "--upgrade": _LOCKED.format("-U"),
        "-P": _LOCKED.format("-P NAME"),
        "--upgrade-package": _LOCKED.format("-P NAME"),
        "--pre": _LOCKED.format("--prerelease allow"),
        "--no-binary": _LOCKED.format("--no-binary NAME"),
        "--only-binary": "execute builds nothing unless told to (--build); leave it out",
        "--no-build": "execute builds nothing unless told to (--build); leave it out",
        "--no-build-isolation": "a build sees what its lock lists, and nothing else",
        "-i": _NAMED,
        "--index": _NAMED,
        "--index-url": _NAMED,
        "--default-index": _NAMED,
        "--extra-index-url": _NAMED,
        "--trusted-host": _CERTIFICATES,
        "--no-index": "did you mean --offline?",
        "-f": "did you mean --find-links?",
        "--no-cache": _NO_CACHE,
        "--no-cache-dir": _NO_CACHE,
        "--cache-dir": _NO_CACHE,
        "--frozen": "execute never changes the lock; leave it out",
        "--locked": "execute never changes the lock; lockstream check says whether it is current",
        "--require-hashes": "execute always does; leave it out",
        "--verify-hashes": "execute always does; leave it out",
        "--system": "name the Python whose environment is to be filled: --python python3, with "
        "--break-system-packages if a package manager owns it",
        "--user": "name an environment: --venv DIR, or a folder for PYTHONPATH: --target DIR",
        "--root": "did you mean --prefix?",
        "-p": "did you mean --python?",
        "-t": "did you mean --target?",
        "-e": "did you mean --project DIR --editable?",
        "--with": "did you mean --group?",
        "--only": "execute installs no dependency group unless told to; name those you want with "
        "--group",
        "--only-group": "did you mean --group? The packages of the project are installed, too",
        "--dev": "did you mean --group dev?",
        "--without": _GROUPS,
        "--no-dev": _GROUPS,
        "--no-group": _GROUPS,
        "--no-root": _NO_PROJECT,
        "--no-install-project": _NO_PROJECT,
        "--no-install-workspace": _NO_PROJECT,
        "--no-editable": "projects are copied unless --editable is said; leave it out",
        "--inexact": "that is the default; leave it out",
        "-j": _LANES,
        "--jobs": _LANES,
        "--parallel": _LANES,
        "--concurrency": _LANES,
        "--link-mode": "files are written, and never linked; leave it out",
        "--ignore-installed": "did you mean --reinstall?",
        "--force": "did you mean --reinstall?",
        "--force-reinstall": "did you mean --reinstall?",
        "--refresh": "did you mean --reinstall?",
        "--strict": "did you mean lockstream verify?",
    },
    "bundle": {
        "--into": "did you mean --output?",
        "--dest": "did you mean --output?",
    },
    "fetch": {
        "--all-groups": "fetch gets the files of all extras and groups; leave it out",
        "--all-extras": "fetch gets the files of all extras and groups; leave it out",
        "--group": "fetch gets the files of all extras and groups; leave it out",
        "--extra": "fetch gets the files of all extras and groups; leave it out",
        "-d": "did you mean --into?",
        "-o": "did you mean --into? lockstream bundle -o FILE writes one archive",
        "--output": "did you mean --into? lockstream bundle -o FILE writes one archive",
        "--dest": "did you mean --into?",
        "--directory": "did you mean --into?",
        "-r": "fetch gets the files of a lock; lockstream plan takes -r FILE and writes the lock",
        "--only-binary": "fetch gets the wheels that the lock lists; leave it out",
    },
    "plan": {
        "--python": "did you mean --python-version?",
        "-p": "did you mean --python-version?",
        "--python-platform": "did you mean --platform?",
        "--output-file": "did you mean --output?",
        "--generate-hashes": "a lock always has hashes; leave it out",
        "--pre": "did you mean --prerelease allow?",
        "--dry-run": "plan into another file, and compare: lockstream plan --output "
        "pylock.new.toml, then lockstream diff pylock.toml pylock.new.toml",
        "--check": "run lockstream check, which says whether the lock is current",
        "--frozen": "run lockstream check, which says whether the lock is current",
        "--locked": "run lockstream check, which says whether the lock is current",
        "--system": "plan installs nothing; --python-version names the Python to plan for",
        "--no-deps": "a lock lists all that is required; --exclude NAME leaves a package out",
        "--no-build-isolation": "builds are isolated; --build-requires NAME:REQUIREMENT adds what "
        "a source does not declare",
        "--trusted-host": "write it into the requirements file, on a line of its own, or name the "
        "authorities to trust with the variable SSL_CERT_FILE",
        "--cooldown": "did you mean --exclude-newer '7 days'?",
        "--resolver": "there is one resolver; leave it out",
        "--strip-extras": "a lock lists packages without extras; leave it out",
        "--allow-unsafe": "pip and setuptools are locked as all packages are; leave it out",
        "--annotate": _BARE,
        "--no-annotate": _BARE,
        "--header": _BARE,
        "--no-header": _BARE,
        "--annotation-style": _BARE,
        "--emit-index-url": _RECORDED,
        "--no-emit-index-url": _RECORDED,
        "--no-emit-trusted-host": _RECORDED,
        "--no-emit-find-links": _RECORDED,
        "--no-emit-options": _RECORDED,
        "--dev": "did you mean --group dev?",
        "--no-dev": "did you mean --no-group dev?",
        "--with": "did you mean --group?",
        "-e": "write it into a requirements file, or name the folder: lockstream plan FOLDER",
    },
    "verify": {
        "--fix": "run lockstream execute --reinstall",
    },
    "check": {
        "--fix": "run lockstream plan, which writes the lock if it is not current",
        "-r": "check finds the inputs in the lock; name the lock alone",
    },
}  # fmt: skip
"""What to say to the options of other tools, by command; those below ``""`` are of every one."""

_JOB = (
    "all that its job needs is lockstream execute, or python3 lockstream.pyz execute; lockstream "
    "init ci gitlab --print shows such a job"
)

VALUES = {
    "azure": _JOB,
    "azure-pipelines": _JOB,
    "bitbucket": _JOB,
    "buildkite": _JOB,
    "circleci": _JOB,
    "codeberg": "did you mean github? Forgejo and Gitea run its files",
    "containerfile": "did you mean docker?",
    "dockerfile": "did you mean docker?",
    "forgejo": "did you mean github? Forgejo and Gitea run its files",
    "gitea": "did you mean github? Forgejo and Gitea run its files",
    "jenkins": _JOB,
    "k8s": "did you mean kubernetes?",
    "podman": "did you mean docker?",
    "tekton": "the task is in examples/tekton",
    "travis": _JOB,
    "woodpecker": _JOB,
}
"""What to say to names of places that an option or an argument has no value for."""
