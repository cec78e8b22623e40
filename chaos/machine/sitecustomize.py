"""Gives a process the name of another machine: Python runs this file when it lies on PYTHONPATH."""

import os
import socket

if "CHAOS_MACHINE" in os.environ:
    socket.gethostname = lambda: os.environ["CHAOS_MACHINE"]
