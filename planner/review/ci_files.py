"""Files by which a forge, a container or a hook installs the lock of a project."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from planner.review.project_facts import ProjectFacts
from schemas.data_class import frozen, with_fields
from schemas.errors import Refused
from schemas.text import counted
from schemas.version import VERSION

__all__ = ["CI_FILES", "CiFile", "FileExists", "LeadsOutside"]


@with_fields
class FileExists(Refused):
    """A file of the user is in the place of the one to write."""

    path: str
    hint: str = "add to it what the same command prints with --print, or replace it with --force"

    def __str__(self) -> str:
        return f"{self.path} exists"


@with_fields
class LeadsOutside(Refused):
    """A link that came with the project leads out of it."""

    path: str
    place: str
    hint: str = "remove the link, or write the file yourself from what --print shows"

    def __str__(self) -> str:
        return f"{self.path} leads out of the project, to {self.place}"


@frozen
class CiFile:
    """A kind of file, and how it is made."""

    path: str
    """Where it belongs, below the folder of the project or the repository."""
    text: Callable[[ProjectFacts], str]
    then: str
    """What to do next, as a sentence."""
    beside: str = ""
    """Where it goes if there is a file at ``path`` that is the user's own."""
    then_beside: str = ""
    is_of_repository: bool = False
    """Whether it is looked for at the root of the repository, and nowhere else.

    ``{slug}`` in paths and sentences is what tells the projects of a repository apart.
    """


_PIP_MEMORY = 256
"""MiB in which pip installs lockstream; in 64 MiB it is killed."""

_BUILD_MEMORY = 512
"""MiB for builds that were never measured: enough for those that compile nothing."""


def _github(facts: ProjectFacts) -> str:
    install = f"""\
      - name: Install lockstream
        run: pipx install lockstream=={VERSION}
"""
    check = f"""\
      - name: Is the lock current?
        run: lockstream check {facts.lock}
"""
    folder = f"    defaults: {{ run: {{ working-directory: {facts.folder} }} }}\n"
    # What was never measured may take any memory, and this runner has some.
    is_known = facts.is_measured or not facts.builds
    memory = f"--memory {facts.memory}MiB " if is_known else ""
    return f"""\
name: packages{facts.slug}
on: [push, pull_request]
permissions: {{}}
concurrency: {{ group: "packages{facts.slug}-${{{{ github.ref }}}}", cancel-in-progress: true }}

jobs:
  packages:
    name: Packages{" of " + facts.folder if facts.folder else ""}
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions: {{ contents: read }}  # to check out
{folder if facts.folder else ""}\
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8  # v5.0.0
        with: {{ persist-credentials: false }}
      - uses: actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c  # v6.0.0
        with: {{ python-version: "{facts.python}" }}
{"" if facts.pyz else install}{check if facts.checks else ""}{facts.left_out(6)}\
      - name: Install the packages
        run: |
          {facts.program} execute {facts.lock} --venv .venv --python python{facts.python} \\
            {memory}--report report.json{facts.options()}
      - name: Use them
        run: .venv/bin/python -c 'import sys; print(sys.prefix)'
"""


def _gitlab(facts: ProjectFacts) -> str:
    note = ""
    memory = facts.memory
    if facts.builds and not facts.is_measured:
        memory = _BUILD_MEMORY
        note = "    # Of a build that was never measured: lockstream plan --build measures it.\n"
    elif not facts.pyz:
        memory = max(facts.memory, _PIP_MEMORY)
        note = (
            f"    # pip takes this much; with lockstream.pyz in the project, {facts.memory}Mi do.\n"
        )
    folder = f"{facts.folder}/" if facts.folder else ""
    install = f"""\
    - python3 -m venv /tmp/lockstream
    - /tmp/lockstream/bin/pip install --quiet lockstream=={VERSION}
    - PATH="/tmp/lockstream/bin:$PATH"
"""
    check = f"    - lockstream check {facts.lock}\n"
    change = f"    - cd {facts.folder}\n" if facts.folder else ""
    return f"""\
packages{facts.slug}:
  stage: build
  image: python:{facts.python}-slim
  variables:
{note}\
    KUBERNETES_MEMORY_REQUEST: {memory}Mi
    KUBERNETES_MEMORY_LIMIT: {memory}Mi
  script:
{change}{"" if facts.pyz else install}{check if facts.checks else ""}{facts.left_out(4)}\
    - {facts.program} execute {facts.lock} --venv .venv --report report.json{facts.options()}
  retry:
    max: 2
    exit_codes: [5]  # network or index; any other failure would come again
  artifacts:
    expire_in: 1 day
    paths: [{folder}.venv, {folder}report.json]
"""


