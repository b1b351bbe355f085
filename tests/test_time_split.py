"""Samples of processor time are told apart by the file that they are in."""

from __future__ import annotations

import pytest

from benchmarks.peers.time_split import shares

REPORT = """\
# Total Lost Samples: 0
#
# Overhead  Shared Object
# ........  ........................................
#
    33.69%  [kernel.kallsyms]
    30.29%  libpython3.11.so.1.0
    25.25%  isal_zlib.cpython-311-x86_64-linux-gnu.so
     5.25%  libc.so.6
     4.78%  libcrypto.so.3
     0.03%  _hashlib.cpython-311-x86_64-linux-gnu.so
     0.04%  [vdso]
"""


def test_each_file_counts_for_what_is_done_in_it() -> None:
    found = shares(REPORT)
    assert list(found) == ["Python", "kernel", "inflate", "OpenSSL"]
    assert found["Python"] == pytest.approx(0.3554)
    assert found["kernel"] == pytest.approx(0.3373)
    assert found["inflate"] == pytest.approx(0.2525)
    assert found["OpenSSL"] == pytest.approx(0.0481)
