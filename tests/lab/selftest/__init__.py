# SPDX-License-Identifier: MIT
"""Tests of the lab's parts that need no guest; the suite `lab` runs them."""

import os
import tempfile
import unittest
from unittest import mock


class CacheTest(unittest.TestCase):
    """Each test has a cache of its own, which is empty at first."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        environment = mock.patch.dict(os.environ, XDG_CACHE_HOME=folder.name)
        environment.start()
        self.addCleanup(environment.stop)
