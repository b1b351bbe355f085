"""Tests that take minutes to hours, each a program: ``python -m stress.NAME``, or ``make NAME``.

``soak`` injects faults at system calls (``injected_faults``) and checks what must hold afterwards
(``invariants``); ``hostile`` and ``real_wheels`` install wheels; ``network`` fetches over failing
networks; ``fuzz`` runs the readers of untrusted bytes (``fuzz_target`` under libFuzzer).
"""
