"""LTTng session daemons that tests start for themselves, with a home of their own."""

import os
import subprocess
import time


def run(*words, status=0, **more):
    r = subprocess.run(words, capture_output=True, text=True, timeout=60, errors="replace", **more)
    assert status is None or r.returncode == status, f"{words}: exit {r.returncode}\n{r.stdout[-500:]}\n{r.stderr[-2000:]}"
    return r


class Session:
    """A session daemon of its own, as a user without rights, so that no other one is met."""

    as_user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

    def __init__(self, home, host=None, machine=None, preload=None):
        """`host`: what the machine is called for it; `machine`: where it runs, a Machine.  Both only root can do.  `preload`: for the daemon."""
        self.home, self.host, self.machine, self.preload = home, host, machine, {"LD_PRELOAD": preload} if preload else {}
        self.who = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
        self.env = {**os.environ, "HOME": home, "LTTNG_HOME": home, "LTTNG_UST_REGISTER_TIMEOUT": "20000"}
        os.mkdir(home)
        if self.who:
            os.chown(home, 65534, 65534)

    def __enter__(self):
        words, who = ["lttng-sessiond", "--no-kernel"], self.who
        if self.host:
            words, who = ["unshare", "--uts", "sh", "-c", f'hostname {self.host} && exec "$@"', "sh", *self.as_user, *words], {}
        if self.machine:
            words, who = self.on_machine(words), {}
        self.daemon = subprocess.Popen(words, env={**self.env, **self.preload}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who)
        until = time.monotonic() + 30
        while self("list", status=None).returncode != 0:
            assert time.monotonic() < until and self.daemon.poll() is None, "no session daemon"
            time.sleep(0.1)
        return self

    def on_machine(self, words):
        return [*self.machine.wires, *self.as_user, *words] if self.machine else words

    def __exit__(self, kind, value, trace):
        self.daemon.terminate()
        self.daemon.wait(30)

    def __call__(self, *words, status=0):
        return run("lttng", "--no-sessiond", *words, status=status, env=self.env, **self.who)
