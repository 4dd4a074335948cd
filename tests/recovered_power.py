"""Cuts the power as powerloss.py in TESTERS does, but looks at a store after our next call on it:
what a second writer began to use while it was on its way out is brought home by that.

  recovered_power.py TESTERS RECOVER LOG [OPTION...]     {store} in RECOVER is the store
"""

import shlex
import subprocess
import sys

testers, recover = sys.argv[1:3]
del sys.argv[1:3]
sys.path.insert(0, testers)

import check_store  # noqa: E402
import powerloss  # noqa: E402

look = check_store.check


def check(store: str, *rest: object) -> dict:
    command = shlex.split(recover.replace("{store}", store))
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return look(store, *rest)


check_store.check = check
sys.exit(powerloss.main())
