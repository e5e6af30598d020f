"""A PostgreSQL of our own on a free port of loopback, with its default settings: what is committed is synced."""
import os
import pwd
import shutil
import subprocess

from measure import Failed, Running, free_port

# initdb and the server refuse to run as root.
USER = "nobody"


class Postgres(Running):
    def __init__(self, peers, folder):
        if not peers.programs["postgres"]:
            raise Failed("PostgreSQL is not there")
        self.folder, self.postgres, self.libraries = os.path.abspath(folder), peers.programs["postgres"], peers.environment("postgres")
        port = free_port()
        super().__init__([self.postgres, "-D", self.folder, "-p", port, "-h", "127.0.0.1", "-k", self.folder], port, self.libraries, USER)
        self.url = f"postgresql://bench@127.0.0.1:{port}/postgres"

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        owner = {}
        if os.geteuid() == 0:
            owner = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []}
            shutil.chown(self.folder, USER, owner["group"])
        made = subprocess.run([os.path.join(os.path.dirname(self.postgres), "initdb"), "-D", self.folder, "-U", "bench", "-A", "trust"], capture_output=True, text=True,
                              cwd=self.folder, env={**os.environ, **self.libraries}, **owner)
        if made.returncode != 0:
            raise Failed(f"initdb: {made.stderr.strip()[-200:]}")
        return super().__enter__()
