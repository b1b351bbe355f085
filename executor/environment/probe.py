"""Print the facts of the running interpreter as JSON.

The target interpreter runs this file (``python -I -c SOURCE KIND FOLDER``). It may be as old as
Python 3.8 and has nothing installed. lockstream imports the file if it runs on that interpreter
itself. With a KIND (venv, prefix, target) the paths are those that such an environment in FOLDER
has or would have.
"""

import json
import os
import platform
import re
import sys
import sysconfig


def facts(kind, folder):  # type: (str, str) -> dict[str, object]
    """Return the marker environment, the tags and the paths, with an environment of ``kind``."""
    version = "{}.{}".format(*sys.version_info)
    in_venv = kind == "venv" or sys.prefix != sys.base_prefix
    paths = sysconfig.get_paths()
    headers = paths["include"]
    executable = sys.executable
    if kind in ("venv", "prefix"):
        names = sysconfig.get_scheme_names()
        scheme = "venv" if "venv" in names else "nt" if os.name == "nt" else "posix_prefix"
        folders = {"base": folder, "platbase": folder, "installed_base": folder}
        paths = sysconfig.get_paths(scheme, vars=folders)
        headers = os.path.join(folder, "include", "python" + version)
    elif kind == "target":
        paths = {"purelib": folder, "platlib": folder, "data": folder}
        paths["scripts"] = os.path.join(folder, "Scripts" if os.name == "nt" else "bin")
        headers = os.path.join(folder, "include")
    if kind == "venv":
        executable = os.path.join(paths["scripts"], "python.exe" if os.name == "nt" else "python")
    if kind == "venv" or (not kind and in_venv):
        # As pip and uv do: a virtual environment shares the include folder of its base.
        headers = os.path.join(folder or sys.prefix, "include", "site", "python" + version)
    marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    is_managed = not in_venv and not kind and os.path.exists(marker)
    return {
        "environment": marker_environment(version),
        "platform": newest_platform(),
        "abis": abis(),
        "externally_managed": marker if is_managed else None,
        "paths": {
            "purelib": paths["purelib"],
            "platlib": paths["platlib"],
            "scripts": paths["scripts"],
            "data": paths["data"],
            "headers": headers,
            "executable": executable,
        },
    }


def marker_environment(version):  # type: (str) -> dict[str, str]
    info = sys.implementation.version
    implementation = "{}.{}.{}".format(*info)
    if info.releaselevel != "final":
        implementation += info.releaselevel[0] + str(info.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": version,
        "sys_platform": sys.platform,
    }


def newest_platform():  # type: () -> str
    if sys.platform == "darwin":
        release, _, machine = platform.mac_ver()
        major, minor = [*release.split("."), "0"][:2]
        return f"macosx_{major}_{0 if int(major) > 10 else minor}_{machine}"
    name = re.sub(r"[-.]", "_", sysconfig.get_platform())
    if not name.startswith("linux_"):
        return name
    machine = name[len("linux_") :]
    if sys.maxsize <= 2**32:
        machine = {"x86_64": "i686", "aarch64": "armv8l"}.get(machine, machine)
    libc = libc_version()
    return f"{libc}_{machine}" if libc else name


def libc_version():  # type: () -> str
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, ValueError, OSError):
        name, version = "", ""
    match = re.match(r"(\d+)\.(\d+)", version)
    if name == "glibc" and match:
        return "manylinux_{}_{}".format(*match.groups())
    import subprocess  # noqa: PLC0415  # rarely needed, and 2 ms

    # musl has no such call; its loader prints its version when it is run without arguments.
    for folder in ("/lib", "/usr/lib"):
        names = os.listdir(folder) if os.path.isdir(folder) else []
        for loader in sorted(names):
            if loader.startswith("ld-musl-"):
                command = [os.path.join(folder, loader)]
                run = subprocess.run(command, check=False, stderr=subprocess.PIPE)
                match = re.search(r"Version (\d+)\.(\d+)", run.stderr.decode("ascii", "replace"))
                if match:
                    return "musllinux_{}_{}".format(*match.groups())
    return ""


def abis():  # type: () -> list[str]
    """Return the ABIs that ``packaging.tags`` finds on this interpreter, best first."""
    major, minor = sys.version_info[:2]
    if sys.implementation.name == "cpython":
        threading = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
        plain = f"cp{major}{minor}{threading}"
        debug = sysconfig.get_config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount")
        return [plain + "d", plain] if debug else [plain]
    if sys.implementation.name == "pypy":
        soabi = str(sysconfig.get_config_var("SOABI")).split("-")
        return ["_".join(soabi[:2]).replace(".", "_")]
    return []


if __name__ == "__main__":
    # In a line of its own: what runs at every start may have printed something, or will.
    sys.stdout.write("\n" + json.dumps(facts(sys.argv[1], sys.argv[2])) + "\n")
