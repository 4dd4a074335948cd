"""What an installed package says of itself."""

import importlib.metadata

import modelkeep


def test_the_version_is_that_of_the_package() -> None:
    assert modelkeep.__version__ == importlib.metadata.version("modelkeep")
