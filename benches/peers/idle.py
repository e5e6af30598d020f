"""A Python agent between two samples: its libraries loaded, its database open, a scheduler that looks once a second.

Argument: the port on which it says that it is ready.
"""
import socket
import sqlite3
import sys
import time

import requests

session, base = requests.Session(), sqlite3.connect(":memory:")
ready = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    time.sleep(1)
