"""From a lock to files, in bounded memory.

This package is the library: ``from executor import execute``. Its names are looked up when they are
first used, so that importing a single module of it does not load the HTTP client.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in budget/start.py, which every command imports
if TYPE_CHECKING:
    # "as" re-exports a name for type checkers, which cannot evaluate __all__.
    from executor.api import Building as Building
    from executor.api import execute as execute
    from executor.archive.gzip_decoder import DamagedGzip as DamagedGzip
    from executor.archive.gzip_decoder import GzipDecoder as GzipDecoder
    from executor.budget.budget import Budget as Budget
    from executor.budget.memory import available_memory as available_memory
    from executor.budget.processors import usable_processors as usable_processors
    from executor.builds.build_system import BuildSystem as BuildSystem
    from executor.builds.build_system import read_build_system as read_build_system
    from executor.builds.built_wheel import BuiltWheel as BuiltWheel
    from executor.builds.errors import BackendUnusable as BackendUnusable
    from executor.builds.errors import BuildKilled as BuildKilled
    from executor.builds.git import check_out as check_out
    from executor.builds.sandbox import SandboxLimits as SandboxLimits
    from executor.builds.sandbox import SandboxResult as SandboxResult
    from executor.builds.toolchain import default_flags as default_flags
    from executor.builds.toolchain import describe as describe
    from executor.builds.toolchain import with_jobs as with_jobs
    from executor.builds.workspace import Workspace as Workspace
    from executor.builds.workspace import left_out_of as left_out_of
    from executor.cli.command_line import prepare as prepare
    from executor.cli.command_line import set_by_variables as set_by_variables
    from executor.cli.log_option import log_option as log_option
    from executor.cli.log_option import logged_run as logged_run
    from executor.cli.option_group import SectionedCommand as SectionedCommand
    from executor.cli.option_group import json_option as json_option
    from executor.cli.option_group import lock_argument as lock_argument
    from executor.cli.option_group import option_group as option_group
    from executor.cli.option_group import section as section
    from executor.cli.options import scope_options as scope_options
    from executor.cli.options import select_options as select_options
    from executor.cli.options import target_options as target_options
    from executor.cli.output import can_print as can_print
    from executor.cli.output import echo as echo
    from executor.cli.output import echo_document as echo_document
    from executor.cli.output import echo_json as echo_json
    from executor.cli.output import has_colours as has_colours
    from executor.cli.output import is_quiet as is_quiet
    from executor.cli.output_file import check_output_file as check_output_file
    from executor.cli.output_file import refuse_address as refuse_address
    from executor.environment.changes import Changes as Changes
    from executor.environment.changes import Sync as Sync
    from executor.environment.drift import Drift as Drift
    from executor.environment.environment import Environment as Environment
    from executor.files.durability import sync_descriptor as sync_descriptor
    from executor.files.durability import sync_folder as sync_folder
    from executor.files.file_digest import digest_file as digest_file
    from executor.files.locks import try_lock as try_lock
    from executor.files.regular import NO_END as NO_END
    from executor.files.regular import open_at_once as open_at_once
    from executor.files.regular import open_regular as open_regular
    from executor.files.regular import read_input as read_input
    from executor.files.regular import read_regular as read_regular
    from executor.files.regular import replaced_place as replaced_place
    from executor.files.user_folders import cache_folder as cache_folder
    from executor.files.user_folders import is_trusted as is_trusted
    from executor.install.decide import decide as decide
    from executor.install.decide import verify_environment as verify_environment
    from executor.lanes.signals import held_back as held_back
    from executor.lanes.signals import stoppable as stoppable
    from executor.lock.local_project import LocalProject as LocalProject
    from executor.lock.options import SelectOptions as SelectOptions
    from executor.lock.selection import Selector as Selector
    from executor.lock.step import Step as Step
    from executor.report.recorder import Recorder as Recorder
    from executor.report.repeated import Repeated as Repeated
    from executor.report.report import Report as Report
    from executor.report.reporter import Reporter as Reporter
    from executor.sources.connection import HttpConnection as HttpConnection
    from executor.sources.connection import connect as connect
    from executor.sources.connection import request_target as request_target
    from executor.sources.connection import while_waiting as while_waiting
    from executor.sources.http1 import HttpError as HttpError
    from executor.sources.http1 import TunnelRefused as TunnelRefused
    from executor.sources.http1 import Untrusted as Untrusted
    from executor.sources.keychain import Keychain as Keychain
    from executor.sources.origins import Origins as Origins
    from executor.sources.proxies import proxy_for as proxy_for
    from executor.sources.proxies import proxy_name as proxy_name
    from executor.sources.redirects import led_to as led_to
    from executor.sources.refusals import TRANSIENT as TRANSIENT
    from executor.sources.refusals import other_login as other_login
    from executor.sources.response import PacedResponse as PacedResponse
    from executor.sources.response import reason_of as reason_of
    from executor.sources.retries import MAX_REQUESTED_SECONDS as MAX_REQUESTED_SECONDS
    from executor.sources.retries import Pace as Pace
    from executor.sources.retries import Retryable as Retryable
    from executor.sources.retries import requested_pause as requested_pause
    from executor.sources.tls import tls_context as tls_context
    from executor.wheels.rules import Rules as Rules
    from executor.wheels.staged_wheel import StagedWheel as StagedWheel

_HOMES = {
    "NO_END": "files.regular",
    "BackendUnusable": "builds.errors",
    "Budget": "budget.budget",
    "BuildKilled": "builds.errors",
    "BuildSystem": "builds.build_system",
    "Building": "api",
    "BuiltWheel": "builds.built_wheel",
    "Changes": "environment.changes",
    "DamagedGzip": "archive.gzip_decoder",
    "Drift": "environment.drift",
    "Environment": "environment.environment",
    "GzipDecoder": "archive.gzip_decoder",
    "HttpConnection": "sources.connection",
    "HttpError": "sources.http1",
    "Keychain": "sources.keychain",
    "LocalProject": "lock.local_project",
    "MAX_REQUESTED_SECONDS": "sources.retries",
    "Origins": "sources.origins",
    "Pace": "sources.retries",
    "PacedResponse": "sources.response",
    "Repeated": "report.repeated",
    "Report": "report.report",
    "Recorder": "report.recorder",
    "Reporter": "report.reporter",
    "Retryable": "sources.retries",
    "Rules": "wheels.rules",
    "SandboxLimits": "builds.sandbox",
    "SandboxResult": "builds.sandbox",
    "SectionedCommand": "cli.option_group",
    "SelectOptions": "lock.options",
    "Step": "lock.step",
    "StagedWheel": "wheels.staged_wheel",
    "Selector": "lock.selection",
    "Sync": "environment.changes",
    "TRANSIENT": "sources.refusals",
    "TunnelRefused": "sources.http1",
    "Untrusted": "sources.http1",
    "Workspace": "builds.workspace",
    "available_memory": "budget.memory",
    "cache_folder": "files.user_folders",
    "check_out": "builds.git",
    "can_print": "cli.output",
    "check_output_file": "cli.output_file",
    "refuse_address": "cli.output_file",
    "connect": "sources.connection",
    "decide": "install.decide",
    "default_flags": "builds.toolchain",
    "describe": "builds.toolchain",
    "digest_file": "files.file_digest",
    "echo": "cli.output",
    "echo_document": "cli.output",
    "echo_json": "cli.output",
    "execute": "api",
    "has_colours": "cli.output",
    "held_back": "lanes.signals",
    "is_quiet": "cli.output",
    "is_trusted": "files.user_folders",
    "json_option": "cli.option_group",
    "led_to": "sources.redirects",
    "left_out_of": "builds.workspace",
    "lock_argument": "cli.option_group",
    "log_option": "cli.log_option",
    "logged_run": "cli.log_option",
    "open_at_once": "files.regular",
    "open_regular": "files.regular",
    "option_group": "cli.option_group",
    "other_login": "sources.refusals",
    "prepare": "cli.command_line",
    "proxy_for": "sources.proxies",
    "proxy_name": "sources.proxies",
    "read_build_system": "builds.build_system",
    "read_input": "files.regular",
    "read_regular": "files.regular",
    "reason_of": "sources.response",
    "replaced_place": "files.regular",
    "request_target": "sources.connection",
    "requested_pause": "sources.retries",
    "scope_options": "cli.options",
    "select_options": "cli.options",
    "section": "cli.option_group",
    "set_by_variables": "cli.command_line",
    "stoppable": "lanes.signals",
    "sync_descriptor": "files.durability",
    "sync_folder": "files.durability",
    "target_options": "cli.options",
    "tls_context": "sources.tls",
    "try_lock": "files.locks",
    "usable_processors": "budget.processors",
    "verify_environment": "install.decide",
    "while_waiting": "sources.connection",
    "with_jobs": "builds.toolchain",
}
"""The module of each public name."""

__all__ = list(_HOMES)


if not TYPE_CHECKING:  # a checker would take every name for one of ours

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
