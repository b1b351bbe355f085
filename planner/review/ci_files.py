"""Files by which a forge, a container or a hook installs the lock of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.errors import Refused
from schemas.text import enumerate_some
from schemas.version import VERSION

__all__ = ["CI_FILES", "CiFile", "FileExists", "NotForLinux", "ProjectFacts"]


@dataclass(eq=False)
class NotForLinux(Refused):
    """The lock has no target that containers run."""

    lock: str
    targets: tuple[str, ...]
    hint: str = "plan for it too: lockstream plan --platform linux"

    def __str__(self) -> str:
        return f"{self.lock} is for {enumerate_some(self.targets)}, and CI files are for Linux"


@dataclass(eq=False)
class FileExists(Refused):
    """A file of the user is in the place of the one to write."""

    path: str
    hint: str = "look at what would be written with --print, or replace the file with --force"

    def __str__(self) -> str:
        return f"{self.path} exists"


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What the files say of a project."""

    lock: str
    """Path of the lock below the folder of the project."""
    python: str
    """Version of Python, such as 3.12."""
    memory: int
    """MiB that an execution takes in a container."""
    disk: int
    """MiB on disk."""
    groups: tuple[str, ...]
    """Dependency groups of the lock that are not default groups."""
    is_planned: bool
    """Whether lockstream planned the lock, and so can check whether it is current."""
    has_pyz: bool
    """Whether ``lockstream.pyz`` is in the folder of the project, so that nothing is installed."""


@dataclass(frozen=True, slots=True)
class CiFile:
    """A kind of file, and how it is made."""

    path: str
    """Where it belongs, below the folder of the project."""
    text: Callable[[ProjectFacts], str]
    then: str
    """What to do next, as a sentence."""
    beside: str = ""
    """Where it goes if there is a file at ``path`` that is the user's own."""
    then_beside: str = ""


def _options(facts: ProjectFacts) -> str:
    return "".join(f" --group {name}" for name in facts.groups)


_PIP_MEMORY = 256
"""MiB in which pip installs lockstream; in 64 MiB it is killed."""


def _program(facts: ProjectFacts) -> str:
    return "python3 lockstream.pyz" if facts.has_pyz else "lockstream"


def _checks(facts: ProjectFacts) -> bool:
    """Return whether CI checks that the lock is current."""
    return facts.is_planned and not facts.has_pyz


def _github(facts: ProjectFacts) -> str:
    install = f"""\
      - name: Install lockstream
        run: pipx install lockstream=={VERSION}
"""
    check = f"""\
      - name: Is the lock current?
        run: lockstream check {facts.lock}
"""
    return f"""\
name: packages
on: [push, pull_request]
permissions: {{}}
concurrency: {{ group: "packages-${{{{ github.ref }}}}", cancel-in-progress: true }}

jobs:
  packages:
    name: Packages
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions: {{ contents: read }}  # to check out
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8  # v5.0.0
        with: {{ persist-credentials: false }}
      - uses: actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c  # v6.0.0
        with: {{ python-version: "{facts.python}" }}
{"" if facts.has_pyz else install}{check if _checks(facts) else ""}\
      - name: Install the packages
        run: |
          {_program(facts)} execute {facts.lock} --venv .venv --python python{facts.python} \\
            --memory {facts.memory}MiB --report report.json{_options(facts)}
      - name: Use them
        run: .venv/bin/python -c 'import sys; print(sys.prefix)'
"""


def _gitlab(facts: ProjectFacts) -> str:
    memory = facts.memory if facts.has_pyz else max(facts.memory, _PIP_MEMORY)
    install = f"""\
    - python3 -m venv /tmp/lockstream
    - /tmp/lockstream/bin/pip install --quiet lockstream=={VERSION}
    - PATH="/tmp/lockstream/bin:$PATH"
"""
    check = f"    - lockstream check {facts.lock}\n"
    note = f"    # pip takes this much; with lockstream.pyz in the project, {facts.memory}Mi do.\n"
    return f"""\
packages:
  stage: build
  image: python:{facts.python}-slim
  variables:
{"" if facts.has_pyz else note}\
    KUBERNETES_MEMORY_REQUEST: {memory}Mi
    KUBERNETES_MEMORY_LIMIT: {memory}Mi
  script:
{"" if facts.has_pyz else install}{check if _checks(facts) else ""}\
    - {_program(facts)} execute {facts.lock} --venv .venv --report report.json{_options(facts)}
  retry:
    max: 2
    exit_codes: [5]  # network or index; any other failure would come again
  artifacts:
    expire_in: 1 day
    paths: [.venv, report.json]
"""


