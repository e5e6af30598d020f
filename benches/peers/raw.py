"""Reads what `tidegauge bench generate --emit raw` writes; the layout stands in src/cli/bench/generate.rs."""
import numpy as np

KINDS = ["VM", "Server", "Workstation", "CloudVM", "Application", "CloudConnectServer", "FileShare"]
WEEK_SECONDS = 7 * 24 * 3600


class Raw:
    def __init__(self, path):
        self.bytes = np.memmap(path, dtype=np.uint8, mode="r")
        if bytes(self.bytes[:4]) != b"WLR1":
            raise ValueError(f"{path} holds no samples")
        self.ever, self.hours, self.tenants = (int(n) for n in self.bytes[4:16].view("<u4"))
        at = 16
        self.tenant = np.array(self.bytes[at:at + 2 * self.ever]).view("<u2")
        at += 2 * self.ever
        self.kind = np.array(self.bytes[at:at + self.ever])
        at += self.ever
        self.first_month = np.array(self.bytes[at:at + self.ever])
        self.begins = at + self.ever

    def samples(self):
        """(unix seconds, month, numbers, tenths) of each sample; a workload counts when its first month is before."""
        at = self.begins
        for _ in range(self.hours):
            seconds, month, count = (int(n) for n in np.array(self.bytes[at:at + 12]).view("<u4"))
            at += 12
            numbers = np.array(self.bytes[at:at + 4 * count]).view("<u4")
            at += 4 * count
            tenths = np.array(self.bytes[at:at + 2 * count]).view("<u2")
            at += 2 * count
            yield seconds, month, numbers.astype(np.int64), tenths.astype(np.int64)

    def name(self, number):
        return f"{KINDS[self.kind[number]].lower()}-{self.tenant[number]:03d}-{number:07d}"