def _kubernetes(facts: ProjectFacts) -> str:
    options = "".join(f", {word}" for word in facts.options_without_project().split())
    facts.refuse_wheels_by_path()
    # Without sizes the lock says nothing of the disk, and a Pod that takes more is evicted.
    unsized = (
        "        # The disk is not limited: lockstream enrich records the sizes of "
        f"{counted(facts.unsized, 'package')}.\n"
        if facts.unsized
        else ""
    )
    disk = "" if unsized else f", ephemeral-storage: {facts.disk}Mi"
    volume = "" if unsized else f" sizeLimit: {facts.disk}Mi "
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
{facts.left_out(8, always=True)}{unsized}\
        - name: install
          image: registry.example.com/lockstream:{VERSION}-python{facts.python}
          command: [lockstream, execute, /lock/{facts.lock_name}, --venv, /packages/venv{options}]
          resources:
            requests: {{ memory: {facts.memory}Mi{disk} }}
            limits: {{ memory: {facts.memory}Mi{disk} }}
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
        - {{ name: packages, emptyDir: {{{volume}}} }}
"""


def _docker(facts: ProjectFacts) -> str:
    install = f"""\
RUN python3 -m venv /opt/lockstream \\
    && /opt/lockstream/bin/pip install --no-cache-dir lockstream=={VERSION}
"""
    copy = f"COPY {facts.pyz} ./\n"
    program = facts.program if facts.pyz else "/opt/lockstream/bin/lockstream"
    # Tests and linters are for the jobs before; what has nothing but groups needs them.
    groups = not facts.has_default
    left_out = (
        f"# Without the groups {', '.join(facts.groups)}: --group NAME adds one.\n"
        if facts.groups and not groups
        else ""
    )
    return f"""\
FROM python:{facts.python}-slim AS packages
{"" if facts.pyz else install}\
WORKDIR /build
{copy if facts.pyz else ""}\
COPY {facts.lock} ./{facts.lock_name}
{facts.copies_of_wheels()}{left_out}{facts.left_out(0, always=True)}\
RUN {program} execute {facts.lock_name} \\
    --venv /build/venv --relocatable --durability kill{facts.options_without_project(groups=groups)}

# The same Python at the same path: an environment links to it.
FROM python:{facts.python}-slim
COPY --from=packages /build/venv /app/venv
ENV PATH=/app/venv/bin:$PATH
WORKDIR /app
COPY . .
CMD ["python", "-c", "import sys; print(sys.prefix)"]
"""


def _pre_commit(facts: ProjectFacts) -> str:
    folder = f"{facts.folder}/" if facts.folder else ""
    below = f"^{re.escape(folder)}(.*/)?" if folder else "(^|/)"
    venv = f" --venv {folder}.venv" if folder else ""
    return f"""\
repos:
  - repo: local
    hooks:
      - id: lockstream-check
        name: the lock is current
        entry: lockstream check -q {folder}{facts.lock}
        language: system
        pass_filenames: false
        files: {below}(pyproject\\.toml|pylock(\\..+)?\\.toml|.*requirements.*\\.(in|txt))$
      - id: lockstream-execute
        name: bring the environment up to date
        entry: lockstream execute -q --exact {folder}{facts.lock}{venv}{facts.options()}
        language: system
        pass_filenames: false
        always_run: true
        stages: [post-checkout, post-merge]
"""


CI_FILES: Mapping[str, CiFile] = {
    "github": CiFile(
        ".github/workflows/packages{slug}.yml", _github,
        "commit it, and look at the Actions of the project", is_of_repository=True,
    ),
    "gitlab": CiFile(
        ".gitlab-ci.yml", _gitlab, "commit it, and look at the pipeline of the project",
        beside=".gitlab/packages{slug}.gitlab-ci.yml",
        then_beside="add to .gitlab-ci.yml: include: [{ local: "
        ".gitlab/packages{slug}.gitlab-ci.yml }]",
        is_of_repository=True,
    ),
    "kubernetes": CiFile(
        "lockstream-job.yaml", _kubernetes,
        "name your image with lockstream, then run the commands at its top",
    ),
    "docker": CiFile(
        "Dockerfile", _docker,
        "docker build --tag app . (name in .dockerignore what COPY is not to bring along, such as "
        ".venv and .git)",
    ),
    "pre-commit": CiFile(
        ".pre-commit-config.yaml", _pre_commit,
        "pre-commit install --hook-type pre-commit --hook-type post-checkout "
        "--hook-type post-merge",
        is_of_repository=True,
    ),
}  # fmt: skip
"""By the names that ``lockstream init ci`` takes."""