def _kubernetes(facts: ProjectFacts) -> str:
    return f"""\
# kubectl create configmap lock --from-file={facts.lock}
# kubectl apply -f lockstream-job.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: packages
spec:
  backoffLimit: 3
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions:
          - {{ type: DisruptionTarget, status: "True" }}
      # 5 is network or index: try again. All others would come again.
      - action: Count
        onExitCodes: {{ containerName: install, operator: In, values: [5] }}
      - action: FailJob
        onExitCodes: {{ containerName: install, operator: NotIn, values: [0, 5] }}
  template:
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext: {{ runAsNonRoot: true, runAsUser: 65532, fsGroup: 65532 }}
      initContainers:
        - name: install
          image: registry.example.com/lockstream:{VERSION}-python{facts.python}
          command: [lockstream, execute, /lock/{_name(facts)}, --venv, /packages/venv]
          resources:
            requests: {{ memory: {facts.memory}Mi, ephemeral-storage: {facts.disk}Mi }}
            limits: {{ memory: {facts.memory}Mi, ephemeral-storage: {facts.disk}Mi }}
          volumeMounts:
            - {{ name: lock, mountPath: /lock, readOnly: true }}
            - {{ name: packages, mountPath: /packages }}
      containers:
        - name: work
          image: python:{facts.python}-slim
          command: [/packages/venv/bin/python, -c, "import sys; print(sys.prefix)"]
          volumeMounts:
            - {{ name: packages, mountPath: /packages, readOnly: true }}
      volumes:
        - {{ name: lock, configMap: {{ name: lock }} }}
        - {{ name: packages, emptyDir: {{ sizeLimit: {facts.disk}Mi }} }}
"""


def _docker(facts: ProjectFacts) -> str:
    return f"""\
FROM python:{facts.python}-slim AS packages
RUN python3 -m venv /opt/lockstream \\
    && /opt/lockstream/bin/pip install --no-cache-dir lockstream=={VERSION}
WORKDIR /build
COPY {facts.lock} ./{_name(facts)}
RUN /opt/lockstream/bin/lockstream execute {_name(facts)} \\
    --venv /build/venv --relocatable{_options(facts)}

# The same Python at the same path: an environment links to it.
FROM python:{facts.python}-slim
COPY --from=packages /build/venv /app/venv
ENV PATH=/app/venv/bin:$PATH
WORKDIR /app
COPY . .
CMD ["python", "-c", "import sys; print(sys.prefix)"]
"""


def _pre_commit(facts: ProjectFacts) -> str:
    return f"""\
repos:
  - repo: local
    hooks:
      - id: lockstream-check
        name: the lock is current
        entry: lockstream check -q {facts.lock}
        language: system
        pass_filenames: false
        files: (^|/)(pyproject\\.toml|pylock(\\..+)?\\.toml|.*requirements.*\\.(in|txt))$
      - id: lockstream-execute
        name: bring the environment up to date
        entry: lockstream execute -q --exact {facts.lock}
        language: system
        pass_filenames: false
        always_run: true
        stages: [post-checkout, post-merge]
"""


def _name(facts: ProjectFacts) -> str:
    return facts.lock.rpartition("/")[2]


CI_FILES: Mapping[str, CiFile] = {
    "github": CiFile(
        ".github/workflows/packages.yml", _github,
        "commit it, and look at the Actions of the project",
    ),
    "gitlab": CiFile(
        ".gitlab-ci.yml", _gitlab, "commit it, and look at the pipeline of the project",
        beside=".gitlab/packages.gitlab-ci.yml",
        then_beside="add to .gitlab-ci.yml: include: [{ local: .gitlab/packages.gitlab-ci.yml }]",
    ),
    "kubernetes": CiFile(
        "lockstream-job.yaml", _kubernetes,
        "name your image with lockstream, then run the commands at its top",
    ),
    "docker": CiFile("Dockerfile", _docker, "docker build --memory 256m --tag app ."),
    "pre-commit": CiFile(
        ".pre-commit-config.yaml", _pre_commit,
        "pre-commit install --hook-type pre-commit --hook-type post-checkout",
    ),
}  # fmt: skip
"""By the names that ``lockstream init ci`` takes."""
