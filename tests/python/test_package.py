"""What an installed package says of itself."""

import importlib.metadata
import sys
import sysconfig

import modelkeep


def test_the_version_is_that_of_the_package() -> None:
    assert modelkeep.__version__ == importlib.metadata.version("modelkeep")


def test_an_import_leaves_a_free_threaded_interpreter_so() -> None:
    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    assert has_lock == (not sysconfig.get_config_var("Py_GIL_DISABLED"))
